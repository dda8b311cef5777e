from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from tests.unit.quality.sets import columns, rows

from accelbench.errors import AccelbenchError
from accelbench.model import Metric
from accelbench.quality.accuracy import SPAN_TOKENS, ZERO_SHOT_CLASSES, agreement, decisions, log_loss, score

TOP1, SPAN, AUC, NONE = Metric("top1"), Metric("span"), Metric("auc"), Metric("none")
NAN, INF = math.nan, math.inf
logits = hnp.arrays(np.float32, st.integers(1, 80), elements=st.integers(-3, 3).map(float))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("accuracy")


def top1(folder: Path, values: Any) -> NDArray[Any]:
    return decisions(TOP1, rows(folder, values))["top1"]


def span(folder: Path, start: Any, end: Any) -> tuple[int, int]:
    found = decisions(SPAN, columns(folder, {"s": [start], "e": [end]}))
    return int(found["start"][0]), int(found["end"][0])


def test_top1_takes_the_lowest_of_equal_ones_and_nothing_from_nan(folder: Path) -> None:
    found = top1(folder, [[0, 2, 2], [NAN, 9, 1], [-INF, -INF, 0], [INF, 0, 0]])
    assert found.tolist() == [[1], [-1], [2], [0]]


def test_top1_decides_at_every_position(folder: Path) -> None:
    assert top1(folder, [[[0, 1], [1, 0], [0, 1]]]).tolist() == [[1, 0, 1]]


def test_top1_reads_the_output_that_the_metric_names(folder: Path) -> None:
    both = columns(folder, {"aux": [[1, 0]], "logits": [[0, 1]]})
    assert decisions(Metric("top1", ("logits",)), both)["top1"].tolist() == [[1]]
    assert decisions(TOP1, both)["top1"].tolist() == [[0]]


def test_zero_shot_takes_the_text_in_the_pictures_direction(folder: Path) -> None:
    texts = [[9.0, 0.0], [0.0, 0.1], [-1.0, 1.0], [-1.0, -1.0]]
    images = [[0.1, 3.0], [-2.0, 2.1], [4.0, 0.0], [0.0, 0.0]]
    both = columns(folder, {"texts": texts, "images": images})
    found = decisions(Metric("zero_shot", ("images", "texts")), both)
    assert found["top1"].tolist() == [[1], [2], [0], [-1]]


def test_zero_shot_has_the_classes_of_the_first_hundred_samples(folder: Path) -> None:
    angles = np.arange(ZERO_SHOT_CLASSES + 3)
    texts = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    both = columns(folder, {"images": texts, "texts": texts})
    found = decisions(Metric("zero_shot"), both)["top1"][:, 0]
    assert found[:ZERO_SHOT_CLASSES].tolist() == list(range(ZERO_SHOT_CLASSES))
    assert found.max() < ZERO_SHOT_CLASSES
    decided = {"top1": found[:, None]}
    right = score(Metric("zero_shot"), decided, np.concatenate([np.arange(100), [0, 0, 0]]))
    assert right is not None
    assert (right.name, right.value) == ("zero_shot", 100 / 103)


def test_zero_shot_needs_two_outputs_and_numbers(folder: Path) -> None:
    broken = columns(folder, {"images": [[1.0, 0.0]] * 2, "texts": [[1.0, 0.0], [NAN, 1.0]]})
    assert decisions(Metric("zero_shot"), broken)["top1"].tolist() == [[-1], [-1]]
    with pytest.raises(AccelbenchError, match="two outputs, embeddings of pictures and of texts"):
        decisions(Metric("zero_shot", ("images",)), broken)


def test_retrieval_takes_the_nearest_other_sample_by_direction(folder: Path) -> None:
    vectors = [[9.0, 0.0], [0.0, 0.1], [0.1, 9.0], [1.0, 0.2], [-1.0, -1.0], [0.0, 0.0], [NAN, 1.0]]
    found = decisions(Metric("retrieval", ("e",)), columns(folder, {"e": vectors}))
    assert found["nearest"].tolist() == [[3], [2], [1], [0], [0], [-1], [-1]]
    groups = np.array([0, 1, 1, 1, 1, 2, 2])
    right = score(Metric("retrieval"), found, groups)
    assert right is not None
    assert (right.name, right.value, right.samples) == ("retrieval", 2 / 7, 7)
    other = {"nearest": np.where(found["nearest"] == 3, 2, found["nearest"])}
    same = agreement(Metric("retrieval"), other, found)
    assert same is not None
    assert same.value == pytest.approx(4 / 7)


def test_retrieval_among_none_finds_nobody(folder: Path) -> None:
    assert decisions(Metric("retrieval"), columns(folder, {"e": [[1.0, 0.0]]}))["nearest"].tolist() == [[-1]]


def test_top1_scores_with_the_binomial_error() -> None:
    decided = {"top1": np.array([[1], [0], [-1], [2], [2]])}
    found = score(TOP1, decided, np.array([1, 0, -1, 2, 1]))
    assert found is not None
    assert (found.name, found.value, found.samples) == ("top1", 0.6, 5)
    assert found.standard_error == pytest.approx(math.sqrt(0.6 * 0.4 / 5))


def test_agreement_on_nan_is_none() -> None:
    ours, theirs = {"top1": np.array([[1], [-1], [3]])}, {"top1": np.array([[1], [-1], [2]])}
    found = agreement(TOP1, ours, theirs)
    assert found is not None
    assert found.value == pytest.approx(1 / 3)


