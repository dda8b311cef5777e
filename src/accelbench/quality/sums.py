"""Streamed sums over pairs of a reference value r and an output value y, and the grids that their bins lie on.

Everything here sees one bounded chunk of a tensor at a time. Values are compared as float64; a sum is NumPy's pairwise
sum within a chunk and compensated from chunk to chunk (A. Neumaier, Rundungsfehleranalyse einiger Verfahren zur
Summation endlicher Summen, ZAMM 54, 1974), so the order of chunks and their size do not matter to 1e-12.
"""

from __future__ import annotations

import math
import struct
from collections import Counter
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from accelbench.tensors import Array

Floats = NDArray[np.float64]

SUB_BITS = 3
"""Mantissa bits that pick the sub-bin of an error's octave: eight sub-bins, each at most 1/8 of its lower edge wide."""

VALUE_BINS = 64
ERROR_BINS = 65
"""Linear bins of the values and of the signed error; odd for the error, so that zero is the middle of a bin."""

REACH = 8.0
"""Linear grids end at the extremes, or this many standard deviations from the mean where the extremes lie further."""

_SHIFT = np.uint64(np.finfo(np.float64).nmant - SUB_BITS)
_ORIGIN = 1023 << SUB_BITS
_ULP_FLOATS = (np.float16, np.float32, np.float64)


class Total:
    """A float64 sum that carries the rounding errors of its additions along."""

    def __init__(self) -> None:
        self._sum = 0.0
        self._lost = 0.0

    def add(self, term: float) -> None:
        total = self._sum + term
        large, small = (self._sum, term) if abs(self._sum) >= abs(term) else (term, self._sum)
        self._lost += (large - total) + small
        self._sum = total

    @property
    def value(self) -> float:
        return self._sum + self._lost if math.isfinite(self._sum) else math.inf


class PairSums:
    """What the first pass over one output gathers."""

    def __init__(self) -> None:
        self.count = self.finite = self.bit_equal = 0
        self.nan_reference = self.nan_output = self.inf_reference = self.inf_output = 0
        self.e2, self.r2, self.y2, self.ry = Total(), Total(), Total(), Total()
        self.r, self.low, self.high = Total(), math.inf, -math.inf
        self.max_abs = 0.0
        self.max_ulp: int | None = None
        self.errors: Counter[int] = Counter()

    def add(self, reference: Array, output: Array) -> None:
        """Count one chunk of pairs: two 1-D arrays of the same length and dtype."""
        self.count += len(reference)
        self.bit_equal += int(np.count_nonzero(_bits(reference) == _bits(output)))
        r, y = reference.astype(np.float64), output.astype(np.float64)
        self.nan_reference += int(np.count_nonzero(np.isnan(r)))
        self.nan_output += int(np.count_nonzero(np.isnan(y)))
        self.inf_reference += int(np.count_nonzero(np.isinf(r)))
        self.inf_output += int(np.count_nonzero(np.isinf(y)))
        both = np.isfinite(r) & np.isfinite(y)
        if reference.dtype.type in _ULP_FLOATS:
            self.max_ulp = max(self.max_ulp or 0, max_ulp(reference[both], output[both]))
        if both.any():
            self._add_finite(r[both], y[both])

    def _add_finite(self, r: Floats, y: Floats) -> None:
        with np.errstate(over="ignore", invalid="ignore"):
            e = y - r
            for total, terms in ((self.e2, e * e), (self.r2, r * r), (self.y2, y * y), (self.ry, r * y), (self.r, r)):
                total.add(float(terms.sum()))
        self.finite += len(r)
        self.low, self.high = min(self.low, float(r.min())), max(self.high, float(r.max()))
        size = np.abs(e)
        self.max_abs = max(self.max_abs, float(size.max()))
        self.errors.update(count_errors(size))

    @property
    def overflown(self) -> bool:
        """Whether a sum left float64's range (values beyond 1e154)."""
        return not all(math.isfinite(total.value) for total in (self.e2, self.r2, self.y2, self.ry, self.r))

    def value_edges(self) -> tuple[float, ...]:
        """Edges of a linear grid over the reference's finite values; empty without any."""
        if not self.finite:
            return ()
        mean = self.r.value / self.finite
        reach = REACH * math.sqrt(max(0.0, self.r2.value / self.finite - mean * mean))
        low, high = max(self.low, mean - reach), min(self.high, mean + reach)
        if not high - low > 1e-9 * max(abs(low), abs(high)):
            low, high = low - (abs(low) or 1.0), high + (abs(high) or 1.0)
        return _linear(low, high, VALUE_BINS)

    def error_edges(self) -> tuple[float, ...]:
        """Edges of a linear grid around zero for the signed error; empty where there is no error."""
        if not self.e2.value:
            return ()
        reach = min(self.max_abs, REACH * math.sqrt(self.e2.value / self.finite))
        return _linear(-reach, reach, ERROR_BINS)


