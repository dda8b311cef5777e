"""The open loop is an exact first-come first-served queue: query by query, and as queueing theory says."""

import heapq

import numpy as np
import pytest
from tests.unit.measure.fakes import FEEDS, FakeClock, Timed, timed_pass

from accelbench.measure import arrivals, stats
from accelbench.measure.load import Run, measure
from accelbench.model import Plan, Stop

MS = 1_000_000


def serve(servers: int, times: list[int], queries: int, rate: float = 500.0) -> Run:
    clock = FakeClock()
    stop = Stop(max_s=2.0 * queries / rate, max_queries=queries)
    options = {"rate": rate, "seed": 7, "threads": servers > 1, "concurrency": servers}
    return timed_pass(clock, Timed(clock, times), "server", stop, **options)


@pytest.mark.parametrize("servers", [1, 2, 3])
def test_every_query_starts_when_it_is_due_and_a_server_is_free(servers: int) -> None:
    times = (np.random.default_rng(servers).exponential(0.9 * servers * 2 * MS, 3000)).astype(int).tolist()
    columns = serve(servers, times, 2000).columns
    free = [0] * servers
    for scheduled, issued, done in zip(columns.scheduled, columns.issued, columns.done, strict=True):
        assert issued == max(scheduled, heapq.heappop(free))
        heapq.heappush(free, int(done))


def test_arrivals_are_those_of_the_seeded_schedule() -> None:
    columns = serve(1, [MS], 300).columns
    assert columns.scheduled.tolist() == arrivals.poisson(500.0, 1.2, 7)[:300].tolist()
    assert columns.feed.tolist() == [row % len(FEEDS) for row in range(300)]


def test_latency_counts_from_the_scheduled_time() -> None:
    columns = serve(1, [3 * MS], 300, rate=300.0).columns
    assert stats.latencies(columns).max() > 3 * MS
    assert (stats.latencies(columns) == columns.done - columns.scheduled).all()


def test_arrivals_that_an_overloaded_session_never_saw_are_failed_queries() -> None:
    clock = FakeClock()
    run = timed_pass(clock, Timed(clock, [10 * MS]), "server", Stop(max_s=4.0), rate=500.0)
    assert run.stop_reason == "time"
    assert len(run.columns) == len(arrivals.poisson(500.0, 4.0, 0))
    assert 590 <= run.columns.ok.sum() <= 605


def test_a_schedule_cut_to_a_number_of_queries_says_so() -> None:
    assert serve(1, [MS], 100).stop_reason == "queries"


def test_the_interval_ends_an_open_loop_too() -> None:
    clock = FakeClock()
    times = (np.random.default_rng(1).normal(1000, 20, 50_000) * 1000).astype(int).tolist()
    run = timed_pass(clock, Timed(clock, times), "server", Stop(max_s=200.0, ci_target=0.02), rate=50.0)
    assert run.stop_reason == "interval"
    assert 500 <= len(run.columns) < 2000


@pytest.mark.slow
def test_waiting_with_one_server_is_that_of_m_d_1() -> None:
    load, service = 0.6, 2 * MS
    columns = serve(1, [service], 400_000, rate=load / (service * 1e-9)).columns
    waited = float((columns.issued - columns.scheduled).mean())
    assert waited == pytest.approx(load * service / (2 * (1 - load)), rel=0.02)


@pytest.mark.slow
def test_waiting_with_two_servers_is_that_of_m_m_2() -> None:
    load, service = 0.6, 2 * MS
    times = np.random.default_rng(5).exponential(service, 700_000).astype(int).tolist()
    columns = serve(2, times, 400_000, rate=2 * load / (service * 1e-9)).columns
    waited = float((columns.issued - columns.scheduled).mean())
    delayed = 2 * load**2 / (1 + load)
    assert waited == pytest.approx(delayed * service / (2 * (1 - load)), rel=0.02)


@pytest.mark.alone
def test_in_real_time_no_query_starts_before_it_is_due_or_a_server_is_free() -> None:
    class Null:
        def run(self, _: object) -> dict[str, np.ndarray]:
            return {}

        def close(self) -> None: ...

    plan = Plan("server", Stop(max_s=0.3), rate=1000.0)
    run = measure(Null(), FEEDS, plan, threads=True, submit=False, concurrency=2, audited=False)
    free = [0, 0]
    for scheduled, issued, done in zip(run.columns.scheduled, run.columns.issued, run.columns.done, strict=True):
        assert issued >= max(scheduled, heapq.heappop(free))
        heapq.heappush(free, int(done))
    assert (run.columns.issued - run.columns.scheduled).min() < 1_000_000
