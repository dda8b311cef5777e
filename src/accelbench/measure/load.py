"""The loops that put load on a session: the one place where queries are timed.

A query is issued when its feed is handed to the session and done when its outputs are in host memory. In closed loops
a lane issues its next query when the one before is done; in the open loop (``server``) queries are due at scheduled
times, and each of K threads takes the next one, waits for its time, runs it and records it: an exact first-come
first-served queue before K servers, without a queue and without handing anything over.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import count, cycle, islice
from queue import Empty, SimpleQueue
from typing import Callable, cast

import numpy as np

from accelbench.backends.protocol import AsyncSession, Feed, Outputs, Session
from accelbench.errors import UsageError
from accelbench.measure import arrivals, audit, crew, stats
from accelbench.measure.clock import REAL, Clock
from accelbench.measure.columns import Columns, Ints
from accelbench.measure.instances import Member, members_of
from accelbench.measure.lanes import Lane, Sample, lanes, merge, scheduled_lane
from accelbench.measure.warmup import is_stationary
from accelbench.measure.watch import Ended, Watch
from accelbench.model import Audit, Measurement, Plan, Scenario, Stop, StopReason

HANDED_OVER_NS = 1_000_000
"""Queries shorter than this go by threads where the session takes both: handing a completion from the stack's thread
to the one that submits costs some 0.1 ms."""

WARMUP_SHARE, WARMUP_LIMIT_S, WARMUP_ROUND_S = 0.2, 30.0, 0.04
OVERHEAD_QUERIES, OVERHEAD_PASSES = 4_000, 5

FLUSH_QUERIES = 4_096
"""So many queries of a block are in lists before they go to the columns: more would not stay in the cache."""


@dataclass(frozen=True, eq=False)
class Run:
    """One timed pass: the raw columns and what the harness knows beside them. ``samples`` are the outputs of queries
    chosen at random, ``errors`` the first distinct texts of what the session raised, ``began_ns`` the clock's reading
    at the begin of the pass."""

    columns: Columns
    stop_reason: StopReason
    concurrency: int
    warmup_queries: int
    warmup_s: float
    stationary: bool
    audit: Audit
    samples: tuple[Sample, ...]
    errors: tuple[str, ...]
    began_ns: int

    def measurement(self, plan: Plan, columns: str) -> Measurement:
        """The run as a report stores it, its raw columns being in the folder ``columns``."""
        return Measurement(
            plan=plan,
            columns=columns,
            queries=len(self.columns),
            stop_reason=self.stop_reason,
            concurrency=self.concurrency,
            warmup_queries=self.warmup_queries,
            warmup_s=self.warmup_s,
            stationary=self.stationary,
            audit=self.audit,
            errors=self.errors,
            began_ns=self.began_ns,
        )


@dataclass(frozen=True)
class Ability:
    """What the backend declares: several threads may call ``run`` at once; the session takes ``submit``."""

    threads: bool
    submit: bool


@dataclass(frozen=True)
class Warm:
    """How the warm-up went. ``pace_ns`` is the time of one query on one lane, ``watch`` that of its last round;
    ``ability`` is what the pass is to make use of."""

    ability: Ability
    queries: int
    seconds: float
    stationary: bool
    pace_ns: float
    watch: Watch


def measure(
    session: Session,
    feeds: Sequence[Feed],
    plan: Plan,
    *,
    threads: bool,
    submit: bool,
    concurrency: int,
    clock: Clock = REAL,
    audited: bool = True,
    schedule: Ints | None = None,
) -> Run:
    """Warm up, then time one pass of ``plan`` on ``session``.

    ``feeds`` are complete feeds in memory, each of ``plan.batch`` samples; they are rotated. ``threads`` and
    ``submit`` are the backend's declared abilities; ``concurrency`` is what the stack asks for, unless the plan says.
    What the session raises is recorded, never passed on; so is an interrupt from the keyboard. Without ``audited``
    the host is not looked at (tests under a fake clock). ``schedule`` are the arrivals of a ``server`` plan, drawn as
    the plan says by default. Raises UsageError for a plan that cannot be run.
    """
    ability = Ability(threads, submit)
    if not feeds:
        raise UsageError("a timed pass needs at least one feed")
    width = _width(plan, ability, concurrency)
    if plan.scenario == "server" and schedule is None:
        schedule = arrivals.scheduled(plan)
    with _quiet():
        before = audit.look(audited)
        warm = _warm_up(session, feeds, plan, ability, width, clock)
        watch = warm.watch
        resident = audit.resident_bytes() if audited else None
        if watch.reason not in ("error", "interrupted"):
            watch = _drive(session, feeds, plan, warm.ability, width, clock, audited, warm.pace_ns, schedule)
        after = audit.look(audited)
        overhead = null_overhead() if audited else None
    columns, samples = merge(watch.lanes, watch.begin, plan.batch, watch.kept, watch.pauses, watch.schedule)
    return Run(
        columns=columns,
        stop_reason=watch.reason or "time",
        concurrency=width,
        warmup_queries=warm.queries,
        warmup_s=warm.seconds,
        stationary=warm.stationary,
        audit=Audit(
            canary_ns=tuple(watch.canaries),
            calibration_before_ns=before.calibration_ns,
            calibration_after_ns=after.calibration_ns,
            overhead_ns=overhead[plan.purpose == "throughput"] if overhead else None,
            spin_share=watch.spin_share if plan.scenario == "server" else None,
            steal_ns=audit.difference(before.stolen_ns, after.stolen_ns),
            rss_before_bytes=resident,
            rss_after_bytes=None if after.rss_bytes is None else after.rss_bytes - _kept_bytes(watch),
        ),
        samples=samples,
        errors=tuple(watch.errors),
        began_ns=watch.begin,
    )


def _kept_bytes(watch: Watch) -> int:
    """The harness's own memory that a pass adds: the outputs that it kept."""
    return sum(value.nbytes for sample in watch.kept for value in sample.outputs.values())


