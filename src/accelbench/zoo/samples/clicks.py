"""Rows as an advertising system logs them: 13 counts with heavy tails, 26 categories with Zipf's frequencies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from accelbench.model import Dataset
from accelbench.zoo.samples.draws import Draws
from accelbench.zoo.samples.source import Source

DENSE = 13

CARDINALITIES = (
    1460, 583, 100000, 100000, 305, 24, 12517, 633, 3, 93145, 5683, 100000, 3194, 27, 14992, 100000, 10, 5652, 2173, 4,
    100000, 18, 15, 100000, 105, 100000,
)  # fmt: skip
"""Distinct values of Criteo's 26 categorical fields (the Kaggle set, as counted by DLRM's preprocessing: Naumov et al.
2019, arXiv:1906.00091), none above 100,000."""

MISSING_SHARE = 0.1


def source(dataset: Dataset, _folder: Path) -> Source:
    """Clicks, one of which is a sample."""
    dense, sparse = clicks(dataset.count, dataset.seed)
    return ({"dense": row, "sparse": ids} for row, ids in zip(dense, sparse, strict=True)), None


def clicks(
    count: int, seed: int, cardinalities: Sequence[int] = CARDINALITIES
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """``count`` rows: ``dense`` float32 [count, 13], ln(1 + x) of counts, and ``sparse`` int64 [count, fields] with the
    ids of field j in [0, cardinalities[j]).

    Counts are zero in one row of ten, else powers of two with a normal exponent, so their tail is heavy. The id of a
    field is the integer part of a log-uniform number, which gives it a frequency of about 1/(id + 1) up to the field's
    last id; row 0 has every field's first id and row 1 every last one, so that whole tables are used.

    Logarithm and exponential come from the platform; where the last bit of one differs, hardly ever a value does.
    """
    dense = np.empty((count, DENSE), np.float32)
    for column in range(DENSE):
        draws = Draws(seed, f"clicks/dense/{column}")
        size = np.floor(np.exp2(2 + column % 4 + 2 * draws.normal(count)))
        dense[:, column] = np.where(draws.unit(count) < MISSING_SHARE, 0.0, np.log1p(size))
    sparse = np.empty((count, len(cardinalities)), np.int64)
    for field, cardinality in enumerate(cardinalities):
        draws = Draws(seed, f"clicks/sparse/{field}")
        ids = np.floor(np.exp(draws.unit(count) * np.log(cardinality + 1.0))).astype(np.int64) - 1
        sparse[:, field] = np.clip(ids, 0, cardinality - 1)
        sparse[: min(2, count), field] = (0, cardinality - 1)[: min(2, count)]
    return dense, sparse
