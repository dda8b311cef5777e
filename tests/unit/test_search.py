"""Searches on a made-up stack: what is probed, and what becomes of probes that fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from accelbench.errors import Unsupported, WorkerError
from accelbench.measure import columns
from accelbench.model import Plan, Stop
from accelbench.search import Search, search

SERVER = Plan("server", Stop(max_s=1.0, statistic="p99"), seed=5, burst=2, latency_bound_s=0.01)
OFFLINE = Plan("offline", Stop(max_s=1.0, statistic="throughput"))


def table(period_ns: int, latency_ns: int, units: int, ok: bool = True) -> columns.Columns:
    issued = np.arange(1000, dtype=np.int64) * period_ns
    return columns.Columns(
        scheduled=issued,
        issued=issued,
        done=issued + latency_ns,
        units=np.full(1000, units, np.int32),
        ok=np.full(1000, ok),
        feed=np.zeros(1000, np.int32),
        pauses=np.empty((0, 2), np.int64),
    )


@dataclass
class Stack:
    """A closed loop does 100 queries a second; the bound holds up to ``limit``; ``throughput`` of a setting."""

    root: Path
    limit: float = 60.0
    throughput: Callable[[int], float] = lambda setting: min(setting, 8) * 100.0
    broken: bool = False
    probed: list[Plan] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def time(self, plan: Plan) -> Path:
        folder = self.root / str(len(self.probed))
        self.probed.append(plan)
        if plan.scenario == "server":
            assert plan.rate is not None
            latency = 5_000_000 if plan.rate <= self.limit else 50_000_000
            table(int(1e9 / plan.rate), latency, plan.batch).write(folder)
        else:
            rate = self.throughput(plan.concurrency or plan.batch)
            table(int(1e9 * plan.batch / rate), 1_000_000, plan.batch, not self.broken).write(folder)
        return folder


def test_the_highest_rate_starts_from_what_a_closed_loop_does(tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    assert search(Search(SERVER, "rate"), stack.time, stack.said.append) == []
    first, *probes = stack.probed
    assert (first.scenario, first.batch, first.latency_bound_s) == ("closed_loop", 1, None)
    rates = [plan.rate for plan in probes]
    assert rates[0] == pytest.approx(50.0, rel=0.01)
    assert rates[-1] == rates[-2], "confirmed"
    assert rates.count(rates[-1]) == 3, "found, and confirmed twice"
    assert 60 / 1.051 <= (rates[-1] or 0) <= 60
    assert max(rate or 0 for rate in rates) <= 126
    assert stack.said == [f"the highest rate that keeps p99 within 0.01 s: {rates[-1]:.4g}/s"]


def test_probes_share_all_but_rate_seed_and_length(tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    search(Search(SERVER, "rate"), stack.time, stack.said.append)
    probes = stack.probed[1:]
    assert len({plan.seed for plan in probes}) == len(probes), "no two probes see the same arrivals"
    assert {(plan.latency_bound_s, plan.burst, plan.stop.statistic) for plan in probes} == {(0.01, 2, "p99")}
    for plan in probes:
        assert plan.rate is not None
        assert plan.stop.max_s == pytest.approx(max(1.0, 2 * 298.07 / plan.rate), rel=1e-3), "long enough for p99"


def test_probes_of_slow_sessions_end_some_time(tmp_path: Path) -> None:
    stack = Stack(tmp_path, limit=0.0)
    search(Search(SERVER, "rate"), stack.time, stack.said.append)
    assert max(plan.stop.max_s for plan in stack.probed) == 120.0
    assert stack.said == ["no rate keeps p99 within 0.01 s"]


def test_a_batch_counts_in_samples(tmp_path: Path) -> None:
    stack = Stack(tmp_path, throughput=lambda _: 400.0)
    search(Search(Plan("server", Stop(1.0), batch=4, latency_bound_s=0.01), "rate"), stack.time, stack.said.append)
    assert stack.probed[1].rate == pytest.approx(50.0, rel=0.01), "400 samples are 100 queries"


def test_without_a_query_that_ends_there_is_nothing_to_search(tmp_path: Path) -> None:
    stack = Stack(tmp_path, broken=True)
    (ended,) = search(Search(SERVER, "rate"), stack.time, stack.said.append)
    assert "closed loop" in ended
    assert len(stack.probed) == 1


@pytest.mark.parametrize("over", ["batch", "concurrency"])
def test_settings_are_doubled_until_two_bring_nothing(tmp_path: Path, over: str) -> None:
    stack = Stack(tmp_path)
    assert search(Search(OFFLINE, over), stack.time, stack.said.append) == []  # type: ignore[arg-type]
    assert [getattr(plan, over) for plan in stack.probed] == [1, 2, 4, 8, 16, 32]
    assert stack.said == [f"the best {over} for offline: 8"]


def test_several_instances_have_a_query_each(tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    search(Search(replace(OFFLINE, instances=3), "concurrency"), stack.time, stack.said.append)
    assert [plan.concurrency for plan in stack.probed] == [4, 8, 16, 32]


def refusing(stack: Stack, at: int, error: Exception) -> Callable[[Plan], Path]:
    def time(plan: Plan) -> Path:
        if plan.batch == at:
            raise error
        return stack.time(plan)

    return time


@pytest.mark.parametrize("error", [Unsupported("too large"), WorkerError("raised", "compile: too large")])
def test_a_batch_that_is_refused_ends_the_climb(tmp_path: Path, error: Exception) -> None:
    stack = Stack(tmp_path)
    (ended,) = search(Search(OFFLINE, "batch"), refusing(stack, 4, error), stack.said.append)
    assert [plan.batch for plan in stack.probed] == [1, 2]
    assert "batch 4" in ended
    assert "too large" in ended


@pytest.mark.parametrize(("at", "error"), [(1, Unsupported("no")), (2, WorkerError("crashed", "signal 11"))])
def test_what_cannot_go_on_is_passed_on(tmp_path: Path, at: int, error: Exception) -> None:
    with pytest.raises(type(error)):
        search(Search(OFFLINE, "batch"), refusing(Stack(tmp_path), at, error), print)
