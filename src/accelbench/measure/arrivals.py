"""When queries arrive in an open loop: schedules that are the same on every machine for the same seed.

Uniform numbers are the top 53 bits of a Philox stream; the logarithm that makes them exponential is correctly rounded
on all but freak values by every C library in use, and the sum is rounded to nanoseconds afterwards.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from accelbench.errors import UsageError
from accelbench.measure.columns import Ints
from accelbench.model import Plan


def poisson(rate: float, seconds: float, seed: int) -> Ints:
    """Arrivals of a Poisson process of ``rate`` per second over ``seconds``: int64 ns from its start, ascending."""
    if not rate > 0:
        raise UsageError(f"a server plan needs a rate above 0 queries per second, not {rate}")
    expected = rate * seconds
    count = int(expected + 10 * np.sqrt(expected) + 20)
    uniform = (np.random.Philox(seed).random_raw(count) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    gaps = np.log1p(-uniform) * (-1e9 / rate)
    times = np.cumsum(gaps)
    arrivals: Ints = np.rint(times[times < seconds * 1e9]).astype(np.int64)
    return arrivals


def bursts(rate: float, seconds: float, seed: int, size: int) -> Ints:
    """Poisson arrivals of bursts of ``size`` queries at once, ``rate`` queries per second on average."""
    return np.repeat(poisson(rate / size, seconds, seed), size)


def trace(path: Path) -> Ints:
    """Arrivals from a text file with one time in seconds per line, in ascending order."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "loadtxt: input contained no data")
            seconds = np.loadtxt(path, dtype=np.float64, ndmin=1)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} is no trace of arrivals: one time in seconds per line ({error})") from error
    if seconds.ndim != 1 or not np.isfinite(seconds).all() or (np.diff(seconds) < 0).any() or (seconds < 0).any():
        raise UsageError(f"{path}: arrivals must be finite, at least 0 and in ascending order, one per line")
    arrivals: Ints = np.rint(seconds * 1e9).astype(np.int64)
    return arrivals


def scheduled(plan: Plan, recorded: Path | None = None) -> Ints:
    """The arrivals that a ``server`` plan follows: those of the trace in the file ``recorded``, up to the plan's time
    limit, if the plan names one, else drawn. Raises UsageError for a plan without either."""
    if plan.trace is None:
        return bursts(plan.rate or 0.0, plan.stop.max_s, plan.seed, plan.burst)
    if recorded is None:
        raise UsageError(f"the trace {plan.trace[:12]}… of the plan is not at hand")
    arrivals = trace(recorded)
    if sha256(arrivals) != plan.trace:
        raise UsageError(f"{recorded} is not the trace {plan.trace[:12]}… that the plan names")
    due = arrivals[arrivals < plan.stop.max_s * 1e9]
    if not len(due):
        raise UsageError(f"the trace has no arrival within {plan.stop.max_s:g} s: set a longer --max-time")
    return due


def sha256(arrivals: Sequence[int] | Ints) -> str:
    """Hash of a schedule: over its times as little-endian int64 ns."""
    return hashlib.sha256(np.ascontiguousarray(arrivals, dtype="<i8").tobytes()).hexdigest()
