"""From outputs to decisions, and from decisions to accuracy and agreement.

A decision is what the model says about one sample; decisions are stored, and scores are functions of them. Records
are per sample, so the batch that a stack ran makes no difference. A decision that rests on NaN is no decision: it is
stored as -1 (or as NaN, for a score) and counts as wrong, and as disagreement.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from accelbench.errors import AccelbenchError
from accelbench.metrics import detection
from accelbench.metrics.concordance import concordance, roc_auc, roc_auc_error
from accelbench.metrics.means import mean
from accelbench.model import Metric, Score
from accelbench.tensors import Array, Record, TensorSet

Decisions = Mapping[str, Array]

SPAN_TOKENS = 30
"""Longest answer in tokens: the usual ``max_answer_length`` of SQuAD's evaluations."""

ZERO_SHOT_CLASSES = 100
"""The texts of so many first samples (of all, if there are fewer) are the classes' prompts, as for CIFAR-100."""


def decisions(metric: Metric, outputs: TensorSet) -> dict[str, Array]:
    """The decisions about all n samples, one record each, as arrays that are worth storing.

    - ``top1``: ``{"top1": int64 [n, positions]}``, the argmax over the last axis of the metric's output (the first
      one, if it names none), the lowest index where several tie; positions is 1 for a plain classifier.
    - ``span``: ``{"start": int64 [n], "end": int64 [n]}``, the best span by start and end logits of shape [tokens].
    - ``auc``: ``{"score": float64 [n]}``, the last element of the output (one score, or two class probabilities).
    - ``zero_shot``: ``{"top1": int64 [n, 1]}``, the class whose text has the embedding nearest to the picture's, by
      their cosine; the metric's outputs are the embeddings of pictures and of texts, the classes ZERO_SHOT_CLASSES.
    - ``retrieval``: ``{"nearest": int64 [n, 1]}``, the other sample whose embedding, the metric's output, is nearest
      by their cosine.
    - ``detections``: ``{"detections": float32 [n, 300, 6]}``, see ``metrics.detection``.
    - ``none``: nothing.

    Raises AccelbenchError where the outputs are not what the metric needs.
    """
    if metric.name == "none":
        return {}
    names = metric.outputs or tuple(outputs.names[: 2 if metric.name in ("span", "zero_shot") else 1])
    missing = [name for name in names if name not in outputs.names]
    if missing:
        raise AccelbenchError(f"metric {metric.name} reads output {missing[0]}; there is {', '.join(outputs.names)}")
    if metric.name == "zero_shot":
        return {"top1": _nearest(outputs, names)}
    if metric.name == "retrieval":
        return {"nearest": _neighbours(outputs, names[0])}
    rows = [_DECIDE[metric.name](record, names) for record in outputs]
    if len({len(row) for row in rows}) > 1:
        raise AccelbenchError(f"metric {metric.name} needs the same shape of {names[0]} in every record")
    table = np.array(rows)
    if metric.name == "span":
        return {"start": table[:, 0], "end": table[:, 1]}
    if metric.name == "auc":
        return {"score": table[:, 0]}
    return {"detections" if metric.name == "detections" else "top1": table}


def score(metric: Metric, decided: Decisions, labels: Array) -> Score | None:
    """The metric's value against ``labels``: [n] or [n, positions] classes for ``top1``, [n, 2] for ``span`` (exact
    match of both ends), [n] of 0 and 1 for ``auc``, [n] groups, from 0, for
    ``retrieval`` (the nearest sample should be of the same), objects as ``metrics.detection.score`` has them for
    ``detections``. None for metric ``none``, for an AUC with one class only, and for pictures without objects.

    The standard error of a rate is that of a mean of n samples, √(variance/n), which is the binomial √(p(1−p)/n) for
    one decision per sample; that of an AUC is Hanley and McNeil's. Raises AccelbenchError where the labels do not fit.
    """
    if metric.name == "none":
        return None
    if metric.name == "detections":
        return detection.score(decided, labels)
    ours = _table(decided)
    theirs = np.asarray(labels).reshape(len(labels), -1)
    if theirs.shape != ours.shape:
        raise AccelbenchError(f"metric {metric.name} has decisions {list(ours.shape)}, labels {list(theirs.shape)}")
    if metric.name == "retrieval":
        return _rate(metric.name, np.where(ours < 0, -1, theirs[ours[:, 0]]), theirs)
    if metric.name != "auc":
        return _rate(metric.name, ours, theirs)
    scores, truth = ours[:, 0], theirs[:, 0]
    value = roc_auc(scores, truth)
    if value is None:
        return None
    positives = int((truth == 1).sum())
    return Score("auc", value, roc_auc_error(value, positives, len(truth) - positives), len(truth))


