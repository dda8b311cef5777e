"""Every statistic of a timed pass, as a pure function of its raw columns.

Intervals are at 95 % and hold for autocorrelated latencies: the variance of a mean is taken from the spectrum at
zero (equal-weighted cosines: Lazarus, Lewis, Stock and Watson 2018), and a quantile's interval lies between the
fractional order statistics (Stigler 1977; Hutson 1999) that a sample of the *effective* size would give.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelbench.errors import UsageError
from accelbench.measure.columns import Columns, Ints
from accelbench.measure.special import Z95, incomplete_beta, solve, student_t95

QUANTILES: Mapping[str, float] = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p99.9": 0.999}
TAIL_SAMPLES = 20
"""A quantile has an interval only where at least so many samples are expected beyond it."""

VALLEY_WIDTH, VALLEY_GAP = 0.1, 0.5
MAX_BLOCKS = 2048
MAX_TERMS = 128
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Quantile:
    """A quantile of the latencies in seconds and its 95 % interval, absent where the samples cannot carry one.

    ``valley``: the quantile lies between two modes of the latencies, so no number of samples will make it certain;
    told by a gap between neighbouring samples that fills most of the interval.
    """

    value_s: float
    low_s: float | None
    high_s: float | None
    valley: bool = False

    @property
    def half_width(self) -> float | None:
        """Half the interval's width as a ratio of the value."""
        if self.low_s is None or self.high_s is None or self.value_s <= 0:
            return None
        return (self.high_s - self.low_s) / (2 * self.value_s)


@dataclass(frozen=True)
class Knowledge:
    """Half the width of a statistic's interval as a ratio of its value, absent where it has none, and whether it lies
    in a valley."""

    half_width: float | None
    valley: bool = False


@dataclass(frozen=True)
class Summary:
    """What a reader wants of a pass. ``throughput`` is samples per second; latencies count from the scheduled time;
    failed queries are in ``errors`` and in no other figure."""

    queries: int
    samples: int
    errors: int
    throughput: float | None
    throughput_ci: tuple[float, float] | None
    mean_s: float | None
    quantiles: Mapping[str, Quantile | None]


def summary(columns: Columns, names: Collection[str] = tuple(QUANTILES)) -> Summary:
    """All statistics of one pass, of its quantiles those that are named."""
    times = latencies(columns)
    ordered = np.sort(times)
    rate = throughput(columns)
    return Summary(
        queries=len(columns),
        samples=int(columns.units[columns.ok].sum(dtype=np.int64)),
        errors=len(columns) - len(times),
        throughput=rate[0] if rate else None,
        throughput_ci=rate[1] if rate else None,
        mean_s=_mean(times) * 1e-9 if len(times) else None,
        quantiles={name: quantile(times, QUANTILES[name], ordered) for name in names},
    )


def median(values: NDArray[Any]) -> float:
    """The median of at least one number, none of them NaN: bit for bit ``numpy.median``, which takes ten times as long
    for some hundred numbers."""
    middle = len(values) // 2
    if len(values) % 2:
        return float(np.partition(values, middle)[middle])
    parted = np.partition(values, (middle - 1, middle))
    return (float(parted[middle - 1]) + float(parted[middle])) / 2


def latencies(columns: Columns) -> Ints:
    """Done minus scheduled of every query that ended well, in ns, in the order of issue."""
    times = columns.done - columns.scheduled
    return times if columns.ok.all() else times[columns.ok]


def quantile(times: NDArray[Any], p: float, ordered: NDArray[Any] | None = None) -> Quantile | None:
    """The p-quantile of ``times`` (ns, in time order) in seconds; absent where even independent samples could not
    bound it (fewer than ln 0.025 ÷ ln p: 6 for p50, 368 for p99). ``ordered`` is ``times`` sorted, if at hand."""
    n = len(times)
    if n < math.log(0.025) / math.log(p):
        return None
    ordered = np.sort(times) if ordered is None else ordered
    value = _at(ordered, p * (n + 1))
    ranks = _ranks(times, p, value)
    if ranks is None:
        return Quantile(value * 1e-9, None, None)
    low, high = (_at(ordered, rank) for rank in ranks) if ranks[1] > ranks[0] else (value, value)
    return Quantile(value * 1e-9, low * 1e-9, high * 1e-9, valley=_in_valley(ordered, *ranks))


