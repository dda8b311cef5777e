"""The harness on this host: what it adds to a query, how well it keeps a schedule, how fast it can go.

All figures come from the production loop with all columns recorded, over a session that does nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Callable

import numpy as np

from accelbench.backends.protocol import Feed, Outputs
from accelbench.measure.columns import Ints
from accelbench.measure.load import Run, measure
from accelbench.model import Plan, Stop

RATES = (1000.0, 200.0, 20.0)
SLOW_RATE, SLOW_TIMES = 100.0, 4
TOP_SHARE = 0.2
TOP_LAG_NS = 60_000
TOP_RANGE = (5_000.0, 4_000_000.0)
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


def figures(seconds: float = 1.0, rates: Sequence[float] = RATES) -> dict[str, float]:
    """One run of the self-test, ``seconds`` for each figure (a rate below 100 per second takes four times that).

    ``single_stream.counted_ns``: what a query of no duration is counted as, ``single_stream.wall_ns``: how long it is
    from one to the next, all checks included; ``server_<rate>qps.p50_ns`` and ``.p99_ns``: how late queries are issued;
    ``server_top_qps``: the highest rate whose median is below 60 µs.
    """
    counted, wall = closed_loop(seconds)
    found = {"single_stream.counted_ns": counted, "single_stream.wall_ns": wall}
    for rate in rates:
        lag = server_lag(rate, seconds if rate >= SLOW_RATE else SLOW_TIMES * seconds)
        found[f"server_{rate:g}qps.p50_ns"] = float(np.median(lag))
        found[f"server_{rate:g}qps.p99_ns"] = float(np.quantile(lag, 0.99))
    found["server_top_qps"] = top_rate(lambda rate: float(np.median(server_lag(rate, TOP_SHARE * seconds))))
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


def _pass(plan: Plan) -> Run:
    return measure(NullSession(), _FEEDS, plan, threads=True, submit=False, concurrency=1, audited=False)
