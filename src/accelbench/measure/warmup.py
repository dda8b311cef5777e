"""When a warm-up has ended: when the times of the last queries show no trend any more."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

BLOCKS = 16


def is_stationary(times: NDArray[np.int64]) -> bool:
    """Whether the later half of ``times`` (in time order) is without trend: Mann–Kendall's test on the medians of 16
    blocks at the 5 % level (Mann 1945; Kendall 1975). False below 31 values, where the test could not tell."""
    window = times[len(times) // 2 :]
    if len(window) < BLOCKS:
        return False
    medians = np.array([np.median(block) for block in np.array_split(window, BLOCKS)])
    signs = np.sign(medians[None, :] - medians[:, None])
    score = float(signs[np.triu_indices(BLOCKS, 1)].sum())
    _, ties = np.unique(medians, return_counts=True)
    variance = (BLOCKS * (BLOCKS - 1) * (2 * BLOCKS + 5) - float((ties * (ties - 1) * (2 * ties + 5)).sum())) / 18
    return variance <= 0 or max(0.0, abs(score) - 1) / math.sqrt(variance) < 1.96