@lru_cache(maxsize=1)
def null_overhead() -> tuple[float, float]:
    """What this loop itself adds on this host: (ns counted as latency, wall ns) per query of a session that does
    nothing, the medians of several short passes."""
    counted, wall = [], []
    for _ in range(OVERHEAD_PASSES):
        lane = lanes([{}], 1)[0]
        begun = time.perf_counter_ns()
        block(_nothing, lane, OVERHEAD_QUERIES, time.perf_counter_ns)
        wall.append((time.perf_counter_ns() - begun) / OVERHEAD_QUERIES)
        counted.append(float(np.mean(np.array(lane.done) - np.array(lane.issued))))
    return float(np.median(counted)), float(np.median(wall))


def _nothing(_feed: Feed) -> Outputs:
    return {}


# --- the loops ---------------------------------------------------------------------------------------------------


def block(run: Callable[[Feed], Outputs], lane: Lane, length: int, now: Callable[[], int]) -> Ended:
    """Run and time ``length`` queries, one after the other. Gives the last outputs, or the error that ended it."""
    begun, ended = lane.begun, lane.ended
    outputs: Ended = None
    start = 0
    try:
        for left in range(length, 0, -FLUSH_QUERIES):
            for feed in islice(lane.feeds, min(left, FLUSH_QUERIES)):
                start = now()
                outputs = run(feed)
                end = now()
                begun.append(start)
                ended.append(end)
            lane.flush()
    except Exception as error:
        begun.append(start)
        ended.append(now())
        lane.flush()
        lane.failed.append(len(lane) - 1)
        return error
    return outputs


def _one_lane(session: Session, lane: Lane, watch: Watch, clock: Clock) -> None:
    """Closed loop with one query in flight."""
    run, now = session.run, clock.now
    lane.running = True
    try:
        length = watch.next_block(lane, None)
        while length:
            length = watch.next_block(lane, block(run, lane, length, now))
    finally:
        lane.close()


def _serve(
    session: Session, lane: Lane, watch: Watch, clock: Clock, take: Iterator[int], feeds: Sequence[Feed]
) -> None:
    """Open loop: one of K threads that share the schedule."""
    run, now, wait_until = session.run, clock.now, clock.wait_until
    issue, finish, place = lane.issued.append, lane.done.append, lane.rows.append
    schedule = watch.schedule
    rows, kinds = len(schedule), len(feeds)
    start, left = 0, 1
    lane.running = True
    try:
        for row in take:
            if row >= rows or watch.reason is not None:
                break
            feed = feeds[row % kinds]
            place(row)
            wait_until(schedule[row])
            try:
                start = now()
                ended: Ended = run(feed)
                end = now()
            except Exception as error:
                end = now()
                lane.failed.append(len(lane))
                ended, left = error, 1
            issue(start)
            finish(end)
            left -= 1
            if not left:
                left = watch.between_arrivals(lane, ended)
    finally:
        lane.close()


def _submit(sessions: Sequence[Session], made: Sequence[Lane], watch: Watch, clock: Clock) -> None:
    """Closed loop on asynchronous sessions: one lane per query in flight, each with its session. This thread issues;
    the stack's own threads stamp the end."""
    now, free = clock.now, SimpleQueue[Lane]()
    asked: set[int] = set()
    calls = {id(lane): _ender(lane, watch, now, asked, free) for lane in made}
    submits = {id(lane): cast(AsyncSession, session).submit for lane, session in zip(made, sessions)}
    for lane in made:
        free.put(lane)
    length = watch.next_block(made[0], None)
    while length:
        try:
            lane = free.get(timeout=watch.left_s() + crew.GRACE_S)
        except Empty:
            break
        feed = next(lane.feeds)
        length -= 1
        if not length:
            asked.add(id(lane))
        lane.issued.append(now())
        try:
            submits[id(lane)](feed, calls[id(lane)])
        except Exception as error:
            calls[id(lane)](error)
        if not length:
            length = watch.next_block(made[0], None)