def agreement(metric: Metric, decided: Decisions, reference: Decisions) -> Score | None:
    """How far the decisions are the reference's: the share of equal top-1 classes or of equal spans, or the share of
    pairs of samples whose scores are in the same order, or mAP@0.5 of the detections. None for ``none``, and where the
    reference orders no pair or detects nothing."""
    if metric.name == "none":
        return None
    if metric.name == "detections":
        return detection.agreement(decided, reference)
    ours, theirs = _table(decided), _table(reference)
    if metric.name != "auc":
        return _rate(metric.name, ours, theirs)
    value = concordance(theirs[:, 0], ours[:, 0])
    return None if value is None else Score("order", value, None, len(ours))


def log_loss(scores: Array, labels: Array) -> Score:
    """Mean of −log of the probability given to the label: ``scores`` are probabilities of class 1, both [n].

    Infinite where certainty was wrong (nothing is clipped), NaN where a score is. Raises AccelbenchError for scores
    outside 0 … 1.
    """
    if np.any((scores < 0) | (scores > 1)):
        raise AccelbenchError("log-loss needs probabilities; some scores lie outside 0 … 1")
    with np.errstate(divide="ignore", invalid="ignore"):
        losses = -np.log(np.where(labels == 1, scores, 1 - scores))
        error = float(losses.std() / math.sqrt(len(losses)))
    return Score("log_loss", float(losses.mean()), error if math.isfinite(error) else None, len(losses))


def _top1(record: Record, names: tuple[str, ...]) -> Array:
    values = np.atleast_1d(record[names[0]])
    rows = values.reshape(-1, values.shape[-1])
    return np.where(np.isnan(rows).any(axis=1), -1, rows.argmax(axis=1))


def _span(record: Record, names: tuple[str, ...]) -> Array:
    """The span start ≤ end < start + SPAN_TOKENS with the largest sum of logits; of equal ones the first, then the
    shortest. −inf is a mask; NaN and +inf are no logits."""
    if len(names) != 2:
        raise AccelbenchError("metric span needs the names of two outputs, start and end logits")
    start, end = (record[name].reshape(-1).astype(np.float64) for name in names)
    odd = [side for side in (start, end) if np.isnan(side).any() or np.isposinf(side).any() or not len(side)]
    if odd or len(start) != len(end):
        return np.array([-1, -1])
    ends = np.concatenate([end, np.full(SPAN_TOKENS - 1, -np.inf)])
    windows = np.lib.stride_tricks.sliding_window_view(ends, SPAN_TOKENS)
    first, extra = divmod(int(np.argmax(start[:, None] + windows)), SPAN_TOKENS)
    return np.array([first, first + extra])


def _nearest(outputs: TensorSet, names: tuple[str, ...]) -> Array:
    """Where an embedding of length 0 or with NaN has a part in it, there is no decision."""
    if len(names) != 2:
        raise AccelbenchError("metric zero_shot needs the names of two outputs, embeddings of pictures and of texts")
    images, texts = names
    classes = np.stack([_unit(record[texts]) for record in outputs[:ZERO_SHOT_CLASSES]])
    cosines = np.stack([classes @ _unit(record[images]) for record in outputs])
    return np.where(np.isnan(cosines).any(axis=1), -1, cosines.argmax(axis=1))[:, None]


def _neighbours(outputs: TensorSet, name: str) -> Array:
    """Samples whose embedding has the length 0 or NaN have no neighbour and are nobody's."""
    units = np.stack([_unit(record[name]) for record in outputs])
    known = ~np.isnan(units).any(axis=1)
    cosines = np.where(known[:, None] & known, units @ units.T, -np.inf)
    np.fill_diagonal(cosines, -np.inf)
    return np.where(np.isneginf(cosines.max(axis=1)), -1, cosines.argmax(axis=1))[:, None]


def _unit(vector: Array) -> Array:
    flat = vector.reshape(-1).astype(np.float64)
    with np.errstate(invalid="ignore"):
        return np.asarray(flat / np.linalg.norm(flat))


def _score(record: Record, names: tuple[str, ...]) -> Array:
    values = record[names[0]].reshape(-1).astype(np.float64)
    if len(values) not in (1, 2):
        raise AccelbenchError(f"metric auc needs one score or two class probabilities in {names[0]}, got {len(values)}")
    return values[-1:]


_DECIDE: Mapping[str, Callable[[Record, tuple[str, ...]], Array]] = {
    "top1": _top1,
    "span": _span,
    "auc": _score,
    "detections": detection.detections,
}


def _table(decided: Decisions) -> Array:
    """All decisions of a sample in one row: [n, k]."""
    return np.concatenate([values.reshape(len(values), -1) for values in decided.values()], axis=1)


def _rate(name: str, ours: Array, theirs: Array) -> Score:
    right = (ours == theirs) & (ours >= 0)
    samples = right.all(axis=1) if name == "span" else right.mean(axis=1)
    return mean(name, samples)
