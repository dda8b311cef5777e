"""The mean over samples as a score."""

from __future__ import annotations

import math

import numpy as np

from accelbench.model import Score
from accelbench.tensors import Array


def mean(name: str, values: Array) -> Score:
    """The mean of ``values``, one per sample (n ≥ 1, none of them NaN), with the standard error √(variance/n): for
    values of 0 and 1 that is the binomial √(p(1−p)/n)."""
    numbers = np.asarray(values, np.float64)
    return Score(name, float(numbers.mean()), float(numbers.std() / math.sqrt(len(numbers))), len(numbers))
