from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.unit.page import factory

from accelbench import race as module
from accelbench.errors import WorkerError
from accelbench.measure import columns
from accelbench.measure.compare import paired
from accelbench.model import Measurement, Plan, Stop

MS = 1_000_000
SINGLE = Plan("single_stream", Stop(max_s=120.0))
OFFLINE = Plan("offline", Stop(max_s=120.0, statistic="throughput"), batch=4)


@dataclass
class Fake:
    """A bench whose queries all take ``took_ns``, and which remembers what it was asked."""

    took_ns: int
    failing: bool = False
    calls: list[tuple[str, Plan]] = field(default_factory=list)

    def check(self, plan: Plan) -> None:
        self.calls.append(("check", plan))

    def prepare(self, plan: Plan) -> None:
        self.calls.append(("prepare", plan))

    def measure(self, plan: Plan, folder: Path, *, audited: bool) -> Measurement:
        assert not audited, "a block of a race times its queries and nothing else"
        self.calls.append(("measure", plan))
        done = np.arange(1, 41, dtype=np.int64) * self.took_ns
        columns.Columns(
            scheduled=done - self.took_ns,
            issued=done - self.took_ns,
            done=done,
            units=np.full(40, plan.batch, np.int32),
            ok=np.full(40, not self.failing),
            feed=np.zeros(40, np.int32),
            pauses=np.empty((0, 2), np.int64),
        ).write(folder)
        errors = ("ValueError: no",) if self.failing else ()
        return replace(factory.measurement(plan.scenario, plan.batch, 40), plan=plan, errors=errors)


Run = Callable[..., list[module.Race]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Races two fakes; order of the sides as given."""
    monkeypatch.setenv("ACCELBENCH_HOME", str(tmp_path))

    def races(a: Fake, b: Fake, *plans: Plan, **changes: Any) -> list[module.Race]:
        waiting = iter((a, b))

        @contextmanager
        def bench(*_: Any) -> Iterator[Fake]:
            yield next(waiting)

        monkeypatch.setattr(module, "_bench", bench)
        words: dict[str, Any] = {"effort": "quick", "margin": 0.03, "timeout_s": None, "say": lambda _: None, **changes}
        side: Any = (None, None)
        subject: Any = None
        return list(module.race(subject, [side, side], plans, **words))

    return races


def test_half_the_time_is_twice_as_fast_and_settled_before_all_pairs(run: Run) -> None:
    (found,) = run(Fake(MS), Fake(2 * MS), SINGLE)
    assert found.comparison.outcome == "faster"
    assert found.comparison.ratio == pytest.approx(2.0)
    assert found.statistic == "p50"
    assert found.comparison.pairs == 8 * found.looks == len(found.a_s) == len(found.b_s) < 32
    assert found.a_s == pytest.approx([1e-3] * len(found.a_s))
    assert found.b_s == pytest.approx([2e-3] * len(found.b_s))


def test_two_that_are_equal_are_the_same(run: Run) -> None:
    (found,) = run(Fake(MS), Fake(MS), SINGLE)
    assert (found.comparison.outcome, found.comparison.ratio) == ("same", 1.0)


def test_the_comparison_follows_from_the_blocks(run: Run) -> None:
    (found,) = run(Fake(MS), Fake(3 * MS), SINGLE)
    assert found.comparison == paired(found.a_s, found.b_s, margin=0.03, look=found.looks, looks=4)


def test_throughput_is_raced_where_that_is_what_counts(run: Run) -> None:
    (found,) = run(Fake(MS), Fake(2 * MS), OFFLINE)
    assert found.statistic == "throughput"
    assert found.a_s[0] == pytest.approx(1e-3 / 4, rel=0.05), "time per sample"
    assert found.comparison.ratio == pytest.approx(2.0)


@pytest.mark.parametrize(("effort", "took_ns", "seconds"), [
    ("quick", 30 * MS, 0.24), ("standard", 30 * MS, 0.6), ("quick", 300 * MS, 0.5), ("standard", 300 * MS, 2.0),
])  # fmt: skip
def test_blocks_are_long_enough_for_some_queries_of_the_slower(
    run: Run, effort: str, took_ns: int, seconds: float
) -> None:
    slow = Fake(took_ns)
    (found,) = run(Fake(MS), slow, SINGLE, effort=effort)
    assert found.block_s == pytest.approx(seconds)
    lengths = [plan.stop.max_s for verb, plan in slow.calls if verb == "measure"]
    assert lengths == [0.1, *[found.block_s] * found.comparison.pairs]


def test_each_plan_is_raced_in_turn_on_sides_that_both_are_loaded(run: Run) -> None:
    a, b = Fake(MS), Fake(2 * MS)
    found = run(a, b, SINGLE, OFFLINE)
    assert [each.plan for each in found] == [SINGLE, OFFLINE]
    for fake in (a, b):
        assert [verb for verb, _ in fake.calls if verb == "check"] == ["check"]
        assert [plan for verb, plan in fake.calls if verb == "prepare"] == [SINGLE, OFFLINE]


def test_a_block_that_fails_ends_the_races(run: Run) -> None:
    with pytest.raises(WorkerError, match="ValueError: no"):
        run(Fake(MS), Fake(MS, failing=True), SINGLE)