def _ender(
    lane: Lane, watch: Watch, now: Callable[[], int], asked: set[int], free: SimpleQueue[Lane]
) -> Callable[[Ended], None]:
    """What the stack calls at the end of the lane's query: stamp, keep what is asked for, free the lane."""

    def done(ended: Ended) -> None:
        end = now()
        if isinstance(ended, Exception):
            lane.failed.append(len(lane.done))
        lane.done.append(end)
        if isinstance(ended, Exception) or id(lane) in asked:
            asked.discard(id(lane))
            watch.note(lane, ended)
        free.put(lane)

    return done


# --- from a plan to a pass ---------------------------------------------------------------------------------------


def _drive(
    session: Session,
    feeds: Sequence[Feed],
    plan: Plan,
    ability: Ability,
    width: int,
    clock: Clock,
    audited: bool,
    pace_ns: float,
    schedule: Ints | None = None,
) -> Watch:
    """One pass of the plan, from its first query to the end of its last."""
    made = [scheduled_lane(feeds) for _ in range(width)] if plan.scenario == "server" else lanes(feeds, width)
    together = ability.submit and plan.scenario in ("offline", "closed_loop")
    watch = Watch(plan, clock, made, together=together, audited=audited, pace_ns=pace_ns)
    by = list(islice(cycle(members_of(session)), width))
    works: list[Callable[[], None]]
    if schedule is not None:
        clock.calibrate()
        take = count()
        watch.follow(schedule)
        works = [_on(at, partial(_serve, at.session, lane, watch, clock, take, feeds)) for at, lane in zip(by, made)]
    elif together:
        works = [partial(_submit, [at.session for at in by], made, watch, clock)]
    else:
        works = [_on(at, partial(_one_lane, at.session, lane, watch, clock)) for at, lane in zip(by, made)]
    crew.carry_out(works, watch, clock)
    crew.settle(made, watch, clock)
    if plan.scenario == "server" and watch.reason in ("time", "error"):
        made.append(watch.unserved())
    return watch


def _on(member: Member, work: Callable[[], None]) -> Callable[[], None]:
    return partial(member.carry_out, work)


def _warm_up(session: Session, feeds: Sequence[Feed], plan: Plan, ability: Ability, width: int, clock: Clock) -> Warm:
    """Run the plan's load, closed, in rounds until the latencies show no trend or the limit is reached."""
    begin = clock.now()
    limit_s = min(WARMUP_LIMIT_S, WARMUP_SHARE * plan.stop.max_s)
    scenario: Scenario = "closed_loop" if plan.scenario == "server" else plan.scenario
    round_s, queries, pace = WARMUP_ROUND_S, 0, 0.0
    times: list[Ints] = []
    stationary = False
    while not stationary:
        stop = Stop(max_s=min(round_s, limit_s), max_queries=plan.stop.max_queries)
        watch = _drive(session, feeds, replace(plan, scenario=scenario, stop=stop), ability, width, clock, False, pace)
        columns = watch.columns()
        times.append(stats.latencies(columns))
        queries += len(columns)
        spent_s = (clock.now() - begin) * 1e-9
        pace = max(1.0, (clock.now() - watch.begin) * width / max(1, len(columns)))
        if ability.threads and ability.submit and pace < HANDED_OVER_NS:
            ability = Ability(threads=True, submit=False)
            times.clear()
            continue
        stationary = is_stationary(np.concatenate(times))
        if watch.reason in ("error", "interrupted") or spent_s >= limit_s:
            break
        round_s = min(2 * round_s, limit_s - spent_s)
    return Warm(ability, queries, (clock.now() - begin) * 1e-9, stationary, pace, watch)


def _width(plan: Plan, ability: Ability, asked: int) -> int:
    """How many queries are in flight at once, as far as the session can."""
    if plan.scenario in ("single_stream", "multi_stream"):
        if plan.instances > 1:
            raise UsageError(f"{plan.scenario} has one query in flight: {plan.instances} instances would share it")
        return 1
    wanted = plan.concurrency or max(1, asked) * plan.instances
    if wanted < plan.instances:
        raise UsageError(f"a concurrency of {wanted} leaves some of {plan.instances} instances without queries")
    if ability.threads or (ability.submit and plan.scenario != "server"):
        return wanted
    return plan.instances


@contextmanager
def _quiet() -> Iterator[None]:
    """No garbage collection while queries are timed."""
    enabled = gc.isenabled()
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.unfreeze()
        if enabled:
            gc.enable()
