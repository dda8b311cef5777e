"""The rule of SQuAD: its steps, and golden scores by the official script."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelbench.metrics.squad import exact_match, f1, normalise, percentage, score

SQUAD = Path(__file__).parents[3] / ".." / "shared" / "data" / "squad"
golden = pytest.mark.skipif(not SQUAD.is_dir(), reason="the SQuAD data of ../shared/data/squad are not here")


def test_normalising() -> None:
    assert normalise("  The  Panthers' an A-team, the end. ") == "panthers ateam end"
    assert normalise("another theory") == "another theory"
    assert normalise("the") == ""
    assert normalise("“Été” ") == "“été”", "only ASCII punctuation goes"


def test_the_best_of_several_truths_counts() -> None:
    assert exact_match("Denver Broncos.", ["Carolina", "the denver broncos"]) == 1.0
    assert exact_match("Denver", ["Denver Broncos"]) == 0.0
    assert f1("Denver won", ["Denver Broncos", "Carolina"]) == pytest.approx(0.5)
    assert f1("Denver Denver", ["Denver Broncos Denver"]) == pytest.approx(0.8), "words are a bag"
    assert f1("", ["Denver"]) == 0.0
    assert f1("the", ["a"]) == 0.0, "two empty answers share no word"


@given(st.text(), st.text())
def test_an_exact_match_has_an_f1_of_one_unless_it_is_empty(answer: str, truth: str) -> None:
    assert 0.0 <= f1(answer, [truth]) <= 1.0
    assert f1(answer, [answer]) == (1.0 if normalise(answer) else 0.0)
    if exact_match(answer, [truth]) and normalise(truth):
        assert f1(answer, [truth]) == 1.0


def test_a_score_is_a_fraction_with_the_error_of_its_mean() -> None:
    found = score("f1", [1.0, 0.0, 1.0, 1.0])
    assert (found.name, found.value, found.samples) == ("f1", 0.75, 4)
    assert found.standard_error == pytest.approx((0.75 * 0.25 / 4) ** 0.5)


def golden_sets() -> list[Any]:
    if not SQUAD.is_dir():
        return []
    sets = json.loads((SQUAD / "golden-scores.json").read_text(encoding="utf-8"))["sets"]
    assert len(sets) == 20
    return list(sets)


@golden
def test_golden_scores_to_the_last_digit() -> None:
    data = json.loads((SQUAD / "dev-v1.1-super-bowl-50.json").read_text(encoding="utf-8"))["data"]
    truths = {
        question["id"]: [answer["text"] for answer in question["answers"]]
        for article in data
        for paragraph in article["paragraphs"]
        for question in paragraph["qas"]
    }
    for expected in golden_sets():
        answers = expected["predictions"].items()
        exact = [exact_match(answer, truths[name]) for name, answer in answers]
        overlap = [f1(answer, truths[name]) for name, answer in answers]
        assert percentage(exact) == expected["exact_match"]
        assert percentage(overlap) == expected["f1"]
        assert score("f1", overlap).value == expected["f1"] / 100