class PairBins:
    """What the second pass gathers: counts on grids whose first and last bin also hold what lies beyond them."""

    def __init__(self, value_edges: tuple[float, ...], error_edges: tuple[float, ...]) -> None:
        self._value_cuts = np.asarray(value_edges[1:-1])
        self._error_cuts = np.asarray(error_edges[1:-1])
        self.reference = np.zeros(max(0, len(value_edges) - 1), dtype=np.int64)
        self.output = np.zeros_like(self.reference)
        self.error = np.zeros(max(0, len(error_edges) - 1), dtype=np.int64)

    def add(self, reference: Array, output: Array) -> None:
        """Count one chunk of pairs; each side's finite values, and the errors of the pairs that are finite on both."""
        r, y = reference.astype(np.float64), output.astype(np.float64)
        if len(self.reference):
            self.reference += _histogram(r[np.isfinite(r)], self._value_cuts)
            self.output += _histogram(y[np.isfinite(y)], self._value_cuts)
        if len(self.error):
            both = np.isfinite(r) & np.isfinite(y)
            self.error += _histogram(y[both] - r[both], self._error_cuts)


def count_errors(size: Floats) -> dict[int, int]:
    """Counts of non-zero absolute errors on the portable logarithmic grid.

    The bin of a float64 is its exponent followed by its top ``SUB_BITS`` mantissa bits, which is the same on every
    machine and grows with the value: bin k holds [bin_edge(k), bin_edge(k + 1)), and 1.0 begins bin 0.
    """
    above = size[size > 0]
    if not len(above):
        return {}
    keys = (above.view(np.uint64) >> _SHIFT).astype(np.int64)
    lowest = int(keys.min())
    counts = np.bincount(keys - lowest)
    return {lowest + int(k) - _ORIGIN: int(counts[k]) for k in np.flatnonzero(counts)}


def bin_edge(k: int) -> float:
    """The lower edge of bin k of ``count_errors``: 2**(k // 8) · (1 + (k mod 8)/8) for normal numbers."""
    key = k + _ORIGIN
    if not 0 <= key < 2**64:
        raise OverflowError(f"there is no bin {k}")
    edge: tuple[float] = struct.unpack("<d", (key << int(_SHIFT) & (2**64 - 1)).to_bytes(8, "little"))
    return edge[0]


def sorted_bins(errors: Mapping[int, int]) -> dict[str, int]:
    """The bins in rising order, keyed as JSON needs it."""
    return {str(k): errors[k] for k in sorted(errors)}


def max_ulp(reference: Array, output: Array) -> int:
    """The largest number of steps between two finite values in their float type; +0 and −0 are the same value.

    A float's bits, read as sign and magnitude, number the floats in order; the distance is the difference of numbers.
    """
    if not len(reference):
        return 0
    a, b = _ordinal(reference), _ordinal(output)
    apart = np.where(a > b, a.view(np.uint64) - b.view(np.uint64), b.view(np.uint64) - a.view(np.uint64))
    return int(apart.max())


def _ordinal(values: Array) -> NDArray[np.int64]:
    signed = values.view(f"i{values.itemsize}").astype(np.int64)
    magnitude = signed & np.int64(2 ** (8 * values.itemsize - 1) - 1)
    return np.where(signed < 0, -magnitude, magnitude)


def _bits(values: Array) -> Array:
    return values.view(f"u{values.itemsize}")


def _linear(low: float, high: float, bins: int) -> tuple[float, ...]:
    return tuple(float(edge) for edge in np.linspace(low, high, bins + 1))


def _histogram(values: Floats, cuts: Floats) -> NDArray[np.int64]:
    return np.bincount(np.searchsorted(cuts, values, side="right"), minlength=len(cuts) + 1).astype(np.int64)
