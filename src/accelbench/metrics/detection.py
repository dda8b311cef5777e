"""From a detector's decoded predictions to detections, and from detections to accuracy and agreement.

The postprocessing is the one that YOLOv5's accuracy is published with: every class of a box counts, confidence 0.001,
suppression class by class at an overlap of 0.6, at most 300 detections.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from accelbench.errors import AccelbenchError
from accelbench.metrics.average_precision import (
    DETECTION,
    THRESHOLDS,
    TRUTH,
    areas,
    bootstrap_error,
    match,
    mean_average_precision,
    overlaps,
)
from accelbench.model import Score
from accelbench.tensors import Array, Record

CONFIDENCE = 0.001
OVERLAP = 0.6
KEPT = 300
CANDIDATES = 30_000
"""Boxes with the best scores that suppression looks at."""

CERTAIN = 0.25
"""The confidence that detectors are deployed with: the reference's detections above it are what a stack has to find."""

AGREEMENT = (0.5,)


def detections(record: Record, names: tuple[str, ...]) -> Array:
    """One picture's detections, best first: float32 [300, 6] of x1, y1, x2, y2, score, class; NaN where there are
    fewer.

    Reads predictions [boxes, 5 + classes]: centre x, centre y, width, height, objectness, probabilities of classes.
    A box that is not finite or has no area is no detection. Raises AccelbenchError for another shape.
    """
    values = record[names[0]].astype(np.float32)
    if values.ndim != 2 or values.shape[1] < 6:
        raise AccelbenchError(f"metric detections needs {names[0]} as [boxes, 5 + classes], got {list(values.shape)}")
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite goes below
        scores = values[:, 4:5] * values[:, 5:]
        places = np.flatnonzero(scores > CONFIDENCE)
        places = places[np.argsort(-scores.flat[places], kind="stable")[:CANDIDATES]]
        boxes, classes = np.divmod(places, scores.shape[1])
        half = values[boxes, 2:4] / 2
        found = np.column_stack([
            values[boxes, :2] - half, values[boxes, :2] + half, scores.flat[places], classes.astype(np.float32),
        ])  # fmt: skip
        found = found[np.isfinite(found).all(axis=1) & (areas(found) > 0)]
    kept = suppressed(found)
    table = np.full((KEPT, DETECTION), np.nan, np.float32)
    table[: len(kept)] = kept
    return table


def suppressed(found: Array) -> Array:
    """Of rows [n, 6], best first, those that overlap no better one of their class by more than ``OVERLAP``: at most
    ``KEPT``."""
    groups = {each: np.flatnonzero(found[:, 5] == each) for each in np.unique(found[:, 5])}
    alive = np.ones(len(found), np.bool_)
    kept: list[int] = []
    for row, (*_, which) in enumerate(found):
        if alive[row]:
            kept.append(row)
            group = groups[which]
            alive[group[overlaps(found[row : row + 1], found[group])[0] > OVERLAP]] = False
        if len(kept) == KEPT:
            break
    return found[kept]


def score(decided: Mapping[str, Array], labels: Array, thresholds: Sequence[float] = THRESHOLDS) -> Score | None:
    """COCO's mean average precision against ``labels`` [n, m, 7], rows of ``average_precision.TRUTH`` columns with NaN
    where a picture has fewer: mAP@[.5:.95], or over the overlaps that are given. None where there is no object to be
    found. Raises AccelbenchError where the labels do not fit.
    """
    found = decided["detections"]
    if labels.ndim != 3 or labels.shape[2] != TRUTH or len(labels) != len(found):
        got = f"{len(found)} pictures, labels {list(labels.shape)}"
        raise AccelbenchError(f"metric detections needs labels [pictures, objects, {TRUTH}], got {got}")
    return _score(found, _rows(labels), thresholds)


def agreement(decided: Mapping[str, Array], reference: Mapping[str, Array]) -> Score | None:
    """mAP@0.5 of the detections, the reference's with a score of at least ``CERTAIN`` being the truth. None where the
    reference detects nothing."""
    truths = [_truths(rows[rows[:, 4] >= CERTAIN]) for rows in _rows(reference["detections"])]
    return _score(decided["detections"], truths, AGREEMENT)


def _rows(table: Array) -> list[Array]:
    """The rows of each picture, without padding."""
    return [rows[~np.isnan(rows).any(axis=1)].astype(np.float64) for rows in table]


def _truths(found: Array) -> Array:
    truth = np.zeros((len(found), TRUTH))
    truth[:, :4], truth[:, 4], truth[:, 6] = found[:, :4], found[:, 5], areas(found)
    return truth


def _score(found: Array, truths: Sequence[Array], thresholds: Sequence[float]) -> Score | None:
    matches = match(_rows(found), truths, thresholds)
    value = mean_average_precision(matches)
    name = f"mAP@{thresholds[0]:g}" if len(thresholds) == 1 else "mAP@[.5:.95]"
    return None if value is None else Score(name, value, bootstrap_error(matches, len(truths)), len(truths))
