"""How well two orders agree: ROC AUC and the concordance index, by ranks in O(n log n).

Ties in the scores count one half. A score that is NaN has no place in the order: every pair that it takes part in
counts as wrong.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from accelbench.tensors import Array


def roc_auc(scores: Array, labels: Array) -> float | None:
    """Share of the pairs (positive, negative) in which the positive has the larger score.

    ``scores`` and ``labels`` (0 or 1) have shape [n]. None where one class is missing. By the rank sum of the
    positives: J. A. Hanley and B. J. McNeil, The meaning and use of the area under a ROC curve, Radiology 143, 1982.
    """
    positive = labels == 1
    pairs = int(positive.sum()) * int((~positive).sum())
    if not pairs:
        return None
    known = ~np.isnan(scores)
    ranks = _average_ranks(scores[known])
    some = int(positive[known].sum())
    return (float(ranks[positive[known]].sum()) - some * (some + 1) / 2) / pairs


def roc_auc_error(auc: float, positives: int, negatives: int) -> float:
    """Standard error of an AUC: Hanley and McNeil 1982, formula 2, with their exponential approximation of Q1, Q2."""
    q1, q2 = auc / (2 - auc), 2 * auc * auc / (1 + auc)
    spread = auc * (1 - auc) + (positives - 1) * (q1 - auc * auc) + (negatives - 1) * (q2 - auc * auc)
    return math.sqrt(max(0.0, spread) / (positives * negatives))


def concordance(reference: Array, scores: Array) -> float | None:
    """Share of the pairs that ``reference`` orders which ``scores`` orders likewise; both of shape [n].

    The concordance index of F. E. Harrell et al., Evaluating the yield of medical tests, JAMA 247, 1982: pairs that
    the reference ties are left out, pairs that only the scores tie count one half. None where no pair is ordered.
    """
    ordered = ~np.isnan(reference)
    total = _pairs(int(ordered.sum())) - _tied(reference[ordered])
    if not total:
        return None
    known = ordered & ~np.isnan(scores)
    r, y = _ranks(reference[known]), _ranks(scores[known])
    both = r * (len(y) + 1) + y
    comparable = _pairs(len(r)) - _tied(r)
    ties = _tied(y) - _tied(both)
    wrong = inversions(y[np.argsort(both, kind="stable")])
    return (comparable - wrong - ties / 2) / total


def inversions(values: NDArray[np.int64]) -> int:
    """Number of pairs i < j with values[i] > values[j], for integers ≥ 0.

    Bit by bit from the highest: among the values that agree in all higher bits, in their original order, every 1
    before a 0 is an inversion.
    """
    if not len(values):
        return 0
    total = 0
    current = values
    for bit in reversed(range(int(values.max()).bit_length())):
        prefix = current >> (bit + 1)
        ones = (current >> bit) & 1
        before = np.cumsum(ones) - ones
        start = np.searchsorted(prefix, prefix)
        total += int((before - before[start])[ones == 0].sum())
        current = current[np.argsort(current >> bit, kind="stable")]
    return total


def _ranks(values: Array) -> NDArray[np.int64]:
    return np.unique(values, return_inverse=True)[1].astype(np.int64).reshape(-1)


def _average_ranks(values: Array) -> NDArray[np.float64]:
    """Ranks from 1; tied values share the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    means: NDArray[np.float64] = (last - (counts - 1) / 2)[inverse.reshape(-1)]
    return means


def _pairs(n: int) -> int:
    return n * (n - 1) // 2


def _tied(values: Array) -> int:
    counts = np.unique(values, return_counts=True)[1].astype(np.int64)
    return int((counts * (counts - 1) // 2).sum())
