"""The harness on this host: what it adds to a query, how well it keeps a schedule, how fast it can go.

All figures come from the production loop with all columns recorded, over a session that does nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from accelbench.backends.protocol import Feed, Outputs
from accelbench.measure.columns import Ints
from accelbench.measure.load import Run, measure
from accelbench.model import Plan, Stop

RATES = (1000.0, 200.0, 20.0)
TOP_LAG_NS = 60_000
TOP_RANGE = (20_000.0, 4_000_000.0)
_NEVER = -1.0
"""A target that no interval reaches, so that every look is taken."""

_FEEDS: Sequence[Feed] = tuple({"x": np.full(1, i)} for i in range(8))


@dataclass(frozen=True)
class Figures:
    """Medians over the runs. ``counted_ns``: what a query of no duration is counted as; ``wall_ns``: how long it takes
    from one to the next, all checks included; ``lag_ns``: by rate, the median and the 99th percentile of how late
    queries are issued; ``top_qps``: the highest rate whose median is below 60 µs. ``runs`` has every run's figures."""

    counted_ns: float
    wall_ns: float
    lag_ns: Mapping[float, tuple[float, float]]
    top_qps: float
    runs: Mapping[str, tuple[float, ...]]

    def as_json(self) -> dict[str, object]:
        """The form that ``accelbench self-test --json`` prints."""
        servers = {f"server_{rate:g}qps": {"p50_ns": p50, "p99_ns": p99} for rate, (p50, p99) in self.lag_ns.items()}
        return {
            "single_stream": {"counted_ns": self.counted_ns, "wall_ns": self.wall_ns},
            **servers,
            "server_top_qps": self.top_qps,
            "runs": {name: list(values) for name, values in self.runs.items()},
        }


class NullSession:
    """Does nothing, at once."""

    _outputs: Outputs = {}  # noqa: RUF012 - never written

    def run(self, feed: Feed) -> Outputs:  # noqa: ARG002 - the protocol's
        return self._outputs

    def close(self) -> None:
        pass


def figures(runs: int = 5, seconds: float = 1.0, rates: Sequence[float] = RATES) -> Figures:
    """Measure the harness: ``runs`` runs of ``seconds`` for each figure (a rate of 20 per second takes four times
    that), in turn."""
    found: dict[str, list[float]] = {}
    for _ in range(runs):
        counted, wall = closed_loop(seconds)
        found.setdefault("counted_ns", []).append(counted)
        found.setdefault("wall_ns", []).append(wall)
        for rate in rates:
            lag = server_lag(rate, seconds if rate >= 100 else 4 * seconds)
            found.setdefault(f"server_{rate:g}qps_p50_ns", []).append(float(np.median(lag)))
            found.setdefault(f"server_{rate:g}qps_p99_ns", []).append(float(np.quantile(lag, 0.99)))
        found.setdefault("server_top_qps", []).append(top_rate(0.2 * seconds))
    typical = {name: float(np.median(values)) for name, values in found.items()}
    return Figures(
        counted_ns=typical["counted_ns"],
        wall_ns=typical["wall_ns"],
        lag_ns={rate: (typical[f"server_{rate:g}qps_p50_ns"], typical[f"server_{rate:g}qps_p99_ns"]) for rate in rates},
        top_qps=typical["server_top_qps"],
        runs={name: tuple(values) for name, values in found.items()},
    )


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


def top_rate(seconds: float) -> float:
    """The highest rate, to 5 %, at which half of the queries are issued within 60 µs of their time."""
    low, high = TOP_RANGE
    while high > 1.05 * low:
        middle = float(np.sqrt(low * high))
        if np.median(server_lag(middle, seconds)) < TOP_LAG_NS:
            low = middle
        else:
            high = middle
    return low


def _pass(plan: Plan) -> Run:
    return measure(NullSession(), _FEEDS, plan, threads=True, submit=False, concurrency=1, audited=False)
