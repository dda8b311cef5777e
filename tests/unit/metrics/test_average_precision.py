"""Average precision equals COCO's own code, with crowds, areas and ties of all kinds."""

from __future__ import annotations

import contextlib
import io
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from accelbench.metrics.average_precision import (
    EVERY_AREA,
    LARGE,
    MEDIUM,
    SMALL,
    bootstrap_error,
    match,
    mean_average_precision,
    overlaps,
)

AREAS = (EVERY_AREA, SMALL, MEDIUM, LARGE)
Rows = list[NDArray[Any]]


def scene(rng: np.random.Generator, side: int, pictures: int, classes: int, count: int) -> tuple[Rows, Rows]:
    """Truths with crowds, and detections near them and elsewhere, on a grid of integers, with ties of scores."""
    detections, truths = [], []
    for _ in range(pictures):
        m, k = int(rng.integers(0, 6)), int(rng.integers(0, count))
        corner, size = rng.integers(0, side, (m, 2)), rng.integers(1, side, (m, 2))
        truth = np.column_stack([
            corner, corner + size, rng.integers(0, classes, m), rng.random(m) < 0.2,
            size.prod(axis=1) * rng.uniform(0.3, 1.0, m),
        ]).astype(float)  # fmt: skip
        near = truth[rng.integers(0, m, k)] if m else np.zeros((k, 7))
        boxes = near[:, :4] + rng.integers(-3, 4, (k, 4))
        boxes[:, 2:] = np.maximum(boxes[:, 2:], boxes[:, :2] + 1)
        which = np.where(rng.random(k) < 0.9, near[:, 4], rng.integers(0, classes + 1, k))
        detections.append(np.column_stack([boxes, rng.integers(1, 20, k) / 20, which]))
        truths.append(truth)
    return detections, truths


def theirs(detections: Rows, truths: Rows, classes: int) -> NDArray[Any]:
    """COCO's precisions [thresholds, recalls, classes, areas]; -1 where there is nothing to be found."""
    annotations: list[dict[str, Any]] = []
    for picture, truth in enumerate(truths):
        for x1, y1, x2, y2, which, crowd, area in truth.tolist():
            box = {"bbox": [x1, y1, x2 - x1, y2 - y1], "area": area, "iscrowd": int(crowd)}
            annotations.append({"id": len(annotations) + 1, "image_id": picture, "category_id": int(which), **box})
    found = [
        {"image_id": picture, "category_id": int(which), "bbox": [x1, y1, x2 - x1, y2 - y1], "score": score}
        for picture, rows in enumerate(detections)
        for x1, y1, x2, y2, score, which in rows.tolist()
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "info": {},
            "images": [{"id": picture} for picture in range(len(truths))],
            "categories": [{"id": each} for each in range(classes)],
            "annotations": annotations,
        }
        coco.createIndex()
        judged = COCOeval(coco, coco.loadRes(found), "bbox")
        judged.evaluate()
        judged.accumulate()
    precision: NDArray[Any] = judged.eval["precision"][:, :, :, :, 2]
    return precision


def expected(precision: NDArray[Any]) -> float | None:
    known = precision[precision > -1]
    return float(known.mean()) if known.size else None


@given(st.integers(0, 2**32), st.sampled_from([8, 40, 150]), st.integers(1, 6), st.integers(1, 3))
def test_equals_cocos_own_code(seed: int, side: int, pictures: int, classes: int) -> None:
    detections, truths = scene(np.random.default_rng(seed), side, pictures, classes, 40)
    if not sum(map(len, detections)):
        return
    precision = theirs(detections, truths, classes)
    for index, area in enumerate(AREAS):
        wanted = expected(precision[..., index])
        found = mean_average_precision(match(detections, truths, area=area))
        assert found == (None if wanted is None else pytest.approx(wanted, abs=1e-9))
    at_half = mean_average_precision(match(detections, truths, (0.5,)))
    wanted = expected(precision[:1, ..., 0])
    assert at_half == (None if wanted is None else pytest.approx(wanted, abs=1e-9))


