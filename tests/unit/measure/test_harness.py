"""The parts around the loops: clock, warm-up, efforts, looks at the host, self-test."""

import threading
import time

import numpy as np
import pytest

from accelbench.measure import audit, efforts, selftest
from accelbench.measure.clock import GUARD_RANGE_NS, RealClock
from accelbench.measure.stopping import first_look
from accelbench.measure.warmup import is_stationary
from accelbench.model import Stop


@pytest.mark.alone
def test_waiting_ends_at_the_moment_or_after() -> None:
    clock = RealClock()
    late = []
    with clock.thread():
        for wait in (0, 50_000, 300_000, 2_000_000) * 5:
            moment = clock.now() + wait
            clock.wait_until(moment)
            late.append(clock.now() - moment)
    assert min(late) >= 0
    assert np.median(late) < 100_000
    assert clock.spun_ns > 0


@pytest.mark.alone
def test_a_moment_in_the_past_is_not_waited_for() -> None:
    clock = RealClock()
    begun = clock.now()
    clock.wait_until(begun - 10**9)
    assert clock.now() - begun < 10**8
    assert clock.spun_ns == 0


def test_one_thread_spins_at_a_time() -> None:
    clock = RealClock(guard_ns=30_000_000)
    moment = clock.now() + 20_000_000
    threads = [threading.Thread(target=clock.wait_until, args=(moment,)) for _ in range(4)]
    begun = time.perf_counter_ns()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert clock.spun_ns <= time.perf_counter_ns() - begun


def test_the_guard_is_calibrated_once_within_its_range() -> None:
    clock = RealClock()
    clock.calibrate()
    guard = clock.guard_ns
    assert GUARD_RANGE_NS[0] <= guard <= GUARD_RANGE_NS[1]
    clock.guard_ns = 1
    clock.calibrate()
    assert clock.guard_ns == 1


def test_a_trend_is_not_stationary() -> None:
    rng = np.random.default_rng(0)
    level = rng.normal(1e6, 2e4, 400)
    assert is_stationary(level.astype(np.int64))
    assert not is_stationary((level * np.linspace(1.5, 1.0, 400)).astype(np.int64))
    assert not is_stationary(level[:30].astype(np.int64))
    assert is_stationary(np.full(100, 7))


def test_stationary_series_pass_in_19_of_20() -> None:
    rng = np.random.default_rng(1)
    passed = [is_stationary(rng.lognormal(10, 0.2, 300).astype(np.int64)) for _ in range(1000)]
    assert 0.93 <= np.mean(passed) <= 0.97


@pytest.mark.parametrize(("statistic", "least"), [("p50", 500), ("p90", 500), ("p99", 4000), ("throughput", 500)])
def test_first_look(statistic: str, least: int) -> None:
    assert first_look(Stop(max_s=1.0, statistic=statistic)) == least


def test_efforts() -> None:
    assert efforts.stop("quick", "single_stream") == Stop(max_s=1.2, statistic="p50", ci_target=0.02)
    assert efforts.stop("standard", "offline") == Stop(max_s=120.0, statistic="throughput", ci_target=0.02)
    assert efforts.stop("submission", "server").statistic == "p99"
    assert efforts.stop("submission", "single_stream", max_s=30.0).min_s == 30.0
    assert efforts.stop("standard", "server", ci_target=0.1, max_s=5.0) == Stop(max_s=5.0, ci_target=0.1)


def test_the_host_is_looked_at() -> None:
    seen = audit.look()
    assert len(seen.calibration_ns) == audit.KERNEL_REPEATS
    assert min(seen.calibration_ns) > 0
    assert seen.rss_bytes is None or seen.rss_bytes > 10**6
    assert audit.look(wanted=False) == audit.Look()
    assert audit.difference(None, 3) is None
    assert audit.difference(2, 3) == 1


@pytest.mark.alone
def test_the_self_test_tells_its_figures() -> None:
    found = selftest.figures(seconds=0.1, rates=(500.0,))
    assert list(found) == [
        "single_stream.counted_ns",
        "single_stream.wall_ns",
        "server_500qps.p50_ns",
        "server_500qps.p99_ns",
        "server_top_qps",
        "known_single_stream.p50_ratio",
        "known_single_stream.p99_ratio",
        "known_server.p50_ratio",
        "known_server.p99_ratio",
    ]
    assert 0 < found["single_stream.counted_ns"] < found["single_stream.wall_ns"] < 50_000
    assert found["server_500qps.p50_ns"] <= found["server_500qps.p99_ns"]
    assert found["known_single_stream.p50_ratio"] > 1.0
    assert found["known_server.p50_ratio"] > 1.0


def test_lindleys_recursion() -> None:
    rng = np.random.default_rng(4)
    scheduled = np.cumsum(rng.integers(1, 100, 500))
    took = rng.integers(1, 120, 500)
    free, latencies = 0, []
    for arrival, service in zip(scheduled.tolist(), took.tolist(), strict=True):
        free = max(arrival, free) + service
        latencies.append(free - arrival)
    assert selftest.lindley(scheduled, took).tolist() == latencies


def test_the_top_rate_is_found_to_five_per_cent() -> None:
    assert 0.95 * 123_456 <= selftest.top_rate(lambda rate: 0.0 if rate <= 123_456 else 1e9) <= 123_456
