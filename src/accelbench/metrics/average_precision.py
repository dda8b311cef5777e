"""Average precision of detected boxes by the rules of COCO (Lin et al. 2014, arXiv:1405.0312, and its evaluation code).

A detection is a row of ``DETECTION`` columns: x1, y1, x2, y2, score, class. A truth is a row of ``TRUTH`` columns: x1,
y1, x2, y2, class, crowd (1: the box holds a crowd), area of the object (its segment's, so smaller than its box).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelbench.tensors import Array

DETECTION, TRUTH = 6, 7
SCORE, CLASS_OF_DETECTION, CLASS_OF_TRUTH, CROWD, AREA = 4, 5, 4, 5, 6
THRESHOLDS = tuple(np.linspace(0.5, 0.95, 10).tolist())
"""Overlaps over which COCO's mAP@[.5:.95] is the mean."""

RECALLS = np.linspace(0.0, 1.0, 101)
LIMIT = 100
"""Detections of one class in one picture that count, those with the best scores."""

EVERY_AREA, SMALL, MEDIUM, LARGE = (0.0, 1e10), (0.0, 32.0**2), (32.0**2, 96.0**2), (96.0**2, 1e10)
RESAMPLES = 50

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Matches:
    """Detections of one class over all pictures, best scores first: ``picture`` [d], and ``right`` and ``ignored``
    [thresholds, d]; ``truths`` [pictures] counts those that are to be found."""

    picture: NDArray[np.int64]
    right: Bools
    ignored: Bools
    truths: NDArray[np.int64]


def match(
    detections: Sequence[Array],
    truths: Sequence[Array],
    thresholds: Sequence[float] = THRESHOLDS,
    area: tuple[float, float] = EVERY_AREA,
) -> list[Matches]:
    """Every class that has a truth to be found, its detections paired with truths picture by picture.

    In the order of scores a detection takes the free truth of its class with the largest overlap, if that reaches the
    threshold. Truths that are crowds or whose area lies outside ``area`` need not be found: a detection that has none
    but such a truth is ignored, as is one without truth whose own area lies outside. A crowd is never used up, and its
    overlap is the share of the detection that lies in it.
    """
    found, sought = _stacked(detections, DETECTION), _stacked(truths, TRUTH)
    classes = np.unique(sought[:, CLASS_OF_TRUTH])
    every = [
        _class(
            found[found[:, CLASS_OF_DETECTION] == each],
            sought[sought[:, CLASS_OF_TRUTH] == each],
            len(truths),
            thresholds,
            area,
        )
        for each in classes
    ]
    return [matches for matches in every if matches.truths.any()]


def mean_average_precision(matches: Sequence[Matches], weights: NDArray[np.int64] | None = None) -> float | None:
    """The mean over classes, thresholds and the 101 recalls of the best precision at that recall or a higher one.

    ``weights`` [pictures] says how often a picture counts (None: each once). None without a truth to be found.
    """
    each = [_precisions(one, weights) for one in matches]
    means = [float(precision.mean()) for precision in each if precision is not None]
    return math.fsum(means) / len(means) if means else None


def bootstrap_error(matches: Sequence[Matches], pictures: int) -> float | None:
    """The standard error of ``mean_average_precision``: its deviation over ``RESAMPLES`` draws of as many pictures with
    replacement (Efron 1979), always the same draws. None for one picture."""
    if pictures < 2:
        return None
    words = np.random.Philox(key=pictures).random_raw(RESAMPLES * pictures) % np.uint64(pictures)
    draws = words.astype(np.int64).reshape(RESAMPLES, pictures)
    values = [mean_average_precision(matches, np.bincount(draw, minlength=pictures)) for draw in draws]
    known = [value for value in values if value is not None]
    return float(np.std(known, ddof=1)) if len(known) > 1 else None


def overlaps(boxes: Array, others: Array, crowd: Bools | None = None) -> Floats:
    """Intersection over union of ``boxes`` [d, 4+] with ``others`` [g, 4+], float64 [d, g]; where ``crowd`` [g] is set,
    intersection over the area of the first."""
    a, b = boxes[:, None, :4].astype(np.float64), others[None, :, :4].astype(np.float64)
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    shared = np.clip(sides, 0, None).prod(axis=2)
    own, union = areas(a), areas(a) + areas(b) - shared
    below: Floats = union if crowd is None else np.where(crowd, own, union)
    found: Floats = np.divide(shared, below, out=np.zeros_like(shared), where=shared > 0)
    return found