def test_a_hundred_detections_of_a_class_count() -> None:
    detections, truths = scene(np.random.default_rng(7), 60, 3, 1, 40)
    detections[0] = np.repeat(detections[0], 8, axis=0)
    assert len(detections[0]) > 100
    wanted = expected(theirs(detections, truths, 1)[..., 0])
    assert mean_average_precision(match(detections, truths)) == pytest.approx(wanted, abs=1e-9)


def row(*values: float) -> NDArray[Any]:
    return np.array([values], float)


TRUTH = row(0, 0, 10, 10, 0, 0, 100)


@pytest.mark.parametrize(
    ("detection", "value"),
    [
        (row(0, 0, 10, 10, 0.9, 0), 1.0),
        (row(0, 0, 10, 10, 0.9, 1), 0.0),
        (row(0, 0, 10, 5, 0.9, 0), 0.1),  # an overlap of one half reaches one threshold of ten
        (row(0, 0, 10, 4.99, 0.9, 0), 0.0),
        (np.empty((0, 6)), 0.0),
    ],
)
def test_one_detection_of_one_truth(detection: NDArray[Any], value: float) -> None:
    assert mean_average_precision(match([detection], [TRUTH])) == pytest.approx(value)


def test_detections_in_a_crowd_do_no_harm() -> None:
    crowd = np.concatenate([TRUTH, row(100, 0, 200, 100, 0, 1, 5000)])
    inside = np.array([[110, 10, 120, 20, 0.99, 0], [150, 10, 160, 20, 0.98, 0], [0, 0, 10, 10, 0.5, 0]])
    assert mean_average_precision(match([inside], [crowd])) == 1.0
    assert mean_average_precision(match([inside], [TRUTH])) == pytest.approx(1 / 3)


def test_nothing_to_find_is_no_score() -> None:
    empty = np.empty((0, 7))
    assert mean_average_precision(match([row(0, 0, 9, 9, 1, 0)], [empty])) is None
    assert mean_average_precision(match([], [])) is None
    assert mean_average_precision(match([row(0, 0, 9, 9, 1, 0)], [row(0, 0, 9, 9, 0, 1, 81)])) is None


def test_a_picture_that_counts_twice_is_there_twice() -> None:
    detections, truths = scene(np.random.default_rng(3), 40, 6, 2, 20)
    times = [2, 0, 1, 3, 0, 1]
    twice = [each for each, n in zip(detections, times, strict=True) for _ in range(n)]
    truths_twice = [each for each, n in zip(truths, times, strict=True) for _ in range(n)]
    weighted = mean_average_precision(match(detections, truths), np.array(times))
    assert weighted == pytest.approx(mean_average_precision(match(twice, truths_twice)), abs=0.02)  # ties reorder


def test_the_error_is_that_of_a_mean_over_pictures() -> None:
    """Pictures that are right or wrong as a whole, one truth each: AP is near the share of right ones."""
    right = np.arange(400) % 4 > 0
    detections = [row(0, 0, 10, 10, 0.5, 0) if each else np.empty((0, 6)) for each in right]
    matches = match(detections, [TRUTH] * 400)
    found = bootstrap_error(matches, 400)
    assert found == bootstrap_error(matches, 400)
    assert found == pytest.approx(math.sqrt(0.75 * 0.25 / 400), rel=0.2)
    assert bootstrap_error(match([detections[0]], [TRUTH]), 1) is None


def test_overlaps() -> None:
    boxes = np.array([[0, 0, 2, 2], [5, 5, 6, 6]])
    others = np.array([[1, 0, 3, 2], [2, 0, 4, 2]])
    assert overlaps(boxes, others).tolist() == [[1 / 3, 0], [0, 0]]
    assert overlaps(boxes, others, np.array([True, True])).tolist() == [[0.5, 0], [0, 0]]
