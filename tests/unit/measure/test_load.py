"""The loops under a clock that stands still: every time is exact."""

import gc

import numpy as np
import pytest
from tests.unit.measure.fakes import FEEDS, FakeClock, Timed, timed_pass

from accelbench.backends.protocol import Feed, Outputs
from accelbench.errors import UsageError
from accelbench.measure import stats
from accelbench.measure.load import Run, measure, null_overhead
from accelbench.model import Plan, Stop

MS = 1_000_000


def constant(scenario: str, queries: int = 100, **options: object) -> Run:
    clock = FakeClock()
    stop = Stop(max_s=10.0, max_queries=queries)
    return timed_pass(clock, Timed(clock, [2 * MS]), scenario, stop, **options)  # type: ignore[arg-type]


def test_single_stream_issues_the_next_query_when_the_last_is_done() -> None:
    run = constant("single_stream")
    columns = run.columns
    assert run.stop_reason == "queries"
    assert columns.issued.tolist() == [i * 2 * MS for i in range(100)]
    assert columns.done.tolist() == [(i + 1) * 2 * MS for i in range(100)]
    assert columns.scheduled is columns.issued or (columns.scheduled == columns.issued).all()
    assert columns.ok.all()
    assert columns.units.tolist() == [1] * 100


def test_feeds_are_rotated() -> None:
    assert constant("single_stream").columns.feed.tolist() == [i % 8 for i in range(100)]


def test_multi_stream_counts_the_samples_of_its_batch() -> None:
    run = constant("multi_stream", batch=4)
    assert run.columns.units.tolist() == [4] * 100
    assert stats.summary(run.columns).throughput == pytest.approx(2000)


def test_single_stream_ignores_concurrency() -> None:
    assert constant("single_stream", concurrency=4, threads=True).concurrency == 1


def test_closed_loop_keeps_n_in_flight() -> None:
    clock = FakeClock()
    stop = Stop(max_s=10.0, max_queries=90)
    run = timed_pass(clock, Timed(clock, [2 * MS, 3 * MS, 7 * MS]), "closed_loop", stop, concurrency=3, threads=True)
    edges = sorted([(t, 1) for t in run.columns.issued.tolist()] + [(t, -1) for t in run.columns.done.tolist()])
    assert run.concurrency == 3
    assert len(run.columns) == 90
    assert max(np.cumsum([step for _, step in edges])) == 3


def test_without_declared_ability_one_query_is_in_flight() -> None:
    run = constant("closed_loop", concurrency=3)
    assert run.concurrency == 1
    assert (run.columns.issued[1:] >= run.columns.done[:-1]).all()


def test_time_limit_ends_the_pass_soon_after() -> None:
    clock = FakeClock()
    run = timed_pass(clock, Timed(clock, [2 * MS]), "single_stream", Stop(max_s=1.0))
    assert run.stop_reason == "time"
    assert 1_000 * MS <= run.columns.done[-1] <= 1_004 * MS


def test_pass_ends_when_the_interval_is_tight() -> None:
    clock = FakeClock()
    times = (np.random.default_rng(1).normal(100, 5, 5000) * 1000).astype(int).tolist()
    run = timed_pass(clock, Timed(clock, times), "single_stream", Stop(max_s=100.0, ci_target=0.02))
    p50 = stats.summary(run.columns).quantiles["p50"]
    assert run.stop_reason == "interval"
    assert 500 <= len(run.columns) < 5000
    assert p50 is not None
    assert p50.half_width is not None
    assert p50.half_width <= 0.02