def areas(boxes: Array) -> Floats:
    """Areas of boxes [..., 4+]."""
    found: Floats = (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
    return found


def _stacked(pictures: Sequence[Array], columns: int) -> Floats:
    """The rows of all pictures, with the picture's index as the last column."""
    rows = [np.column_stack([rows, np.full(len(rows), index)]) for index, rows in enumerate(pictures)]
    return np.concatenate([*rows, np.empty((0, columns + 1))])


def _class(
    found: Floats, sought: Floats, pictures: int, thresholds: Sequence[float], area: tuple[float, float]
) -> Matches:
    """``found`` and ``sought`` are the detections and truths of one class, as ``_stacked`` gives them."""
    found = found[np.lexsort((-found[:, SCORE], found[:, DETECTION]))]
    found = found[np.arange(len(found)) - np.searchsorted(found[:, DETECTION], found[:, DETECTION]) < LIMIT]
    optional = (sought[:, CROWD] == 1) | (sought[:, AREA] < area[0]) | (sought[:, AREA] > area[1])
    taken = np.zeros((len(thresholds), len(found)), np.int8)
    for picture in np.unique(sought[:, TRUTH]):
        start, end = np.searchsorted(found[:, DETECTION], [picture, picture + 1])
        here = sought[:, TRUTH] == picture
        taken[:, start:end] = _pairs(found[start:end], sought[here], optional[here], thresholds)
    beyond = (areas(found) < area[0]) | (areas(found) > area[1])
    order = np.argsort(-found[:, SCORE], kind="stable")
    return Matches(
        picture=found[order, DETECTION].astype(np.int64),
        right=(taken == 1)[:, order],
        ignored=((taken == 2) | ((taken == 0) & beyond))[:, order],
        truths=np.bincount(sought[~optional, TRUTH].astype(np.int64), minlength=pictures),
    )


def _pairs(ours: Floats, theirs: Floats, optional: Bools, thresholds: Sequence[float]) -> NDArray[np.int8]:
    """What each detection took, int8 [thresholds, d]: 0 nothing, 1 a truth to be found, 2 an optional one."""
    taken = np.zeros((len(thresholds), len(ours)), np.int8)
    if not len(ours) or not len(theirs):
        return taken
    crowd = theirs[:, CROWD] == 1
    overlap = overlaps(ours, theirs, crowd)
    least = [min(each, 1 - 1e-10) for each in thresholds]
    free = [[True] * len(theirs) for _ in thresholds]
    for detection in np.flatnonzero(overlap.max(axis=1) >= min(least)):
        shares = overlap[detection].tolist()
        near = np.flatnonzero(overlap[detection] >= min(least)).tolist()
        # Of equal ones the last, as in COCO's code.
        near.sort(key=lambda truth: (optional[truth], -shares[truth], -truth))
        for row, threshold in enumerate(least):
            best = next((truth for truth in near if shares[truth] >= threshold and free[row][truth]), None)
            if best is not None:
                taken[row, detection] = 2 if optional[best] else 1
                free[row][best] = bool(crowd[best])
    return taken


def _precisions(matches: Matches, weights: NDArray[np.int64] | None) -> Floats | None:
    """Precision at each threshold and recall, float64 [thresholds, 101]; None without a truth to be found."""
    weight = np.ones(len(matches.truths), np.int64) if weights is None else weights
    truths = int(matches.truths @ weight)
    if not truths:
        return None
    times = weight[matches.picture]
    right = np.cumsum(matches.right * times, axis=1)
    wrong = np.cumsum((~matches.right & ~matches.ignored) * times, axis=1)
    found = right + wrong
    precision = np.divide(right, found, out=np.zeros(found.shape), where=found > 0)
    envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    return np.array(list(_at_recalls(right / truths, envelope)))


def _at_recalls(recall: Floats, precision: Floats) -> Iterator[Floats]:
    for row, best in zip(recall, np.pad(precision, ((0, 0), (0, 1))), strict=True):
        yield best[np.searchsorted(row, RECALLS, side="left")]
