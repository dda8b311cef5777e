"""The harness on this host: what it adds to a query, how well it keeps a schedule, how fast it can go.

All figures come from the production loop with all columns recorded: over a session that does nothing, and over one
whose times are known, which tells whether what is measured is what was.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Callable

import numpy as np

from accelbench.backends.protocol import Feed, Outputs, Session
from accelbench.measure import stats
from accelbench.measure.columns import Columns, Ints
from accelbench.measure.load import Run, measure
from accelbench.model import Plan, Stop

RATES = (1000.0, 200.0, 20.0)
SLOW_RATE, SLOW_TIMES = 100.0, 4
TOP_SHARE = 0.2
TOP_LAG_NS = 60_000
TOP_RANGE = (5_000.0, 4_000_000.0)
KNOWN_MEAN_NS, KNOWN_SEED, KNOWN_LOAD = 200_000, 0, 0.5
"""Known times have this mean; in the open loop they keep the session busy for this share of the pass."""

QUANTILES = {"p50": 0.5, "p99": 0.99}
_NEVER = -1.0
"""A target that no interval reaches, so that every look is taken."""

_FEEDS: Sequence[Feed] = tuple({"x": np.full(1, i)} for i in range(8))


class NullSession:
    """Does nothing, at once."""

    _outputs: Outputs = {}  # noqa: RUF012 - never written

    def run(self, feed: Feed) -> Outputs:  # noqa: ARG002 - the protocol's
        return self._outputs

    def close(self) -> None:
        pass


class KnownSession:
    """Takes known times, one after the other: exponential ones, a distribution whose tail is long and whose queue is
    well understood. It keeps the processor busy for that time, so that nobody's timer has a say in it."""

    _outputs: Outputs = {}  # noqa: RUF012 - never written

    def __init__(self, seconds: float) -> None:
        """``seconds`` is the length of the pass that it is for."""
        count = int(8 * seconds * 1e9 / KNOWN_MEAN_NS) + 1_000
        drawn = np.random.default_rng(KNOWN_SEED).exponential(KNOWN_MEAN_NS, count)
        self.times: list[int] = drawn.astype(np.int64).tolist()
        self.calls = 0

    def run(self, feed: Feed) -> Outputs:  # noqa: ARG002 - the protocol's
        now = time.perf_counter_ns
        end = now() + self.times[self.calls]
        self.calls += 1
        while now() < end:
            pass
        return self._outputs

    def close(self) -> None:
        pass


def figures(seconds: float = 1.0, rates: Sequence[float] = RATES) -> dict[str, float]:
    """One run of the self-test, ``seconds`` for each figure (a rate below 100 per second takes four times that).

    ``single_stream.counted_ns``: what a query of no duration is counted as, ``single_stream.wall_ns``: how long it is
    from one to the next, all checks included; ``server_<rate>qps.p50_ns`` and ``.p99_ns``: how late queries are issued;
    ``server_top_qps``: the highest rate whose median is below 60 µs. Over a session of known times,
    ``known_single_stream.p50_ratio`` and ``.p99_ratio``: the measured quantile of the latencies ÷ that of the times
    which the session took; ``known_server.p50_ratio`` and ``.p99_ratio``: the same beside the latencies that Lindley's
    recursion gives for the schedule and those times.
    """
    counted, wall = closed_loop(seconds)
    found = {"single_stream.counted_ns": counted, "single_stream.wall_ns": wall}
    for rate in rates:
        lag = server_lag(rate, seconds if rate >= SLOW_RATE else SLOW_TIMES * seconds)
        found[f"server_{rate:g}qps.p50_ns"] = float(np.median(lag))
        found[f"server_{rate:g}qps.p99_ns"] = float(np.quantile(lag, 0.99))
    found["server_top_qps"] = top_rate(lambda rate: float(np.median(server_lag(rate, TOP_SHARE * seconds))))
    for name, ratios in known(seconds).items():
        found.update({f"known_{name}.{quantile}_ratio": ratio for quantile, ratio in ratios.items()})
    return found


def closed_loop(seconds: float) -> tuple[float, float]:
    """(counted, wall) ns per query of ``single_stream``, with every look at the statistic taken."""
    plan = Plan("single_stream", Stop(max_s=seconds, ci_target=_NEVER))
    columns = _pass(plan).columns
    return float((columns.done - columns.issued).mean()), float(columns.done[-1] - columns.issued[0]) / len(columns)


def server_lag(rate: float, seconds: float, threads: int = 1) -> Ints:
    """How late, in ns, each query of a ``server`` pass was issued."""
    columns = _pass(Plan("server", Stop(max_s=seconds), rate=rate, concurrency=threads)).columns
    lag: Ints = (columns.issued - columns.scheduled)[columns.ok]
    return lag


def known(seconds: float) -> Mapping[str, Mapping[str, float]]:
    """For ``single_stream`` and ``server`` the measured p50 and p99 of known latencies ÷ the true ones."""
    rate = KNOWN_LOAD * 1e9 / KNOWN_MEAN_NS
    found: dict[str, Mapping[str, float]] = {}
    for plan in (Plan("single_stream", Stop(max_s=seconds)), Plan("server", Stop(max_s=seconds), rate=rate)):
        session = KnownSession(seconds)
        columns = _pass(plan, session).columns
        took = np.array(session.times[session.calls - int(columns.ok.sum()) : session.calls])
        true = took if plan.scenario == "single_stream" else lindley(columns.scheduled[columns.ok], took)
        found[plan.scenario] = _ratios(columns, true)
    return found


def lindley(scheduled: Ints, took: Ints) -> Ints:
    """The latencies of a first-come first-served queue before one server: arrivals ``scheduled``, service times
    ``took``, both in ns (Lindley 1952, "The theory of queues with a single server")."""
    ends = np.cumsum(took) + np.maximum.accumulate(scheduled - np.concatenate([[0], np.cumsum(took)[:-1]]))
    latencies: Ints = ends - scheduled
    return latencies


def _ratios(columns: Columns, true: Ints) -> Mapping[str, float]:
    measured = stats.latencies(columns)
    return {name: float(np.quantile(measured, q) / np.quantile(true, q)) for name, q in QUANTILES.items()}


def top_rate(lag_ns: Callable[[float], float]) -> float:
    """The highest rate, to 5 %, at which ``lag_ns``, the median of how late queries are issued, is below 60 µs."""
    low, high = TOP_RANGE
    while high > 1.05 * low:
        middle = float(np.sqrt(low * high))
        if lag_ns(middle) < TOP_LAG_NS:
            low = middle
        else:
            high = middle
    return low


def _pass(plan: Plan, session: Session | None = None) -> Run:
    used = NullSession() if session is None else session
    return measure(used, _FEEDS, plan, threads=True, submit=False, concurrency=1, audited=False)
