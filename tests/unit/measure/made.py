"""Columns and measurements made by hand."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from accelbench.measure.columns import Columns
from accelbench.model import Audit, Measurement, Plan, Scenario, Stop

MS = 1_000_000


def closed(times: ArrayLike, **changes: Any) -> Columns:
    """One query in flight, each taking the given ns."""
    took = np.asarray(times, dtype=np.int64)
    done = np.cumsum(took)
    return columns(done - took, done - took, done, **changes)


def columns(scheduled: ArrayLike, issued: ArrayLike, done: ArrayLike, **changes: Any) -> Columns:
    """Columns from times, by default of one sample each, all well, of one feed, without pauses."""
    rows = len(np.asarray(issued))
    fields: dict[str, Any] = {
        "scheduled": np.asarray(scheduled, dtype=np.int64),
        "issued": np.asarray(issued, dtype=np.int64),
        "done": np.asarray(done, dtype=np.int64),
        "units": np.ones(rows, dtype=np.int32),
        "ok": np.ones(rows, dtype=np.bool_),
        "feed": np.zeros(rows, dtype=np.int32),
        "pauses": np.empty((0, 2), dtype=np.int64),
    }
    return Columns(**{**fields, **changes})


def measurement(scenario: Scenario = "single_stream", audit: Audit | None = None, **changes: Any) -> Measurement:
    """A measurement to go with such columns."""
    stop = Stop(max_s=10.0, statistic=changes.pop("statistic", "p50"))
    fields: dict[str, Any] = {
        "plan": Plan(scenario, stop, rate=100.0 if scenario == "server" else None),
        "columns": "columns",
        "queries": 0,
        "stop_reason": "time",
        "concurrency": 1,
        "warmup_queries": 0,
        "warmup_s": 0.0,
        "stationary": True,
        "audit": audit or Audit(),
    }
    return Measurement(**{**fields, **changes})


def noisy(count: int, seed: int = 0, scale: float = 0.05, mean: float = MS) -> Sequence[int]:
    """Lognormal times in ns."""
    drawn = np.random.default_rng(seed).lognormal(0.0, scale, count) * mean
    times: list[int] = drawn.astype(np.int64).tolist()
    return times
