"""From a detector's predictions to boxes, and what they are worth."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.unit.quality.sets import rows

from accelbench.errors import AccelbenchError
from accelbench.metrics.average_precision import overlaps
from accelbench.metrics.detection import CERTAIN, KEPT, OVERLAP, agreement, detections, score
from accelbench.model import Metric
from accelbench.quality import accuracy

CLASSES = 3


def predicted(*boxes: tuple[float, ...]) -> NDArray[Any]:
    """Predictions of boxes given as centre, size, objectness and the probability of each class."""
    return np.array(boxes, np.float32)


def detect(predictions: NDArray[Any]) -> NDArray[Any]:
    found = detections({"p": predictions}, ("p",))
    assert found.shape == (KEPT, 6)
    assert found.dtype == np.dtype("float32")
    real = found[~np.isnan(found).any(axis=1)]
    assert np.array_equal(found[: len(real)], real)
    assert np.isnan(found[len(real) :]).all()
    return real


def random_predictions(seed: int, boxes: int = 400, classes: int = CLASSES) -> NDArray[Any]:
    rng = np.random.default_rng(seed)
    centres, sizes = rng.uniform(0, 200, (boxes, 2)), rng.uniform(20, 80, (boxes, 2))
    return np.column_stack([centres, sizes, rng.random((boxes, 1 + classes)) ** 3]).astype(np.float32)


def test_a_box_is_decoded_and_scored() -> None:
    found = detect(predicted((50, 40, 20, 10, 0.5, 0.0, 0.8, 0.0)))
    assert found.tolist() == [[40, 35, 60, 45, pytest.approx(0.4), 1]]


def test_every_class_of_a_box_counts_and_suppresses_its_own_only() -> None:
    found = detect(predicted((50, 40, 20, 10, 1, 0.5, 0.9, 0.0), (51, 40, 20, 10, 1, 0.6, 0.8, 0.0)))
    assert [(row[0], round(float(row[4]), 4), row[5]) for row in found.tolist()] == [(40, 0.9, 1), (41, 0.6, 0)]


def test_what_overlaps_less_stays() -> None:
    near = predicted((50, 50, 20, 20, 1, 0.9, 0, 0), (50, 50, 20, 12.1, 1, 0.8, 0, 0), (50, 50, 20, 11.9, 1, 0.7, 0, 0))
    assert detect(near)[:, 4].tolist() == pytest.approx([0.9, 0.7])


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_box_that_is_not_finite_is_none(bad: float) -> None:
    assert not len(
        detect(predicted((bad, 0, 5, 5, 1, 1, 0, 0), (0, 0, 5, bad, 1, 1, 0, 0), (0, 0, 5, 5, bad, 0, 0, 0)))
    )
    assert not len(detect(predicted((9, 9, 0, 5, 1, 1, 0, 0), (9, 9, 5, -5, 1, 1, 0, 0))))
    assert not len(detect(predicted((9, 9, 5, 5, 0.01, 0.05, 0, 0))))


@settings(max_examples=30)
@given(st.integers(0, 2**32))
def test_kept_boxes_overlap_little_and_every_other_one_much(seed: int) -> None:
    predictions = random_predictions(seed)
    found = detect(predictions)
    assert (np.diff(found[:, 4]) <= 0).all()
    for which in range(CLASSES):
        kept = found[found[:, 5] == which]
        overlap = overlaps(kept, kept)
        np.fill_diagonal(overlap, 0)
        assert (overlap <= OVERLAP).all()
        scores = predictions[:, 4] * predictions[:, 5 + which]
        half = predictions[:, 2:4] / 2
        boxes = np.column_stack([predictions[:, :2] - half, predictions[:, :2] + half, scores])
        for box in boxes[scores > max(0.001, found[-1, 4] if len(found) == KEPT else 0)]:
            better = kept[kept[:, 4] >= box[4]]
            itself = (better[:, :4] == box[:4]).all(axis=1)
            assert itself.any() or (overlaps(box[None], better) > OVERLAP).any()


def test_three_hundred_at_most() -> None:
    assert len(detect(random_predictions(1, 3000, 10))) == KEPT


def test_another_shape_is_an_error() -> None:
    with pytest.raises(AccelbenchError, match=r"needs p as \[boxes, 5 \+ classes\], got \[4, 5\]"):
        detections({"p": np.zeros((4, 5))}, ("p",))


def decided(*seeds: int, noise: float = 0.0) -> dict[str, NDArray[Any]]:
    rng = np.random.default_rng(5)
    found = [random_predictions(seed) for seed in seeds]
    for each in found:
        each[:, :4] += noise * rng.standard_normal((len(each), 4)).astype(np.float32)
        each[:, 4:] *= 1 - noise * rng.uniform(0, 0.1, each[:, 4:].shape)
    return {"detections": np.stack([detections({"p": each}, ("p",)) for each in found])}


def test_detections_agree_with_themselves_and_less_when_they_move() -> None:
    reference = decided(1, 2, 3, 4)
    values = []
    for noise in (0.0, 0.3, 3.0):
        found = agreement(decided(1, 2, 3, 4, noise=noise), reference)
        assert found is not None
        assert (found.name, found.samples) == ("mAP@0.5", 4)
        assert found.standard_error is not None
        values.append(found.value)
    assert values[0] == 1.0
    assert values[0] > values[1] > values[2] > 0.3
    other = agreement(decided(5, 6, 7, 8), reference)
    assert other is not None
    assert other.value < 0.3


def test_only_certain_detections_have_to_be_found() -> None:
    reference = decided(1)
    table = reference["detections"].copy()
    assert (table[0, :, 4] < CERTAIN).any()
    table[0, table[0, :, 4] < CERTAIN] = np.nan
    found = agreement({"detections": table}, reference)
    assert found is not None
    assert found.value == 1.0


def test_a_reference_without_detections_has_no_agreement() -> None:
    assert agreement(decided(1), {"detections": np.full((1, KEPT, 6), np.nan)}) is None


def test_nothing_detected_is_nothing_right() -> None:
    found = agreement({"detections": np.full((1, KEPT, 6), np.nan)}, decided(1))
    assert found is not None
    assert found.value == 0.0


def test_labels_score() -> None:
    ours = decided(1, 2)
    labels = np.full((2, 31, 7), np.nan)
    labels[:, :30] = 0
    labels[:, :30, :4], labels[:, :30, 4] = ours["detections"][:, :30, :4], ours["detections"][:, :30, 5]
    found = score(ours, labels)
    assert found is not None
    assert (found.name, found.value, found.samples) == ("mAP@[.5:.95]", 1.0, 2)
    labels[0, :30, :2] -= 4
    moved = score(ours, labels)
    assert moved is not None
    assert 0.3 < moved.value < 0.9
    with pytest.raises(AccelbenchError, match=r"\[pictures, objects, 7\], got 2 pictures, labels \[2, 31, 6\]"):
        score(ours, labels[..., :6])
    assert score(ours, np.full((2, 1, 7), np.nan)) is None


def test_as_a_metric(tmp_path: Path) -> None:
    metric = Metric("detections", ("p",))
    outputs = rows(tmp_path, [random_predictions(1), random_predictions(2)], name="p")
    found = accuracy.decisions(metric, outputs)
    assert found["detections"].shape == (2, KEPT, 6)
    same = accuracy.agreement(metric, found, decided(1, 2))
    assert same is not None
    assert same.value == 1.0
    assert accuracy.score(metric, found, np.full((2, 1, 7), np.nan)) is None
