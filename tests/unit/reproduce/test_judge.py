from __future__ import annotations

import math
import random
from collections.abc import Sequence

import pytest

from accelbench.figures.figures import UNITS, Figure
from accelbench.model import Judged
from accelbench.reproduce.judge import LOOKS, MARGINS, TIMED, Key, judged

PLANS = (0, 1)


def draw(chance: random.Random, scatter: float, shift: float = 0.0) -> list[Figure]:
    """The timed figures of one run: each scatters on its own."""
    return [
        Figure(name, 20.0 * math.exp(chance.gauss(shift, scatter)), measurement=plan)
        for name in ("latency_p50_s", "throughput")
        for plan in PLANS
    ]


def keyed(figures: Sequence[Figure]) -> dict[Key, Figure]:
    return {(figure.name, figure.measurement): figure for figure in figures}


def decided(chance: random.Random, scatter: float, shift: float = 0.0) -> tuple[Judged, ...]:
    """As ``reproduce`` goes about it: more runs while a figure is ambiguous."""
    first, runs = draw(chance, scatter), [keyed(draw(chance, scatter, shift)) for _ in range(LOOKS[-1])]
    for count in LOOKS:
        found = judged(first, runs[:count])
        if all(each.outcome != "ambiguous" for each in found):
            break
    return found


@pytest.mark.parametrize("scatter", [0.002, 0.01, 0.03])
def test_equal_runs_are_hardly_ever_called_not_reproduced(scatter: float) -> None:
    chance = random.Random(7)
    wrong = sum(any(each.outcome == "not_reproduced" for each in decided(chance, scatter)) for _ in range(300))
    assert wrong <= 0.05 * 300


def test_quiet_runs_are_reproduced_and_slower_ones_are_not() -> None:
    chance = random.Random(8)
    equal = [each.outcome for _ in range(200) for each in decided(chance, 0.005)]
    assert equal.count("reproduced") > 0.97 * len(equal)
    slowed = [each.outcome for _ in range(200) for each in decided(chance, 0.005, shift=math.log(1.1))]
    assert slowed.count("not_reproduced") > 0.95 * len(slowed)
    assert "reproduced" not in slowed


def test_loud_runs_are_ambiguous_and_hardly_ever_pass_for_reproduced() -> None:
    chance = random.Random(9)
    found = [each.outcome for _ in range(100) for each in decided(chance, 0.05, shift=math.log(1.1))]
    assert found.count("reproduced") <= 0.01 * len(found)
    assert found.count("ambiguous") > 0.8 * len(found)


def test_one_run_again_decides_nothing_about_times() -> None:
    first = [Figure("latency_p50_s", 1.0, 0.999, 1.001, 0)]
    (found,) = judged(first, [keyed(first)])
    assert (found.outcome, found.ratio, found.low) == ("ambiguous", 1.0, None)
    assert found.reasons == ("one run again does not tell how runs scatter",)


def test_the_first_runs_own_interval_counts() -> None:
    runs = [keyed([Figure("latency_p50_s", 1.0 + 1e-5 * step, measurement=0)]) for step in range(7)]
    (sharp,) = judged([Figure("latency_p50_s", 1.0, 0.999, 1.001, 0)], runs)
    (vague,) = judged([Figure("latency_p50_s", 1.0, 0.8, 1.2, 0)], runs)
    assert (sharp.outcome, vague.outcome) == ("reproduced", "ambiguous")


def test_runs_that_are_not_valid_are_left_out_where_others_remain() -> None:
    first = [Figure("latency_p50_s", 1.0, measurement=0)]
    runs = [keyed([Figure("latency_p50_s", 1.0 + 1e-4 * step, measurement=0)]) for step in range(3)]
    disturbed = keyed([Figure("latency_p50_s", 2.0, measurement=0, against=("interpreter held",))])
    (found,) = judged(first, [*runs, disturbed])
    assert (found.outcome, len(found.again)) == ("reproduced", 4)
    assert found.reasons == ("1 of 4 runs are left out: their passes are not valid",)
    (found,) = judged(first, [disturbed, disturbed, runs[0]])
    assert found.ratio is not None
    assert found.ratio > 1.2


