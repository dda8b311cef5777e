"""Every statistic of a timed pass, as a pure function of its raw columns.

Intervals are at 95 % and hold for autocorrelated latencies: the variance of a mean is taken from the spectrum at
zero (equal-weighted cosines: Lazarus, Lewis, Stock and Watson 2018), and a quantile's interval lies between the
fractional order statistics (Stigler 1977; Hutson 1999) that a sample of the *effective* size would give.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
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


@dataclass(frozen=True, eq=False)
class Times:
    """What several statistics of a pass need, computed once, in ns and of the queries that ended well (``all_good``:
    every one): ``latencies`` count from the scheduled time, ``services`` from the issue, both in the order of issue.
    ``ordered`` are the latencies sorted."""

    all_good: bool
    latencies: Ints
    services: Ints
    ordered: Ints

    @classmethod
    def of(cls, columns: Columns) -> Times:
        ok, done = columns.ok, columns.done
        all_good = bool(ok.all())
        found = done - columns.scheduled if all_good else (done - columns.scheduled)[ok]
        services = found
        if columns.issued is not columns.scheduled:
            services = done - columns.issued if all_good else (done - columns.issued)[ok]
        return cls(all_good, found, services, _sorted(found))


def summary(columns: Columns, names: Collection[str] = tuple(QUANTILES), known: Times | None = None) -> Summary:
    """All statistics of one pass, of its quantiles those that are named. ``known`` are its times, if at hand."""
    times = known or Times.of(columns)
    rate = throughput(columns)
    good = len(times.latencies)
    return Summary(
        queries=len(columns),
        samples=_samples(columns, times.all_good),
        errors=len(columns) - good,
        throughput=rate[0] if rate else None,
        throughput_ci=rate[1] if rate else None,
        mean_s=_mean(times.latencies) * 1e-9 if good else None,
        quantiles=dict(zip(names, quantiles(times.latencies, [QUANTILES[name] for name in names], times.ordered))),
    )


def median(values: NDArray[Any]) -> float:
    """The median of at least one number, none of them NaN: bit for bit ``numpy.median``, which takes ten times as long
    for some hundred numbers."""
    middle = len(values) // 2
    parted = values.copy()
    if len(values) % 2:
        parted.partition(middle)
        return float(parted[middle])
    parted.partition((middle - 1, middle))
    return (float(parted[middle - 1]) + float(parted[middle])) / 2


def middle(ordered: Sequence[float] | NDArray[Any]) -> float:
    """``median`` of numbers that are sorted."""
    half = len(ordered) // 2
    if len(ordered) % 2:
        return float(ordered[half])
    return (float(ordered[half - 1]) + float(ordered[half])) / 2


def latencies(columns: Columns) -> Ints:
    """Done minus scheduled of every query that ended well, in ns, in the order of issue."""
    times = columns.done - columns.scheduled
    return times if columns.ok.all() else times[columns.ok]


def quantile(times: NDArray[Any], p: float, ordered: NDArray[Any] | None = None) -> Quantile | None:
    """The p-quantile of ``times`` (ns, in time order) in seconds; absent where even independent samples could not
    bound it (fewer than ln 0.025 ÷ ln p: 6 for p50, 368 for p99). ``ordered`` is ``times`` sorted, if at hand."""
    return quantiles(times, (p,), np.sort(times) if ordered is None else ordered)[0]


def quantiles(times: NDArray[Any], ps: Sequence[float], ordered: NDArray[Any]) -> list[Quantile | None]:
    """``quantile`` for each of ``ps``: their spectra are taken together."""
    n = len(times)
    values = [_at(ordered, p * (n + 1)) if n >= math.log(0.025) / math.log(p) else None for p in ps]
    bounded = [n * (1 - p) >= TAIL_SAMPLES - 1e-6 for p in ps]
    wanted = [(p, value) for p, value, some in zip(ps, values, bounded) if some and value is not None]
    sizes = iter(effective_sizes(times, wanted))
    found: list[Quantile | None] = []
    for p, value, some in zip(ps, values, bounded):
        if value is None:
            found.append(None)
            continue
        ranks = _ranks(n, p, next(sizes)) if some else None
        if ranks is None:
            found.append(Quantile(value * 1e-9, None, None))
            continue
        low, high = (_at(ordered, rank) for rank in ranks) if ranks[1] > ranks[0] else (value, value)
        found.append(Quantile(value * 1e-9, low * 1e-9, high * 1e-9, valley=_in_valley(ordered, *ranks)))
    return found


def effective_size(times: NDArray[Any], p: float, value: float) -> float:
    """How many independent samples bound the p-quantile as well as ``times`` do: n·p(1−p) ÷ Ω, with Ω the long-run
    variance of the indicator that a sample is at most ``value``; the doubt about Ω itself is charged as (z ÷ t)².
    Infinite where the indicator never changes."""
    return effective_sizes(times, ((p, value),))[0]


def effective_sizes(times: NDArray[Any], quantiles: Sequence[tuple[float, float]]) -> list[float]:
    """``effective_size`` for several quantiles: each p with its value."""
    if not quantiles:
        return []
    n = len(times)
    exact = times.dtype.kind == "i"
    limits = [math.floor(value) if exact else value for _, value in quantiles]
    variances, terms = _long_run_variances(times <= np.array(limits)[:, None])
    charged = (Z95 / student_t95(terms)) ** 2
    return [
        float(n * p * (1 - p) / variance * charged) if variance > 0.0 else math.inf
        for (p, _), variance in zip(quantiles, variances)
    ]


def long_run_variance(series: NDArray[Any]) -> tuple[float, int]:
    """(Ω, ν): n times the variance of the mean of an autocorrelated ``series`` from its first ν cosine transforms,
    ν = ⌊0.4 n^⅔⌋. Long series are averaged to blocks first, ν then being 128 at most."""
    variances, terms = _long_run_variances(series[None, :])
    return variances[0], terms


def _long_run_variances(many: NDArray[Any]) -> tuple[list[float], int]:
    """Ω of each of several series of one length, and ν."""
    n = many.shape[1]
    terms = min(MAX_TERMS, max(1, int(0.4 * n ** (2 / 3))))
    width = -(-n // MAX_BLOCKS)
    blocks = n // width
    if width == 1:
        means: Floats = many.astype(np.float64)
    else:
        means = many[:, : blocks * width].reshape(len(many), blocks, width).mean(axis=2, dtype=np.float64)
    means -= np.add.reduce(means, axis=1, keepdims=True) / blocks
    spectra = np.fft.rfft(means, 2 * blocks)[:, 1 : terms + 1]
    cosines = (spectra * _turn(terms, blocks)).real * math.sqrt(2 / blocks)
    return [float(each / terms) * width for each in np.add.reduce(cosines * cosines, axis=1)], terms


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
    ok, done, issued = columns.ok, columns.done, columns.issued
    good = np.count_nonzero(ok)
    if not good:
        return None
    begin, end = int(columns.scheduled[0]), int(issued[-1])
    units = float(_samples(columns, good == len(ok)))
    if good < TAIL_SAMPLES:
        return (units / ((int(done.max()) - begin) * 1e-9), None) if done.max() > begin else None
    late = ((done > end) & ok).nonzero()[0]
    undone = np.maximum(done[late] - np.maximum(issued[late], begin), 1)
    units -= float(np.add.reduce(columns.units[late] * np.minimum(1.0, (done[late] - end) / undone)))
    pauses = columns.pauses
    span = end - begin - (int((pauses[:, 1] - pauses[:, 0]).sum()) if len(pauses) else 0)
    if span <= 0:
        return None
    rate = units / (span * 1e-9)
    gaps = mean_interval(_gaps(columns, good == len(ok)))
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


def _ranks(n: int, p: float, size: float) -> tuple[float, float] | None:
    """The fractional ranks among ``n`` samples, worth ``size`` independent ones, between which the p-quantile's
    interval lies; equal where every sample is the same."""
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
    if width <= VALLEY_WIDTH * float(inside[0]):
        return False
    return float(np.maximum.reduce(inside[1:] - inside[:-1])) > VALLEY_GAP * width


@lru_cache(maxsize=256)
def _rank(size: float, p: float, level: float) -> float | None:
    """The fractional rank r in a sample of ``size`` whose order statistic lies below the p-quantile with probability
    ``level``: I_p(r, size + 1 − r) = level. Absent where there is none within the sample."""

    def excess(rank: float) -> float:
        return incomplete_beta(rank, size + 1 - rank, p) - level

    if p**size > level or 1 - (1 - p) ** size < level:  # I_p(size, 1) and I_p(1, size)
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


def _sorted(values: Ints) -> Ints:
    found = values.copy()
    found.sort()
    return found


def _samples(columns: Columns, all_good: bool) -> int:
    return int(np.add.reduce(columns.units if all_good else columns.units[columns.ok], dtype=np.int64))


def _gaps(columns: Columns, all_good: bool) -> Ints:
    """Time between ends, in ns, without the harness's pauses."""
    done = _sorted(columns.done if all_good else columns.done[columns.ok])
    pauses = columns.pauses
    if len(pauses):
        paused = np.concatenate(([0], np.cumsum(pauses[:, 1] - pauses[:, 0])))
        done -= paused[np.searchsorted(pauses[:, 0], done, side="left")]
    gaps: Ints = done[1:] - done[:-1]
    return gaps
