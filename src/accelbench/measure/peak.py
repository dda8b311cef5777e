"""The most that a session can do within a bound: the highest rate of an open loop that keeps a latency, and the best
batch or concurrency. Every probe is kept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Callable

from accelbench.errors import UsageError
from accelbench.measure import stats
from accelbench.measure.columns import Columns
from accelbench.measure.special import incomplete_beta

DOUBT = 0.05
"""A bound is called met or missed where the opposite would look so in at most 5 % of probes."""

REPEATS, CONFIRMATIONS, PRECISION = 3, 2, 0.05
GAIN = 1.05


@dataclass(frozen=True)
class Probe:
    """One pass at ``rate``: whether the bound was met, None where the samples leave it open."""

    rate: float
    met: bool | None


@dataclass(frozen=True)
class Peak:
    """The highest rate at which the bound was met and confirmed; None where it was met nowhere in the range."""

    rate: float | None
    probes: tuple[Probe, ...]


def meets(columns: Columns, p: float, bound_s: float) -> bool | None:
    """Whether the p-quantile of the latencies is within ``bound_s``; None where the samples leave it open.

    The number of queries beyond the bound against a binomial distribution of the effective size, one-sided at 5 %
    either way. A failed query is beyond any bound.
    """
    if not len(columns):
        return None
    beyond = (columns.done - columns.scheduled > bound_s * 1e9) | ~columns.ok
    n, share = len(beyond), float(beyond.mean())
    variance, _ = stats.long_run_variance(beyond)
    size = n * min(1.0, share * (1 - share) / variance) if variance > 0 else float(n)
    count = share * size
    if share == 1.0:
        return False
    if incomplete_beta(size - count, count + 1, p) <= DOUBT:
        return True
    if count > 0 and 1 - incomplete_beta(size - count + 1, count, p) <= DOUBT:
        return False
    return None


def highest_rate(
    probe: Callable[[float], bool | None], start: float, least: float, most: float, precision: float = PRECISION
) -> Peak:
    """The highest rate between ``least`` and ``most`` at which ``probe(rate)`` says that the bound is met.

    Doubles or halves from ``start`` until the peak lies between two rates, bisects to ``precision``, and confirms by
    two more probes, stepping down where one contradicts. An open probe is repeated up to three times; one that stays
    open counts as missed.
    """
    if not 0 < least <= start <= most:
        raise UsageError(f"a search needs 0 < lowest ≤ first ≤ highest rate, not {least}, {start}, {most}")
    probes: list[Probe] = []

    def met(rate: float) -> bool:
        for _ in range(REPEATS):
            probes.append(Probe(rate, probe(rate)))
            if probes[-1].met is not None:
                break
        return probes[-1].met is True

    low, high = _bracket(met, start, least, most)
    while low and high > low * (1 + precision):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if met(middle) else (low, middle)
    while low:
        if all(met(low) for _ in range(CONFIRMATIONS)):
            return Peak(low, tuple(probes))
        low = low / (1 + precision) if low / (1 + precision) >= least else 0.0
    return Peak(None, tuple(probes))


def confirmed(probes: Sequence[Probe]) -> float | None:
    """The rate that a search ended with, read off its probes: that of the last ones, if they confirm each other."""
    last = probes[-CONFIRMATIONS:]
    if len(last) < CONFIRMATIONS or any(each.met is not True or each.rate != last[0].rate for each in last):
        return None
    return last[0].rate


def best_setting(
    throughput: Callable[[int], float | None], settings: Sequence[int]
) -> tuple[int | None, dict[int, float]]:
    """The smallest setting (batch, concurrency) whose throughput no larger one beats by 5 %, and all throughputs that
    were tried. Stops when two settings in a row bring less than that; a setting without throughput ends the climb."""
    found: dict[int, float] = {}
    best: int | None = None
    idle = 0
    for setting in settings:
        rate = throughput(setting)
        if rate is None:
            break
        found[setting] = rate
        if best is None or rate > GAIN * found[best]:
            best, idle = setting, 0
        else:
            idle += 1
        if idle == 2:
            break
    return best, found


def _bracket(met: Callable[[float], bool], start: float, least: float, most: float) -> tuple[float, float]:
    """Two rates, met and missed, at most a factor of 2 apart; (0, …) where none is met, equal where all are."""
    rate = start
    if met(rate):
        while rate < most:
            ahead = min(2 * rate, most)
            if not met(ahead):
                return rate, ahead
            rate = ahead
        return rate, rate
    while rate > least:
        behind = max(rate / 2, least)
        if met(behind):
            return behind, rate
        rate = behind
    return 0.0, rate