@pytest.mark.parametrize("batch", [1, 7, 64])
def test_the_batch_makes_no_difference(folder: Path, batch: int) -> None:
    rng = np.random.default_rng(1)
    values = rng.standard_normal((64, 10)).astype(np.float32)
    labels = values.argmax(axis=1) * (np.arange(64) % 3 > 0)
    batches = [values[start : start + batch] for start in range(0, 64, batch)]
    found = score(TOP1, decisions(TOP1, rows(folder, (row for part in batches for row in part))), labels)
    assert found == score(TOP1, {"top1": values.argmax(axis=1)[:, None]}, labels)


@given(st.lists(st.tuples(logits, logits), min_size=1, max_size=2))
def test_the_span_is_the_best_of_all_allowed(folder: Path, samples: list[tuple[NDArray[Any], NDArray[Any]]]) -> None:
    for start, end in samples:
        n = min(len(start), len(end))
        allowed = [(i, j) for i in range(n) for j in range(i, min(n, i + SPAN_TOKENS))]
        best = max(allowed, key=lambda ij: (start[ij[0]] + end[ij[1]], -ij[0], -ij[1]))
        assert span(folder, start[:n], end[:n]) == best


def test_spans_never_run_backwards_or_too_far(folder: Path) -> None:
    start, end = np.zeros(50), np.zeros(50)
    start[10], end[5] = 9, 8
    assert span(folder, start, end) == (10, 10)
    start[:], end[:] = 0, 0
    start[0], end[SPAN_TOKENS] = 9, 9
    assert span(folder, start, end) == (0, 0)
    end[SPAN_TOKENS - 1] = 1
    assert span(folder, start, end) == (0, SPAN_TOKENS - 1)


def test_masks_are_allowed_in_a_span_nan_is_not(folder: Path) -> None:
    assert span(folder, [-INF, 1, 0], [-INF, -INF, 0]) == (1, 2)
    assert span(folder, [NAN, 1, 0], [0, 0, 0]) == (-1, -1)
    assert span(folder, [0, 1, 0], [0, INF, 0]) == (-1, -1)


def test_span_agreement_needs_both_ends() -> None:
    ours = {"start": np.array([1, 2, -1]), "end": np.array([3, 4, -1])}
    theirs = {"start": np.array([1, 2, -1]), "end": np.array([3, 5, -1])}
    found = agreement(SPAN, ours, theirs)
    assert found is not None
    # Both ends of the first, one of the second, none of the third: half of the ends, but one span of three.
    assert found.name == "span"
    assert found.value == pytest.approx(1 / 3)


def test_auc_reads_one_score_or_the_second_class(folder: Path) -> None:
    assert decisions(AUC, rows(folder, [[0.25], [0.5]]))["score"].tolist() == [0.25, 0.5]
    assert decisions(AUC, rows(folder, [0.25, 0.5]))["score"].tolist() == [0.25, 0.5]
    assert decisions(AUC, rows(folder, [[0.75, 0.25]]))["score"].tolist() == [0.25]
    with pytest.raises(AccelbenchError, match="one score or two"):
        decisions(AUC, rows(folder, [[1, 2, 3]]))


def test_auc_scores_and_agrees() -> None:
    decided = {"score": np.array([0.1, 0.4, 0.35, 0.8])}
    found = score(AUC, decided, np.array([0, 0, 1, 1]))
    assert found is not None
    assert (found.name, found.value, found.samples) == ("auc", 0.75, 4)
    assert found.standard_error is not None
    assert found.standard_error > 0
    assert score(AUC, decided, np.ones(4)) is None
    order = agreement(AUC, decided, {"score": np.array([1.0, 2.0, 3.0, 4.0])})
    assert order is not None
    assert (order.name, order.standard_error) == ("order", None)
    assert order.value == pytest.approx(5 / 6)
    assert agreement(AUC, decided, {"score": np.ones(4)}) is None


def test_log_loss() -> None:
    labels = np.array([1, 0])
    found = log_loss(np.array([0.8, 0.4]), labels)
    assert found.value == pytest.approx(-(math.log(0.8) + math.log(0.6)) / 2)
    assert log_loss(np.array([1.0, 0.0]), labels).value == 0.0
    assert log_loss(np.array([0.0, 0.0]), labels).value == INF
    assert math.isnan(log_loss(np.array([NAN, 0.0]), labels).value)
    with pytest.raises(AccelbenchError, match="probabilities"):
        log_loss(np.array([1.5, 0.0]), labels)


def test_the_metric_none_claims_nothing(folder: Path) -> None:
    assert decisions(NONE, rows(folder, [[1, 2]])) == {}
    assert score(NONE, {}, np.array([1])) is None
    assert agreement(NONE, {}, {}) is None


def test_what_does_not_fit_is_an_error(folder: Path) -> None:
    with pytest.raises(AccelbenchError, match="reads output nope; there is y"):
        decisions(Metric("top1", ("nope",)), rows(folder, [[1, 2]]))
    with pytest.raises(AccelbenchError, match="same shape of y"):
        decisions(TOP1, rows(folder, [[[1, 2]], [[1, 2], [3, 4]]]))
    with pytest.raises(AccelbenchError, match="two outputs"):
        decisions(SPAN, rows(folder, [[1, 2]]))
    with pytest.raises(AccelbenchError, match=r"decisions \[2, 1\], labels \[3, 1\]"):
        score(TOP1, {"top1": np.array([[1], [2]])}, np.array([1, 2, 3]))