def effective_size(times: NDArray[Any], p: float, value: float) -> float:
    """How many independent samples bound the p-quantile as well as ``times`` do: n·p(1−p) ÷ Ω, with Ω the long-run
    variance of the indicator that a sample is at most ``value``; the doubt about Ω itself is charged as (z ÷ t)².
    Infinite where the indicator never changes."""
    n = len(times)
    limit = math.floor(value) if times.dtype.kind == "i" else value
    variance, terms = long_run_variance(times <= limit)
    if variance <= 0.0:
        return math.inf
    return float(n * p * (1 - p) / variance * (Z95 / student_t95(terms)) ** 2)


def long_run_variance(series: NDArray[Any]) -> tuple[float, int]:
    """(Ω, ν): n times the variance of the mean of an autocorrelated ``series`` from its first ν cosine transforms,
    ν = ⌊0.4 n^⅔⌋. Long series are averaged to blocks first, ν then being 128 at most."""
    n = len(series)
    terms = min(MAX_TERMS, max(1, int(0.4 * n ** (2 / 3))))
    width = -(-n // MAX_BLOCKS)
    blocks = n // width
    if width == 1:
        means: Floats = series.astype(np.float64)
    else:
        means = np.asarray(series[: blocks * width]).reshape(blocks, width).mean(axis=1, dtype=np.float64)
    means -= np.add.reduce(means) / blocks
    spectrum = np.fft.rfft(means, 2 * blocks)[1 : terms + 1]
    cosines = (spectrum * _turn(terms, blocks)).real * math.sqrt(2 / blocks)
    return float(np.add.reduce(cosines**2) / terms) * width, terms


@lru_cache(maxsize=256)
def _turn(terms: int, blocks: int) -> NDArray[np.complex128]:
    """What turns the Fourier transform of a series padded with as many zeros into its cosine transform."""
    turn: NDArray[np.complex128] = np.exp(-0.5j * np.pi * np.arange(1, terms + 1) / blocks)
    turn.flags.writeable = False
    return turn


def mean_interval(series: NDArray[Any]) -> tuple[float, float, float] | None:
    """(mean, low, high) of an autocorrelated series; absent below 20 values."""
    n = len(series)
    if n < TAIL_SAMPLES:
        return None
    mean = _mean(series)
    variance, terms = long_run_variance(series)
    half = student_t95(terms) * math.sqrt(variance / n)
    return mean, mean - half, mean + half


def throughput(columns: Columns) -> tuple[float, tuple[float, float] | None] | None:
    """Samples per second and its interval.

    Counted over the time in which work was given: from the first issue to the last one, a query still running at its
    end counting for the part that it had done; the harness's own pauses are left out. The interval is that of the mean
    gap between one query's end and the next's.
    """
    if not columns.ok.any():
        return None
    begin, end = int(columns.scheduled[0]), int(columns.issued[-1])
    done, issued = columns.done, columns.issued
    units = float(columns.units[columns.ok].sum(dtype=np.int64))
    if int(columns.ok.sum()) < TAIL_SAMPLES:
        return (units / ((int(done.max()) - begin) * 1e-9), None) if done.max() > begin else None
    late = np.flatnonzero((done > end) & columns.ok)
    undone = (done[late] - np.maximum(issued[late], begin)).clip(min=1)
    units -= float((columns.units[late] * np.minimum(1.0, (done[late] - end) / undone)).sum())
    pauses = columns.pauses
    span = end - begin - int((pauses[:, 1] - pauses[:, 0]).sum())
    if span <= 0:
        return None
    rate = units / (span * 1e-9)
    gaps = mean_interval(_gaps(columns))
    if gaps is None or gaps[1] <= 0:
        return rate, None
    mean, low, high = gaps
    return rate, (rate * mean / high, rate * mean / low)


def knowledge(columns: Columns, statistic: str) -> Knowledge:
    """How well the columns tell a statistic: ``throughput``, ``mean`` or the name of a quantile. Raises UsageError
    for another."""
    if statistic in QUANTILES:
        found = quantile(latencies(columns), QUANTILES[statistic])
        return Knowledge(found.half_width, found.valley) if found else Knowledge(None)
    if statistic == "throughput":
        rate = throughput(columns)
        return Knowledge((rate[1][1] - rate[1][0]) / (2 * rate[0]) if rate and rate[1] else None)
    if statistic == "mean":
        mean = mean_interval(latencies(columns))
        return Knowledge((mean[2] - mean[1]) / (2 * mean[0]) if mean and mean[0] > 0 else None)
    raise UsageError(f"unknown statistic {statistic!r}: one of throughput, mean, {', '.join(QUANTILES)}")


def early_stopping_bound(ordered: NDArray[Any], p: float, confidence: float = 0.99) -> float | None:
    """MLPerf's bound on the p-quantile: the t-th largest of the sorted latencies, for the largest t ≥ 1 such that
    P(Binomial(n, 1−p) ≤ t) ≤ 1 − confidence. Absent where there is no such t (n < 64 for p90, 662 for p99, 6,636 for
    p99.9). Source: MLPerf Inference, "Early stopping"."""
    n = len(ordered)
    low, high = 0, n
    while high - low > 1:
        middle = (low + high) // 2
        if incomplete_beta(n - middle, middle + 1, p) <= 1 - confidence:
            low = middle
        else:
            high = middle
    return float(ordered[n - low]) if low else None


def _ranks(times: NDArray[Any], p: float, value: float) -> tuple[float, float] | None:
    """The fractional ranks between which the p-quantile's interval lies; equal where every sample is the same."""
    n = len(times)
    if n * (1 - p) < TAIL_SAMPLES - 1e-6:
        return None
    size = effective_size(times, p, value)
    if math.isinf(size):
        return p * (n + 1), p * (n + 1)
    if size < 2:
        return None
    low, high = (_rank(size, p, level) for level in (0.975, 0.025))
    if high is None or low is None:
        return None
    scale = (n + 1) / (size + 1)
    return low * scale, high * scale


def _in_valley(ordered: NDArray[Any], low_rank: float, high_rank: float) -> bool:
    inside = ordered[max(0, int(low_rank) - 1) : math.ceil(high_rank)]
    if len(inside) < TAIL_SAMPLES:
        return False
    width = float(inside[-1] - inside[0])
    return width > VALLEY_WIDTH * float(inside[0]) and float(np.diff(inside).max()) > VALLEY_GAP * width


@lru_cache(maxsize=256)
def _rank(size: float, p: float, level: float) -> float | None:
    """The fractional rank r in a sample of ``size`` whose order statistic lies below the p-quantile with probability
    ``level``: I_p(r, size + 1 − r) = level. Absent where there is none within the sample."""

    def excess(rank: float) -> float:
        return incomplete_beta(rank, size + 1 - rank, p) - level

    if excess(size) > 0 or excess(1.0) < 0:
        return None
    guess = p * (size + 1) + (Z95 if level < 0.5 else -Z95) * math.sqrt(size * p * (1 - p))
    return solve(excess, 1.0, size, guess, 1e-6 * size)


def _mean(values: NDArray[Any]) -> float:
    """Bit for bit ``numpy.mean`` in float64, without its cost."""
    return float(np.add.reduce(values, dtype=np.float64) / len(values))


def _at(ordered: NDArray[Any], rank: float) -> float:
    """The order statistic of fractional ``rank`` (from 1), interpolated; the ends beyond the ends."""
    n = len(ordered)
    rank = min(max(rank, 1.0), float(n))
    below = int(rank)
    above = min(below + 1, n)
    return float(ordered[below - 1]) + (rank - below) * float(ordered[above - 1] - ordered[below - 1])


def _gaps(columns: Columns) -> Ints:
    """Time between ends, in ns, without the harness's pauses."""
    done = np.sort(columns.done[columns.ok])
    pauses = columns.pauses
    if len(pauses):
        paused = np.concatenate(([0], np.cumsum(pauses[:, 1] - pauses[:, 0])))
        done -= paused[np.searchsorted(pauses[:, 0], done, side="left")]
    gaps: Ints = np.diff(done)
    return gaps
