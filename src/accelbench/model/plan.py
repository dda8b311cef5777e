"""How a session is loaded: one timed pass, before it happens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from accelbench.model.strict import STRICT

Scenario = Literal["single_stream", "multi_stream", "server", "offline", "closed_loop"]
Purpose = Literal["latency", "throughput"]


@dataclass(frozen=True)
class Stop:
    """When a timed pass ends: the interval of ``statistic`` is within ``ci_target`` (a ratio: half width ÷ value),
    or ``max_s`` seconds or ``max_queries`` queries are reached; never before ``min_s``."""

    __pydantic_config__ = STRICT

    max_s: float
    min_s: float = 0.0
    statistic: str = "p50"
    ci_target: float | None = None
    max_queries: int | None = None


@dataclass(frozen=True)
class Plan:
    """One timed pass: how queries arrive and when it stops. ``rate`` is queries per second and
    ``burst`` how many of them arrive together (``server`` only),
    ``concurrency`` the queries in flight (``None``: what the stack asks for), ``latency_bound_s`` with its
    ``statistic`` in ``stop`` the bound that must hold.

    ``instances`` of the session divide the cores and the queries between them. With ``max_batch`` the harness makes
    batches of up to so many samples of the queries that wait, none of which waits longer than ``max_delay_s`` for
    others (``None``: only while the session is busy). ``trace`` is the hash of recorded arrivals, which ``server``
    follows instead of a rate."""

    __pydantic_config__ = STRICT

    scenario: Scenario
    stop: Stop
    batch: int = 1
    concurrency: int | None = None
    rate: float | None = None
    burst: int = 1
    seed: int = 0
    latency_bound_s: float | None = None
    instances: int = 1
    max_batch: int | None = None
    max_delay_s: float | None = None
    trace: str | None = None

    @property
    def compiled_batch(self) -> int:
        """The batch that the model is compiled for: that of a query, unless the harness makes larger ones of them."""
        return self.max_batch or self.batch

    @property
    def purpose(self) -> Purpose:
        """What a stack should compile for when it can choose between one query's latency and many queries' rate."""
        return "latency" if self.scenario in ("single_stream", "multi_stream") else "throughput"
