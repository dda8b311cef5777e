from dataclasses import replace

from tests.unit.report.sample import build

from accelbench.model import Trial, Tuning
from accelbench.page import units
from accelbench.page.tuning import changed, gain, words

CHOSEN = {"threads": "1", "spinning": "false"}
FOUND = Tuning("a search", 9, (Trial({}, 0.7), Trial({"threads": "1"}, None), Trial(CHOSEN, 0.35)), CHOSEN)


def test_chosen_options_are_told() -> None:
    assert changed(FOUND) == "threads=1, spinning=false"
    assert changed(Tuning("nothing to try", 0)) == words({}) == "untuned"


def test_the_gain_is_from_the_untuned_stack_to_what_was_chosen() -> None:
    assert gain(FOUND).split(" → ") == [units.seconds(0.7), units.seconds(0.35)]
    assert gain(replace(FOUND, chosen={})) == gain(Tuning("nothing to try", 0)) == units.ABSENT


def test_a_build_says_nothing_of_tuning_unless_it_was_tuned() -> None:
    assert build().tuning is None
    assert build().tune_s is None
