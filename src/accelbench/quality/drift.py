"""Numerical drift: how far a stack's outputs lie from the float32 reference's, as stored sums and as figures.

``accumulate`` turns two tensor sets into sums and bins, once; ``figures`` computes every figure from those when a
report is read. The figures are the numerical analyst's: N. J. Higham, Accuracy and Stability of Numerical Algorithms,
2nd ed., SIAM 2002, chapters 1 and 6.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from accelbench.model import DriftSums, Quality
from accelbench.quality.sums import PairBins, PairSums, bin_edge, sorted_bins
from accelbench.tensors import Array, TensorSet

CHUNK = 1 << 16
"""Pairs that are looked at together: memory stays below some 10 MiB whatever the size of the outputs."""


@dataclass(frozen=True)
class DriftFigures:
    """The drift of one output. Each figure is None where it is not defined; none is ever NaN or infinite.

    ``relative_l2`` is ‖y−r‖₂/‖r‖₂ (None for a reference that is all zero, unless y equals it). ``sqnr_db`` is
    10·log₁₀(Σr²/Σe²), None for no error at all, when it would be infinite: see ``relative_l2`` = 0. ``p50`` … ``p999``
    are percentiles of |y−r|, at most 12.5 % (one sub-bin) above the true order statistic and never below it.
    ``nan_count`` and ``inf_count`` are the output's; all other figures are over the pairs that are finite on both
    sides. ``introduced`` counts outputs that are NaN or infinite where the reference is finite.
    """

    output: str
    relative_l2: float | None
    sqnr_db: float | None
    cosine: float | None
    max_abs: float | None
    p50: float | None
    p90: float | None
    p99: float | None
    p999: float | None
    max_ulp: int | None
    nan_count: int
    inf_count: int
    introduced: int
    mismatch: str | None


def accumulate(reference: TensorSet, outputs: TensorSet, chunk: int = CHUNK) -> tuple[DriftSums, ...]:
    """Sums and bins for every output name of the reference, in its order.

    ``outputs`` has one record per record of ``reference``. An output that is missing, or whose count of records,
    shapes or dtypes differ, has that in ``mismatch`` and sums over nothing. The sets are read twice, ``chunk``
    values at a time: first for the sums, then for the bins, whose grids follow from the sums.
    """
    return tuple(_accumulate(reference, outputs, name, chunk) for name in reference.names)


def figures(sums: DriftSums) -> DriftFigures:
    """Every drift figure of one output."""
    some = sums.finite > 0
    p50, p90, p99, p999 = _percentiles(sums, (0.5, 0.9, 0.99, 0.999))
    return DriftFigures(
        output=sums.output,
        relative_l2=_relative_l2(sums),
        sqnr_db=_sqnr_db(sums),
        cosine=_cosine(sums),
        max_abs=sums.max_abs if some else None,
        p50=p50,
        p90=p90,
        p99=p99,
        p999=p999,
        max_ulp=sums.max_ulp if some else None,
        nan_count=sums.nan_output,
        inf_count=sums.inf_output,
        introduced=sums.count - sums.finite - sums.nan_reference - sums.inf_reference,
        mismatch=sums.mismatch,
    )


def worst(quality: Quality) -> DriftFigures:
    """The figures of the worst output: a mismatch before NaN or Inf of its own, before a drift without a bound, before
    the largest relative L2. ``quality.drift`` is never empty."""

    def badness(figure: DriftFigures) -> tuple[bool, bool, float]:
        undefined = figure.max_abs is not None and figure.relative_l2 is None
        return figure.mismatch is not None, figure.introduced > 0, math.inf if undefined else figure.relative_l2 or 0.0

    return max((figures(sums) for sums in quality.drift), key=badness)


def percentile(sums: DriftSums, p: float) -> float | None:
    """The upper edge of the sub-bin that holds the ⌈p·n⌉-th smallest |y−r|, or the largest |y−r| if that is less."""
    return _percentiles(sums, (p,))[0]


def _percentiles(sums: DriftSums, rising: Sequence[float]) -> list[float | None]:
    """``percentile`` of several p, by one walk over the bins."""
    if not sums.finite:
        return [None] * len(rising)
    seen, edge = sums.finite - sum(sums.error_bins.values()), 0.0
    bins = iter(sorted(int(key) for key in sums.error_bins))
    found: list[float | None] = []
    for p in rising:
        rank = math.ceil(p * sums.finite)
        while rank > seen:
            k = next(bins, None)
            if k is None:
                return [*found, *[sums.max_abs] * (len(rising) - len(found))]
            seen += sums.error_bins[str(k)]
            edge = min(bin_edge(k + 1), sums.max_abs)
        found.append(edge)
    return found


def varies(tensors: TensorSet, name: str, by: float = 0.0) -> bool:
    """Whether some record's tensor lies further than ``by`` (relative L2) from the first record's.

    With ``by`` = 0 any difference in bits or shape counts, so that NaN equals the same NaN.
    """
    first = tensors.tensor(name, 0)
    for position in range(1, len(tensors)):
        other = tensors.tensor(name, position)
        if other.shape != first.shape or other.dtype != first.dtype:
            return True
        sums = PairSums()
        for start in range(0, first.size, CHUNK):
            sums.add(first.reshape(-1)[start : start + CHUNK], other.reshape(-1)[start : start + CHUNK])
        if sums.bit_equal < sums.count and (not by or sums.e2.value > by * by * sums.r2.value):
            return True
    return False


def _accumulate(reference: TensorSet, outputs: TensorSet, name: str, chunk: int) -> DriftSums:
    mismatch = _mismatch(reference, outputs, name)
    sums = PairSums()
    if mismatch is None:
        for r, y in _pairs(reference, outputs, name, chunk):
            sums.add(r, y)
        if sums.overflown:
            mismatch, sums = "values beyond 1e154: their squares leave float64's range", PairSums()
    edges, error_edges = sums.value_edges(), sums.error_edges()
    bins = PairBins(edges, error_edges)
    if sums.finite:
        for r, y in _pairs(reference, outputs, name, chunk):
            bins.add(r, y)
    return DriftSums(
        output=name,
        count=sums.count,
        finite=sums.finite,
        sum_e2=sums.e2.value,
        sum_r2=sums.r2.value,
        sum_y2=sums.y2.value,
        sum_ry=sums.ry.value,
        max_abs=sums.max_abs,
        max_ulp=sums.max_ulp,
        nan_reference=sums.nan_reference,
        nan_output=sums.nan_output,
        inf_reference=sums.inf_reference,
        inf_output=sums.inf_output,
        bit_equal=sums.bit_equal,
        error_bins=sorted_bins(sums.errors),
        value_edges=edges,
        reference_bins=tuple(bins.reference.tolist()),
        output_bins=tuple(bins.output.tolist()),
        signed_error_edges=error_edges,
        signed_error_bins=tuple(bins.error.tolist()),
        mismatch=mismatch,
    )


def _mismatch(reference: TensorSet, outputs: TensorSet, name: str) -> str | None:
    if name not in outputs.names:
        return f"missing; the backend's outputs are {', '.join(outputs.names) or 'none'}"
    if len(outputs) != len(reference):
        return f"{len(outputs)} records, the reference has {len(reference)}"
    for position in range(len(reference)):
        want, got = reference.tensor(name, position), outputs.tensor(name, position)
        if got.shape != want.shape:
            return f"shape {list(got.shape)} in record {position}, the reference has {list(want.shape)}"
        if got.dtype != want.dtype:
            return f"dtype {got.dtype.name} in record {position}, the reference has {want.dtype.name}"
        if want.dtype.kind not in "biuf":
            return f"dtype {want.dtype.name} in record {position} cannot be compared"
    return None


def _pairs(reference: TensorSet, outputs: TensorSet, name: str, chunk: int) -> Iterator[tuple[Array, Array]]:
    """Flat pieces of both sides of at most ``chunk`` values; records that are small are put together."""
    held: list[tuple[Array, Array]] = []
    size = 0
    for position in range(len(reference)):
        r, y = (tensors.tensor(name, position).reshape(-1) for tensors in (reference, outputs))
        if held and (size + len(r) > chunk or r.dtype != held[0][0].dtype):
            yield _joined(held)
            held, size = [], 0
        if len(r) > chunk:
            for start in range(0, len(r), chunk):
                yield r[start : start + chunk], y[start : start + chunk]
        elif len(r):
            held.append((r, y))
            size += len(r)
    if held:
        yield _joined(held)


def _joined(held: list[tuple[Array, Array]]) -> tuple[Array, Array]:
    return np.concatenate([r for r, _ in held]), np.concatenate([y for _, y in held])


def _relative_l2(sums: DriftSums) -> float | None:
    if sums.mismatch is not None or not sums.finite:
        return None
    if not sums.sum_e2:
        return 0.0
    return math.sqrt(sums.sum_e2) / math.sqrt(sums.sum_r2) if sums.sum_r2 else None


def _sqnr_db(sums: DriftSums) -> float | None:
    return 10 * (math.log10(sums.sum_r2) - math.log10(sums.sum_e2)) if sums.sum_r2 and sums.sum_e2 else None


def _cosine(sums: DriftSums) -> float | None:
    """Σry/(‖r‖·‖y‖), kept within ±1 against the last bit of rounding."""
    if not (sums.sum_r2 and sums.sum_y2):
        return None
    return max(-1.0, min(1.0, sums.sum_ry / (math.sqrt(sums.sum_r2) * math.sqrt(sums.sum_y2))))