def test_a_first_pass_that_is_not_valid_is_not_held_against_its_report() -> None:
    runs = [keyed([Figure("latency_p50_s", 1.0 + 1e-4 * step, measurement=0)]) for step in range(3)]
    (slow,) = judged([Figure("latency_p50_s", 1.5, measurement=0, against=("instability",))], runs)
    assert (slow.outcome, slow.reasons) == ("ambiguous", ("the first run's pass is not valid: instability",))
    (same,) = judged([Figure("latency_p50_s", 1.0, measurement=0, against=("instability",))], runs)
    assert same.outcome == "reproduced"


def test_on_another_machine_times_are_not_compared_but_accuracy_is() -> None:
    first = [Figure("latency_p50_s", 1.0, measurement=0), Figure("accuracy", 0.9)]
    times, accuracy = judged(first, [keyed(first)] * 3, elsewhere=("cpu: A, here B",))
    assert (times.outcome, times.reasons) == ("not_comparable", ("cpu: A, here B",))
    assert accuracy.outcome == "reproduced"


@pytest.mark.parametrize(
    ("name", "first", "again", "outcome"),
    [
        ("accuracy", 0.90, 0.90, "reproduced"),
        ("accuracy", 0.90, 0.85, "not_reproduced"),
        ("accuracy", 0.0, 0.0, "reproduced"),
        ("accuracy", 0.0, 0.1, "not_reproduced"),
        ("relative_l2", 2e-2, 2.05e-2, "reproduced"),
        ("relative_l2", 2e-2, 3e-2, "not_reproduced"),
        ("relative_l2", 2e-7, 6e-7, "reproduced"),
        ("relative_l2", 2e-7, 2e-2, "not_reproduced"),
        ("sqnr_db", 34.0, 34.2, "reproduced"),
        ("sqnr_db", 34.0, 33.0, "not_reproduced"),
        ("sqnr_db", 134.0, 128.0, "reproduced"),
        ("size_bytes", 1000.0, 1031.0, "not_reproduced"),
    ],
)
def test_what_does_not_scatter_must_come_out_in_every_run(name: str, first: float, again: float, outcome: str) -> None:
    runs = [keyed([Figure(name, value)]) for value in (first, again, first)]
    (found,) = judged([Figure(name, first)], runs)
    assert found.outcome == outcome


def test_a_figure_that_a_run_did_not_give_is_not_reproduced() -> None:
    first = [Figure("accuracy", 0.9)]
    (never,) = judged(first, [{}, {}, {}])
    (once,) = judged(first, [keyed(first), keyed(first), {}])
    assert never.outcome == once.outcome == "not_reproduced"
    assert once.reasons == ("1 of 3 runs did not give this figure",)


def test_a_margin_that_is_asked_for_replaces_all() -> None:
    first = [Figure("accuracy", 0.9)]
    (found,) = judged(first, [{("accuracy", None): Figure("accuracy", 0.84)}], margin=0.1)
    assert (found.outcome, found.margin) == ("reproduced", 0.1)


def test_figures_without_a_margin_are_not_judged() -> None:
    assert judged([Figure("compile_s", 2.0)], [{}]) == ()
    assert MARGINS.keys() <= UNITS.keys()
    assert MARGINS.keys() >= TIMED


def test_figures_of_one_pace_are_not_blamed_for_the_scatter_of_others() -> None:
    first = [Figure("latency_p50_s", 1.0, measurement=plan) for plan in PLANS]
    runs = [
        keyed(
            [Figure("latency_p50_s", 1.0 + 1e-4 * step, measurement=0), Figure("latency_p50_s", value, measurement=1)]
        )
        for step, value in enumerate((1.0, 1.5, 0.7))
    ]
    together = judged(first, runs)
    apart = judged(first, runs, at_pace={("latency_p50_s", 0)})
    assert [each.outcome for each in together] == ["ambiguous", "ambiguous"]
    assert [each.outcome for each in apart] == ["reproduced", "ambiguous"]
