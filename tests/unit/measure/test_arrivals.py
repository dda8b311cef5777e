"""Schedules are portable: the same on every machine."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from accelbench.errors import UsageError
from accelbench.measure import arrivals
from accelbench.model import Plan, Stop


def test_a_seed_gives_the_schedule_that_it_always_gave() -> None:
    schedule = arrivals.poisson(1000.0, 10.0, 42)
    assert schedule[:3].tolist() == [90010, 242645, 557483]
    assert arrivals.sha256(schedule) == "86c2351c0b529eb163eecfadb1e61476a855cbfc7b51fa821b15f64a659f74c0"


def test_gaps_are_exponential() -> None:
    gaps = np.diff(arrivals.poisson(1000.0, 200.0, 1)) * 1e-9
    assert len(gaps) == pytest.approx(200_000, rel=0.01)
    assert gaps.mean() == pytest.approx(1e-3, rel=0.01)
    assert gaps.std() == pytest.approx(1e-3, rel=0.01)
    assert np.corrcoef(gaps[1:], gaps[:-1])[0, 1] == pytest.approx(0, abs=0.01)


def test_arrivals_lie_within_the_time_and_ascend() -> None:
    schedule = arrivals.poisson(50.0, 2.0, 3)
    assert schedule.min() >= 0
    assert schedule.max() < 2_000_000_000
    assert (np.diff(schedule) >= 0).all()


def test_seeds_differ() -> None:
    assert arrivals.poisson(10.0, 5.0, 1).tolist() != arrivals.poisson(10.0, 5.0, 2).tolist()


def test_bursts_come_together_at_the_same_rate() -> None:
    schedule = arrivals.bursts(1000.0, 100.0, 1, 5)
    assert len(schedule) == pytest.approx(100_000, rel=0.03)
    assert (schedule.reshape(-1, 5) == schedule[::5, None]).all()


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan")])
def test_a_rate_must_be_above_zero(rate: float) -> None:
    with pytest.raises(UsageError, match="rate above 0"):
        arrivals.poisson(rate, 1.0, 0)


def test_a_trace_is_read(tmp_path: Path) -> None:
    path = tmp_path / "trace.txt"
    path.write_text("0.0\n0.5\n0.5\n2\n")
    assert arrivals.trace(path).tolist() == [0, 500_000_000, 500_000_000, 2_000_000_000]


def traced(path: Path, max_s: float = 1.0) -> Plan:
    return Plan("server", Stop(max_s=max_s), trace=arrivals.sha256(arrivals.trace(path)))


def test_a_plan_follows_its_trace_up_to_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "trace.txt"
    path.write_text("0.25\n0.5\n1\n2\n")
    assert arrivals.scheduled(traced(path), path).tolist() == [250_000_000, 500_000_000]
    assert arrivals.scheduled(traced(path, 9.0), path).tolist() == arrivals.trace(path).tolist()


def test_a_plan_without_a_trace_is_drawn() -> None:
    plan = Plan("server", Stop(max_s=2.0), rate=100.0, burst=4, seed=7)
    assert arrivals.scheduled(plan).tolist() == arrivals.bursts(100.0, 2.0, 7, 4).tolist()


def test_another_trace_than_the_plans_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "trace.txt"
    path.write_text("0.25\n")
    plan = traced(path)
    with pytest.raises(UsageError, match="not at hand"):
        arrivals.scheduled(plan)
    with pytest.raises(UsageError, match=r"no arrival within 0\.1 s"):
        arrivals.scheduled(replace(plan, stop=Stop(max_s=0.1)), path)
    path.write_text("0.75\n")
    with pytest.raises(UsageError, match="is not the trace"):
        arrivals.scheduled(plan, path)


@pytest.mark.parametrize("text", ["1\n0.5\n", "-1\n", "1 2\n3 4\n", "one\n", "nan\n"])
def test_a_trace_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "trace.txt"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"trace\.txt"):
        arrivals.trace(path)
