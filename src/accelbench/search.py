"""Looking for the best plan: the highest rate that keeps a bound, the best batch or concurrency. Every probe is an
ordinary timed pass and is kept as one."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from accelbench.errors import Unsupported, WorkerError
from accelbench.measure import columns, stats
from accelbench.measure.columns import Columns
from accelbench.measure.peak import DOUBT, best_setting, highest_rate, meets
from accelbench.model import Plan, Stop

Over = Literal["rate", "batch", "concurrency"]

SETTINGS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
HIGHEST, FIRST, LOWEST = 1.25, 0.5, 1 / 256
"""The rates that are searched, as parts of the rate of a closed loop: an open loop keeps up with no more than that."""

ROOM = 2.0
"""A probe lasts for so many times the queries that could settle its bound, if none is beyond it."""

LONGEST_S = 120.0

Time = Callable[[Plan], Path]
"""Runs a timed pass, keeps it, and gives the folder with its raw columns."""


@dataclass(frozen=True)
class Search:
    """``plan`` is what the probes share; for ``rate`` it is a ``server`` plan with a bound and without a rate."""

    plan: Plan
    over: Over


def search(wanted: Search, time: Time, say: Callable[[str], None]) -> list[str]:
    """Probe until the best is found, and say what it is; gives why the search ended early, if it did.

    A batch or concurrency that the stack refuses ends the climb. Raises what ``time`` raises otherwise.
    """
    if wanted.over == "rate":
        return _rate(wanted.plan, time, say)
    return _setting(wanted, time, say)


def _rate(plan: Plan, time: Time, say: Callable[[str], None]) -> list[str]:
    bound_s, p = plan.latency_bound_s or 0.0, stats.QUANTILES[plan.stop.statistic]
    stop = Stop(max_s=plan.stop.max_s, statistic="throughput")
    closed = replace(plan, scenario="closed_loop", stop=stop, burst=1, latency_bound_s=None)
    throughput = _throughput(columns.read(time(closed)))
    if throughput is None:
        return ["no peak was searched: no query of the closed loop before it ended well"]
    around = throughput / plan.batch
    seed = plan.seed

    def probe(rate: float) -> bool | None:
        nonlocal seed
        seed += 1
        seconds = max(plan.stop.max_s, min(ROOM * math.log(DOUBT) / math.log(p) / rate, LONGEST_S))
        asked = replace(plan, rate=rate, seed=seed, stop=replace(plan.stop, max_s=seconds))
        return meets(columns.read(time(asked)), p, bound_s)

    peak = highest_rate(probe, FIRST * around, LOWEST * around, HIGHEST * around).rate
    bound = f"{plan.stop.statistic} within {bound_s:.6g} s"
    say(f"no rate keeps {bound}" if peak is None else f"the highest rate that keeps {bound}: {peak:.4g}/s")
    return []


def _setting(wanted: Search, time: Time, say: Callable[[str], None]) -> list[str]:
    refused: list[str] = []
    fewest = wanted.plan.instances if wanted.over == "concurrency" else 1
    settings = tuple(setting for setting in SETTINGS if setting >= fewest)

    def throughput(setting: int) -> float | None:
        if wanted.over == "batch":
            plan = replace(wanted.plan, batch=setting)
        else:
            plan = replace(wanted.plan, concurrency=setting)
        try:
            return _throughput(columns.read(time(plan)))
        except (Unsupported, WorkerError) as error:
            if setting == settings[0] or getattr(error, "kind", "raised") != "raised":
                raise
            refused.append(f"{wanted.over} {setting} was refused: {error}")
            return None

    best, _ = best_setting(throughput, settings)
    say(f"the best {wanted.over} for {wanted.plan.scenario}: {best or 'none'}")
    return refused


def _throughput(table: Columns) -> float | None:
    found = stats.throughput(table) if len(table) else None
    return found[0] if found else None
