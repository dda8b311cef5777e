"""Whether a timed pass can be trusted: recomputed from its raw columns and the harness's evidence, never from what
the settings promise. Each check gives at most one line; a measurement without any is valid.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelbench.measure import stats
from accelbench.measure.columns import Columns, Ints
from accelbench.measure.stats import Floats, Summary, median
from accelbench.model import Audit, Measurement

INSTABILITY = "instability"
"""How the reasons begin that say that the machine changed during the pass."""

OVERHEAD_SHARE = 0.02
"""The most that the harness itself may take of what it measures: its own cost, and its lateness."""

TAIL_SHARE = 0.1
"""The most that the 99th percentile of the lateness may be of that of the latency."""

CANARY_NS, CANARY_SHARE = 2_500_000, 0.25
CALIBRATION_RATIO = 1.15
STEAL_SHARE, STEAL_TICK_NS = 0.02, 20_000_000
STALL_NS, STALL_RATIO, STALL_SHARE = 50_000_000, 20.0, 0.02
TIME_BLOCKS, BLOCK_LEAST = 16, 16
SHIFT_RATIO, SHIFT_ERRORS = 1.2, 6.0


def reasons(measurement: Measurement, columns: Columns, known: Summary | None = None) -> tuple[str, ...]:
    """Why the measurement is not valid, one line each; empty for a valid one. ``known`` is the summary of the columns,
    if at hand."""
    if not len(columns) or not columns.ok.any():
        return (*_ended(measurement, columns), "no query ended well")
    found = [
        *_ended(measurement, columns),
        *_clock(columns),
        *_samples(measurement, columns, known),
        *_schedule(measurement, columns),
        *_overhead(measurement, columns),
        *_held(measurement.audit),
        *_stalled(columns),
        *_unstable(columns),
        *_host(measurement.audit, columns),
    ]
    return tuple(found)


def excess_lag(columns: Columns, servers: int) -> Ints:
    """How much later than it could each query of an open loop was issued, in ns: issued − max(scheduled, the time at
    which one of ``servers`` was free by the *recorded* ends). Queueing is not in it: the recursion of Kiefer and
    Wolfowitz (1955), started anew at each query."""
    free = np.sort(columns.done)
    earliest = columns.scheduled.copy()
    if len(columns) > servers:
        np.maximum(earliest[servers:], free[:-servers], out=earliest[servers:])
    lag: Ints = columns.issued - earliest
    return lag


def time_shift(columns: Columns) -> float | None:
    """By which ratio the medians of the service times in 16 stretches of the pass span, where that is more than noise
    and short memory explain; None where it is not, or with fewer than 256 queries. Each time is taken relative to the
    median of its feed, so that feeds of different length are no instability."""
    times = (columns.done - columns.issued)[columns.ok].astype(np.float64)
    if len(times) < TIME_BLOCKS * BLOCK_LEAST or times.min() <= 0:
        return None
    logs = np.log(times)
    relative = logs - _per_feed(logs, columns.feed[columns.ok])
    length, longer = divmod(len(relative), TIME_BLOCKS)
    lengths = [length + 1] * longer + [length] * (TIME_BLOCKS - longer)
    ends = list(accumulate(lengths))
    medians = np.array([median(relative[end - size : end]) for end, size in zip(ends, lengths)])
    around = relative - np.repeat(medians, lengths)
    spread = median(np.abs(around)) * 1.4826
    error = 1.2533 * spread * _memory(around, 3 * spread) / np.sqrt(lengths[0])
    span = float(medians.max() - medians.min())
    return float(np.exp(span)) if span > max(np.log(SHIFT_RATIO), SHIFT_ERRORS * error) else None


def _ended(measurement: Measurement, columns: Columns) -> Iterator[str]:
    failed = int((~columns.ok).sum())
    if failed:
        unserved = int((~columns.ok & (columns.issued == columns.done)).sum())
        detail = f", {unserved} of them never issued before the pass ended" if unserved else ""
        yield f"errors: {failed} of {len(columns)} queries failed{detail}"
    if measurement.stop_reason == "interrupted":
        yield "interrupted: the pass was ended by hand"


def _clock(columns: Columns) -> Iterator[str]:
    if (columns.done < columns.issued).any() or (columns.issued < columns.scheduled).any():
        yield "clock: a query ended before it began, so the clock was set back during the pass"


def _samples(measurement: Measurement, columns: Columns, known: Summary | None) -> Iterator[str]:
    statistic = measurement.plan.stop.statistic
    if known is not None and statistic in known.quantiles:
        found = known.quantiles[statistic]
        half_width = found.half_width if found else None
    else:
        half_width = stats.knowledge(columns, statistic).half_width
    if half_width is None:
        yield f"too few samples: {int(columns.ok.sum())} queries carry no interval of the {statistic}"


def _schedule(measurement: Measurement, columns: Columns) -> Iterator[str]:
    if measurement.plan.scenario != "server":
        return
    served = columns.done > columns.issued
    lag = excess_lag(columns, measurement.concurrency)[served]
    times = (columns.done - columns.scheduled)[served]
    if not len(lag):
        return
    worst = [
        (f"{name} {late / 1e6:.3g} ms of {whole / 1e6:.3g} ms")
        for name, late, whole, share in (
            ("p50", np.median(lag), np.median(times), OVERHEAD_SHARE),
            ("mean", lag.mean(), times.mean(), OVERHEAD_SHARE),
            ("p99", np.quantile(lag, 0.99), np.quantile(times, 0.99), TAIL_SHARE),
        )
        if late > share * whole
    ]
    if worst:
        yield f"schedule not kept: queries were issued later than queueing explains ({', '.join(worst)})"


def _overhead(measurement: Measurement, columns: Columns) -> Iterator[str]:
    cost = measurement.audit.overhead_ns
    if cost is None:
        return
    times = stats.latencies(columns)
    if measurement.plan.purpose == "latency" or measurement.plan.scenario == "server":
        per_query = median(times)
    else:
        per_query = float(columns.done.max() - columns.scheduled[0]) / len(times)
    if cost > OVERHEAD_SHARE * per_query:
        yield (
            f"overhead: the harness takes {cost / 1e3:.3g} µs per query, {cost / max(per_query, 1.0):.0%} of the "
            f"{per_query / 1e3:.3g} µs measured"
        )


def _held(audit: Audit) -> Iterator[str]:
    canaries = audit.canary_ns
    if len(canaries) >= 2:
        held = sum(canary > CANARY_NS for canary in canaries) / len(canaries)
        if held > CANARY_SHARE:
            yield (
                f"interpreter held: {held:.0%} of the short sleeps between queries ended over {CANARY_NS / 1e6:g} ms "
                "late, so another thread of the process was busy"
            )


def _stalled(columns: Columns) -> Iterator[str]:
    times = (columns.done - columns.issued)[columns.ok]
    longest, typical = int(times.max()), median(times)
    span = int(columns.done.max() - columns.scheduled[0])
    if longest > max(STALL_NS, STALL_RATIO * typical) and longest > STALL_SHARE * span:
        yield f"stalled: one query took {longest / 1e9:.3g} s, {longest / max(typical, 1.0):.3g} times the median"


def _unstable(columns: Columns) -> Iterator[str]:
    shift = time_shift(columns)
    if shift is not None:
        yield f"{INSTABILITY}: within the pass the median service time moved by a factor of {shift:.3g}"


def _host(audit: Audit, columns: Columns) -> Iterator[str]:
    before, after = _typical(audit.calibration_before_ns), _typical(audit.calibration_after_ns)
    if before and after and max(before, after) > CALIBRATION_RATIO * min(before, after):
        times = f"{before / 1e6:.3g} ms before the pass and {after / 1e6:.3g} ms after it"
        yield f"{INSTABILITY}: a fixed kernel took {times}"
    span = int(columns.done.max() - columns.scheduled[0])
    if audit.steal_ns is not None and audit.steal_ns > STEAL_SHARE * span + STEAL_TICK_NS:
        yield f"{INSTABILITY}: the hypervisor took {audit.steal_ns / 1e9:.3g} s of CPU time during the pass"


def _typical(times: tuple[int, ...]) -> float | None:
    return median(np.array(times)) if times else None


def _memory(around: Floats, limit: float) -> float:
    """By how much the short memory of a series widens the error of its means: √((1 + φ) ÷ (1 − φ)), φ being the
    correlation of neighbours, at least 0, of values cut off at ±``limit``."""
    cut = around.clip(-limit, limit)
    variance = float(np.add.reduce(cut * cut) / len(cut))
    together = float(np.add.reduce(cut[1:] * cut[:-1]) / (len(cut) - 1))
    correlation = together / variance if variance > 0 else 0.0
    correlation = min(0.95, max(0.0, correlation))
    return float(np.sqrt((1 + correlation) / (1 - correlation)))


def _per_feed(values: Floats, feed: NDArray[np.integer[Any]]) -> Floats:
    """For each value the median of its feed's values."""
    centre = np.zeros(int(feed.max()) + 1)
    order = np.argsort(feed, kind="stable")
    kinds, grouped = feed[order], values[order]
    bounds = [0, *(np.flatnonzero(kinds[1:] != kinds[:-1]) + 1).tolist(), len(kinds)]
    for begin, end in zip(bounds, bounds[1:]):
        centre[kinds[begin]] = median(grouped[begin:end])
    mine: Floats = centre[feed]
    return mine