def test_no_interval_ends_a_pass_before_its_shortest_time() -> None:
    clock = FakeClock()
    run = timed_pass(clock, Timed(clock, [MS // 10]), "single_stream", Stop(max_s=9.0, min_s=3.0, ci_target=0.5))
    assert run.stop_reason == "interval"
    assert 3_000 * MS <= run.columns.done[-1] < 4_500 * MS


def test_warm_up_goes_on_while_queries_get_faster() -> None:
    clock = FakeClock()
    falling = [MS + max(0, 400 - i) * 5_000 for i in range(40_000)]
    run = timed_pass(clock, Timed(clock, falling), "single_stream", Stop(max_s=20.0, max_queries=10**6))
    assert run.stationary
    assert run.warmup_queries > 400
    assert np.ptp(run.columns.done - run.columns.issued) == 0


def test_samples_are_outputs_of_the_queries_that_they_name() -> None:
    clock = FakeClock()
    run = timed_pass(clock, Timed(clock, [2 * MS]), "single_stream", Stop(max_s=20.0))
    assert len(run.samples) == 16
    for sample in run.samples:
        assert run.columns.feed[sample.query] == sample.feed
        assert sample.outputs["y"] == FEEDS[sample.feed]["x"] * 2


def test_samples_lie_all_over_the_pass() -> None:
    clock = FakeClock()
    rows = [
        sample.query / len(run.columns)
        for run in (timed_pass(clock, Timed(clock, [2 * MS]), "single_stream", Stop(max_s=20.0)) for _ in range(12))
        for sample in run.samples
    ]
    assert 0.4 < np.mean(rows) < 0.6


class Failing(Timed):
    """Raises in every n-th call, and in all from one call on."""

    every, from_call = 20, 10**9

    def run(self, feed: Feed) -> Outputs:
        outputs = super().run(feed)
        if self.calls % self.every == 0 or self.calls > self.from_call:
            raise ValueError(f"call failed with {int(feed['x'][0]) % 2}")
        return outputs


def test_a_query_that_raises_is_recorded_and_the_pass_goes_on() -> None:
    clock = FakeClock()
    run = timed_pass(clock, Failing(clock, [2 * MS]), "single_stream", Stop(max_s=10.0, max_queries=200))
    assert run.stop_reason == "queries"
    assert len(run.columns) == 200
    assert (~run.columns.ok).sum() == 10
    assert np.diff(np.flatnonzero(~run.columns.ok)).tolist() == [20] * 9
    assert set(run.errors) <= {"ValueError: call failed with 0", "ValueError: call failed with 1"}
    assert stats.summary(run.columns).errors == 10


def test_a_session_that_keeps_raising_ends_the_pass() -> None:
    clock = FakeClock()
    session = Failing(clock, [2 * MS])
    session.every, session.from_call = 10**9, 2000
    run = timed_pass(clock, session, "single_stream", Stop(max_s=10.0))
    assert run.stop_reason == "error"
    assert run.columns.ok.any()
    assert (~run.columns.ok).sum() == 11


def test_a_session_that_always_raises_gives_no_figures() -> None:
    clock = FakeClock()
    session = Failing(clock, [2 * MS])
    session.from_call = 0
    run = timed_pass(clock, session, "single_stream", Stop(max_s=10.0))
    found = stats.summary(run.columns)
    assert run.stop_reason == "error"
    assert (found.throughput, found.mean_s, found.quantiles["p50"]) == (None, None, None)


def test_an_interrupt_keeps_what_was_recorded() -> None:
    class Interrupted(Timed):
        def run(self, feed: Feed) -> Outputs:
            if self.calls == 2000:
                raise KeyboardInterrupt
            return super().run(feed)

    clock = FakeClock()
    run = timed_pass(clock, Interrupted(clock, [2 * MS]), "single_stream", Stop(max_s=10.0))
    assert run.stop_reason == "interrupted"
    assert len(run.columns) == 2000 - run.warmup_queries


def test_garbage_collection_comes_back() -> None:
    seen = []

    class Looking(Timed):
        def run(self, feed: Feed) -> Outputs:
            seen.append(gc.isenabled())
            return super().run(feed)

    clock = FakeClock()
    timed_pass(clock, Looking(clock, [2 * MS]), "single_stream", Stop(max_s=1.0))
    assert not any(seen)
    assert gc.isenabled()


def test_without_feeds_there_is_no_pass() -> None:
    clock = FakeClock()
    plan = Plan("single_stream", Stop(max_s=1.0))
    with pytest.raises(UsageError, match="at least one feed"):
        measure(Timed(clock, [1]), [], plan, threads=False, submit=False, concurrency=1, clock=clock)


@pytest.mark.alone
def test_overhead_is_told_in_nanoseconds() -> None:
    counted, wall = null_overhead()
    assert 0 < counted < wall < 20_000


class Large:
    """A session whose outputs have 8 MiB."""

    def run(self, _feed: Feed) -> Outputs:
        return {"y": np.ones(1 << 21, np.float32)}

    def close(self) -> None:
        """Nothing is open."""


def test_outputs_that_the_harness_keeps_are_no_growth_of_the_stacks_memory() -> None:
    plan = Plan("single_stream", Stop(max_s=0.6))
    run = measure(Large(), FEEDS, plan, threads=False, submit=False, concurrency=1)
    assert sum(value.nbytes for sample in run.samples for value in sample.outputs.values()) >= 64 << 20
    before, after = run.audit.rss_before_bytes, run.audit.rss_after_bytes
    assert before is None or after is None or after - before < 32 << 20
