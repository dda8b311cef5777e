"""A session under MLPerf's LoadGen, in a process that does nothing else and ends afterwards.

LoadGen issues the queries and keeps the time, so this is another clock than ours. Its module is on the path of this one
process alone. A callback of it must never raise (the process would die), every query must be completed (it would wait
for ever), and the settings are set field by field: what ``session.run`` raises is kept, and the query completed.
"""

from __future__ import annotations

import gc
import importlib
import math
import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import cycle
from pathlib import Path
from queue import SimpleQueue
from typing import Any, cast

import numpy as np

from accelbench.backends.protocol import AsyncSession, Feed, Outputs, Session
from accelbench.errors import UsageError
from accelbench.measure import load, stats
from accelbench.model import Plan, Stop

MODULE = "mlperf_loadgen"
SCENARIOS = {
    "single_stream": "SingleStream",
    "multi_stream": "MultiStream",
    "server": "Server",
    "offline": "Offline",
}
WARMUP_S = 1.0
OFFLINE_SLACK = 1.1
"""On top of LoadGen's own 1.1: a run that is over before its time is invalid."""

CALLBACK_NS = 2_000
"""What LoadGen's callbacks cost per query from Python, about; without it a run of a session that does nothing would
last many times its time."""

MOST_QUERIES = 4_000_000
"""LoadGen makes all queries of a run beforehand, twice as many as the expected latency asks for."""

UNBOUND_S = 3600.0
"""The bound on latency that ``server`` is given where the plan has none."""

ENDING_S = 5.0
MOST_ERRORS = 8


@dataclass(frozen=True)
class Driven:
    """What our side of a LoadGen run saw: ``queries`` completed, ``failed`` of them because the session raised, the
    first distinct ``errors``, and the latency (ns) and rate (queries per second) of our warm-up, which LoadGen was
    told to expect."""

    queries: int
    failed: int
    errors: tuple[str, ...]
    expected_ns: float
    expected_rate: float


@dataclass(frozen=True)
class Expected:
    """What a warm-up of ours found: a query's median latency in ns, queries per second, how many were in flight, and
    whether they went by ``submit``."""

    latency_ns: float
    rate: float
    width: int
    together: bool


