"""Whether a timed pass can be trusted: recomputed from its raw columns and the harness's evidence, never from what
the settings promise. Each check gives at most one line; a measurement without any is valid.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelbench.measure import stats
from accelbench.measure.columns import Columns, Ints
from accelbench.measure.stats import Floats, Summary, Times, median, middle
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
LEAST_SHIFT = float(np.log(SHIFT_RATIO))


def reasons(
    measurement: Measurement, columns: Columns, known: Summary | None = None, times: Times | None = None
) -> tuple[str, ...]:
    """Why the measurement is not valid, one line each; empty for a valid one. ``known`` is the summary of the columns
    and ``times`` their times, if at hand."""
    times = times or Times.of(columns)
    if not len(times.latencies):
        return (*_ended(measurement, columns, times), "no query ended well")
    span = int(columns.done.max() - columns.scheduled[0])
    found = [
        *_ended(measurement, columns, times),
        *_clock(columns),
        *_samples(measurement, columns, known),
        *_schedule(measurement, columns),
        *_overhead(measurement, times, span),
        *_held(measurement.audit),
        *_stalled(times, span),
        *_unstable(columns, times),
        *_host(measurement.audit, span),
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
    return _shift(columns, Times.of(columns))


def _shift(columns: Columns, times: Times) -> float | None:
    count = len(times.services)
    if count < TIME_BLOCKS * BLOCK_LEAST or times.services.min() <= 0:
        return None
    feed = columns.feed if times.all_good else columns.feed[columns.ok]
    relative = _relative_to_feed(np.log(times.services.astype(np.float64)), feed)
    length, longer = divmod(count, TIME_BLOCKS)
    cut = longer * (length + 1)
    medians = np.concatenate(
        (_medians(relative[:cut].reshape(longer, length + 1)), _medians(relative[cut:].reshape(-1, length)))
    )
    span = float(medians.max() - medians.min())
    if span <= LEAST_SHIFT:
        return None
    around = relative - np.repeat(medians, [length + 1] * longer + [length] * (TIME_BLOCKS - longer))
    spread = median(np.abs(around)) * 1.4826
    error = 1.2533 * spread * _memory(around, 3 * spread) / np.sqrt(length + 1 if longer else length)
    return float(np.exp(span)) if span > SHIFT_ERRORS * error else None


def _ended(measurement: Measurement, columns: Columns, times: Times) -> Iterator[str]:
    failed = len(columns) - len(times.latencies)
    if failed:
        unserved = int((~columns.ok & (columns.issued == columns.done)).sum())
        detail = f", {unserved} of them never issued before the pass ended" if unserved else ""
        yield f"errors: {failed} of {len(columns)} queries failed{detail}"
    if measurement.stop_reason == "interrupted":
        yield "interrupted: the pass was ended by hand"


def _clock(columns: Columns) -> Iterator[str]:
    scheduled, issued = columns.scheduled, columns.issued
    if (columns.done < issued).any() or (issued is not scheduled and (issued < scheduled).any()):
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


def _overhead(measurement: Measurement, times: Times, span: int) -> Iterator[str]:
    cost = measurement.audit.overhead_ns
    if cost is None:
        return
    if measurement.plan.purpose == "latency" or measurement.plan.scenario == "server":
        per_query = middle(times.ordered)
    else:
        per_query = float(span) / len(times.latencies)
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


def _stalled(times: Times, span: int) -> Iterator[str]:
    longest = int(times.services.max())
    if longest <= STALL_NS or longest <= STALL_SHARE * span:
        return
    typical = median(times.services)
    if longest > STALL_RATIO * typical:
        yield f"stalled: one query took {longest / 1e9:.3g} s, {longest / max(typical, 1.0):.3g} times the median"


def _unstable(columns: Columns, times: Times) -> Iterator[str]:
    shift = _shift(columns, times)
    if shift is not None:
        yield f"{INSTABILITY}: within the pass the median service time moved by a factor of {shift:.3g}"


def _host(audit: Audit, span: int) -> Iterator[str]:
    before, after = _typical(audit.calibration_before_ns), _typical(audit.calibration_after_ns)
    if before and after and max(before, after) > CALIBRATION_RATIO * min(before, after):
        times = f"{before / 1e6:.3g} ms before the pass and {after / 1e6:.3g} ms after it"
        yield f"{INSTABILITY}: a fixed kernel took {times}"
    if audit.steal_ns is not None and audit.steal_ns > STEAL_SHARE * span + STEAL_TICK_NS:
        yield f"{INSTABILITY}: the hypervisor took {audit.steal_ns / 1e9:.3g} s of CPU time during the pass"


def _typical(times: tuple[int, ...]) -> float | None:
    return middle(sorted(times)) if times else None


def _memory(around: Floats, limit: float) -> float:
    """By how much the short memory of a series widens the error of its means: √((1 + φ) ÷ (1 − φ)), φ being the
    correlation of neighbours, at least 0, of values cut off at ±``limit``."""
    cut = around.clip(-limit, limit)
    variance = float(np.add.reduce(cut * cut) / len(cut))
    together = float(np.add.reduce(cut[1:] * cut[:-1]) / (len(cut) - 1))
    correlation = together / variance if variance > 0 else 0.0
    correlation = min(0.95, max(0.0, correlation))
    return float(np.sqrt((1 + correlation) / (1 - correlation)))


def _relative_to_feed(values: Floats, feed: NDArray[np.integer[Any]]) -> Floats:
    """Each value less the median of its feed's values."""
    order = np.lexsort((values, feed))
    kinds, grouped = feed[order], values[order]
    bounds = np.concatenate(([0], (kinds[1:] != kinds[:-1]).nonzero()[0] + 1, [len(kinds)]))
    begins, ends = bounds[:-1], bounds[1:]
    centres = (grouped[(begins + ends - 1) // 2] + grouped[(begins + ends) // 2]) / 2
    relative = np.empty_like(values)
    relative[order] = grouped - np.repeat(centres, ends - begins)
    return relative


def _medians(rows: Floats) -> Floats:
    """The median of each row."""
    ordered = np.sort(rows, axis=1)
    length = rows.shape[1]
    found: Floats = (ordered[:, (length - 1) // 2] + ordered[:, length // 2]) / 2
    return found
