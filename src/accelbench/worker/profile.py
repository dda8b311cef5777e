"""Time per operator, seen from inside the worker: a plain session is timed by the harness, then the stack's profiler
tells its kernels' times. The two clocks are kept apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Callable

from accelbench.backends.protocol import Feed, Profiler, Session
from accelbench.errors import WorkerError
from accelbench.measure.clock import REAL, Clock
from accelbench.measure.lanes import lanes
from accelbench.measure.load import block, measure
from accelbench.measure.stats import latencies
from accelbench.model import OpTime, Plan, Stop

LIMIT_S = 10.0
"""The plain session is timed no longer than this."""

WARM_RUNS, WARM_SHARE = 3, 0.2
"""Runs under the profiler that do not count: at least so many, and at least this share of those that do."""


@dataclass(frozen=True)
class ProfileFacts:
    """``times`` are the stack's own account, over the ``profiled_ns`` runs. Latencies are the harness's, in ns: those
    of the plain session, and those of the session with the profiler on."""

    times: tuple[OpTime, ...]
    plain_ns: tuple[int, ...]
    profiled_ns: tuple[int, ...]


def profile(
    load: Callable[[], Session],
    profiler: Callable[[], Profiler],
    feeds: Sequence[Feed],
    runs: int,
    clock: Clock = REAL,
) -> ProfileFacts:
    """Run ``feeds`` in turns, ``runs`` times on a session that ``load`` gives and then as often on one of ``profiler``.

    Raises what the stack raises, and WorkerError (protocol) for an answer that is no account of kernels."""
    plain = load()
    try:
        plain_ns = _plain_ns(plain, feeds, runs, clock)
    finally:
        plain.close()
    del plain
    session = profiler()
    try:
        return _profiled(session, feeds, runs, clock, plain_ns)
    finally:
        session.close()


def _plain_ns(session: Session, feeds: Sequence[Feed], runs: int, clock: Clock) -> tuple[int, ...]:
    """Latencies alone: outputs that the harness kept may be the session's memory, and must be gone when it closes."""
    plan = Plan("single_stream", Stop(max_s=LIMIT_S, max_queries=runs))
    timed = measure(session, feeds, plan, threads=False, submit=False, concurrency=1, clock=clock, audited=False)
    if timed.errors:
        raise WorkerError("raised", timed.errors[0])
    return tuple(int(value) for value in latencies(timed.columns))


def _profiled(
    session: Profiler, feeds: Sequence[Feed], runs: int, clock: Clock, plain_ns: tuple[int, ...]
) -> ProfileFacts:
    for run in range(max(WARM_RUNS, math.ceil(runs * WARM_SHARE))):
        session.run(feeds[run % len(feeds)])
    lane = lanes(feeds, 1)[0]
    session.begin()
    ended = block(session.run, lane, runs, clock.now)
    if isinstance(ended, Exception):
        raise ended
    times = checked(session.end())
    return ProfileFacts(times, plain_ns, tuple(done - issued for issued, done in zip(lane.issued, lane.done)))


def checked(told: Any) -> tuple[OpTime, ...]:
    """What ``end`` gave, if it is an account of kernels. Raises WorkerError (protocol) that says what is wrong."""
    if not isinstance(told, Sequence) or isinstance(told, (str, bytes)):
        raise WorkerError("protocol", f"end() of the profiler gave a {type(told).__name__}, not a sequence of OpTime")
    for each in told:
        if not isinstance(each, OpTime):
            raise WorkerError("protocol", f"end() of the profiler gave a {type(each).__name__}, not an OpTime")
        for field in ("ns", "calls"):
            value = getattr(each, field)
            if not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
                raise WorkerError(
                    "protocol",
                    f"end() of the profiler: {field} of {each.name} is {value!r}, not a number from 0",
                )
    if not told:
        raise WorkerError("protocol", "end() of the profiler gave no kernel at all")
    return tuple(told)