class SystemUnderTest:
    """The callbacks that LoadGen is given. One of its samples stands for one feed; with several per query
    (``multi_stream``) they are the samples of one feed. The feeds are rotated, whichever samples it names."""

    def __init__(self, complete: Any, session: Session, feeds: Sequence[Feed], expected: Expected) -> None:
        """``complete`` takes a list of LoadGen's query ids."""
        self.queries = 0
        self.errors: Counter[str] = Counter()
        self._complete = complete
        self._session = session
        self._feeds = cycle(feeds)
        self._width = expected.width
        self._free = threading.Semaphore(expected.width)
        self._arrived: SimpleQueue[list[int] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self.offline = self._submit_all if expected.together else self._run_all

    def query(self, ids: list[int], _samples: list[int]) -> None:
        """One query, run to its end in LoadGen's own thread."""
        try:
            self._session.run(next(self._feeds))
        except BaseException as error:
            self._note(error)
        self._end(ids)

    def arrive(self, ids: list[int], _samples: list[int]) -> None:
        """A query of ``server``: LoadGen's thread keeps the schedule, others run."""
        self._arrived.put(ids)

    def start(self) -> None:
        """Begin to take what arrives."""
        self._threads = self._crew(self._serve)

    def finish(self) -> None:
        """Let the threads that take what arrives end."""
        for _ in self._threads:
            self._arrived.put(None)
        for thread in self._threads:
            thread.join(ENDING_S)

    def _serve(self) -> None:
        for ids in iter(self._arrived.get, None):
            self.query(ids, ids)

    def _run_all(self, ids: list[int], _samples: list[int]) -> None:
        left = iter(ids)

        def work() -> None:
            for each in left:
                self.query([each], ids)

        if self._width == 1:
            work()
            return
        for thread in self._crew(work):
            thread.join()

    def _submit_all(self, ids: list[int], _samples: list[int]) -> None:
        session = cast(AsyncSession, self._session)
        for each in ids:
            self._free.acquire()
            try:
                session.submit(next(self._feeds), partial(self._done, each))
            except BaseException as error:
                self._done(each, error)

    def _done(self, each: int, ended: Outputs | BaseException) -> None:
        if isinstance(ended, BaseException):
            self._note(ended)
        self._free.release()
        self._end([each])

    def _crew(self, work: Any) -> list[threading.Thread]:
        threads = [threading.Thread(target=work, daemon=True) for _ in range(self._width)]
        for thread in threads:
            thread.start()
        return threads

    def _end(self, ids: list[int]) -> None:
        self.queries += 1
        self._complete(ids)

    def _note(self, error: BaseException) -> None:
        text = type(error).__name__
        with suppress(Exception):  # what cannot be shown still has a type
            text = f"{text}: {' '.join(str(error).split())[:500]}"
        self.errors[text] += 1


def drive(
    session: Session,
    feeds: Sequence[Feed],
    plan: Plan,
    folder: Path,
    *,
    threads: bool,
    submit: bool,
    concurrency: int,
) -> Driven:
    """Warm up, then one LoadGen run of ``plan`` on ``session``; its logs go to the existing ``folder``.

    ``feeds``, ``threads``, ``submit`` and ``concurrency`` are as ``measure.load`` takes them. Raises UsageError for a
    scenario that LoadGen does not have and for a session that fails in the warm-up.
    """
    if plan.scenario not in SCENARIOS:
        raise UsageError(f"LoadGen has no scenario {plan.scenario}: it has {', '.join(SCENARIOS)}")
    loadgen = importlib.import_module(MODULE)
    expected = _warm_up(session, feeds, plan, threads=threads, submit=submit, concurrency=concurrency)

    def complete(ids: list[int]) -> None:
        loadgen.QuerySamplesComplete([loadgen.QuerySampleResponse(each, 0, 0) for each in ids])

    sut = SystemUnderTest(complete, session, feeds, expected)
    issue = {"server": sut.arrive, "offline": sut.offline}.get(plan.scenario, sut.query)
    logs = loadgen.LogSettings()
    logs.log_output.outdir = str(folder.absolute())
    logs.enable_trace = False
    gc.collect()
    gc.freeze()
    gc.disable()
    if plan.scenario == "server":
        sut.start()
    count = max(len(feeds), plan.batch)
    handle = loadgen.ConstructFastSUT(issue, _nothing)
    library = loadgen.ConstructQSL(count, count, _nothing, _nothing)
    # The name of a file that is not there: LoadGen would take "audit.config" from the working directory.
    audit = str(folder.absolute() / "no-audit.config")
    loadgen.StartTestWithLogSettings(handle, library, settings(loadgen, plan, expected), logs, audit)
    sut.finish()
    loadgen.DestroyQSL(library)
    loadgen.DestroyFastSUT(handle)
    return Driven(
        queries=sut.queries,
        failed=sum(sut.errors.values()),
        errors=tuple(sut.errors)[:MOST_ERRORS],
        expected_ns=expected.latency_ns,
        expected_rate=expected.rate,
    )


def settings(loadgen: Any, plan: Plan, expected: Expected) -> Any:
    """LoadGen's TestSettings for ``plan``.

    LoadGen cannot stop when an interval is narrow, so it runs for the whole of ``plan.stop.max_s``, or, where the plan
    counts queries, for so many.
    """
    made = loadgen.TestSettings()
    made.mode = loadgen.TestMode.PerformanceOnly
    made.scenario = getattr(loadgen.TestScenario, SCENARIOS[plan.scenario])
    counted = plan.stop.max_queries
    seconds = 0.0 if counted else plan.stop.max_s
    made.min_duration_ms = math.ceil(seconds * 1e3)
    made.min_query_count = counted or 1
    made.max_query_count = counted or 0
    latency_ns = math.ceil(max(expected.latency_ns + CALLBACK_NS, 2e9 * seconds / MOST_QUERIES))
    if plan.scenario == "single_stream":
        made.single_stream_expected_latency_ns = latency_ns
        made.max_duration_ms = made.min_duration_ms
    elif plan.scenario == "multi_stream":
        made.multi_stream_expected_latency_ns = latency_ns
        made.multi_stream_samples_per_query = plan.batch
        made.max_duration_ms = made.min_duration_ms
    elif plan.scenario == "offline":
        made.offline_expected_qps = OFFLINE_SLACK / (1 / expected.rate + CALLBACK_NS * 1e-9)
        made.max_query_count = 0
    else:
        made.server_target_qps = plan.rate
        made.server_target_latency_ns = math.ceil(1e9 * (plan.latency_bound_s or UNBOUND_S))
        if plan.latency_bound_s:
            made.server_target_latency_percentile = float(plan.stop.statistic.lstrip("p")) / 100
        if not counted:
            # As many arrivals as the time holds but with a chance of 1 in a million more.
            arrivals = (plan.rate or 0.0) * seconds
            made.min_query_count = math.ceil(arrivals + 5 * math.sqrt(arrivals))
    return made


def _warm_up(
    session: Session, feeds: Sequence[Feed], plan: Plan, *, threads: bool, submit: bool, concurrency: int
) -> Expected:
    short = replace(plan, stop=Stop(max_s=min(WARMUP_S, plan.stop.max_s), max_queries=plan.stop.max_queries))
    run = load.measure(session, feeds, short, threads=threads, submit=submit, concurrency=concurrency, audited=False)
    taken = stats.latencies(run.columns)
    if not len(taken):
        why = " ".join(run.errors[0].split()) if run.errors else f"no query ended within {short.stop.max_s:g} s"
        raise UsageError(f"LoadGen was not started, because the warm-up found no latency to expect: {why}")
    spent_ns = int(run.columns.done.max() - run.columns.issued.min())
    pace_ns = spent_ns * run.concurrency / len(taken)
    latency_ns = float(np.median(taken))
    return Expected(
        latency_ns=latency_ns,
        # By Little's law from the median as well: a host that was busy meanwhile lowers the first.
        rate=1e9 * max(len(taken) / max(1, spent_ns), run.concurrency / max(1.0, latency_ns)),
        width=run.concurrency,
        together=submit and not (threads and pace_ns < load.HANDED_OVER_NS),
    )


def _nothing(*_samples: object) -> None:
    """What LoadGen may call without any effect."""
