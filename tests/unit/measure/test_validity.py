"""Each reason for mistrust is provoked, by columns made by hand and by real disturbances."""

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from scipy.signal import lfilter  # type: ignore[import-untyped]
from tests.unit.measure.fakes import FEEDS, FakeClock, Timed, timed_pass
from tests.unit.measure.made import MS, closed, columns, measurement, noisy

from accelbench.measure import validity
from accelbench.measure.columns import Columns
from accelbench.measure.load import measure
from accelbench.model import Audit, Measurement, Plan, Scenario, Stop


def why(found: tuple[str, ...]) -> list[str]:
    return [reason.split(":")[0] for reason in found]


def of(table: Columns, audit: Audit | None = None, **changes: object) -> list[str]:
    return why(validity.reasons(measurement(audit=audit, **changes), table))  # type: ignore[arg-type]


def open_loop(lag: np.ndarray, service: int = 2 * MS) -> Columns:
    """One server, an arrival every 10 ms, each issued late by ``lag`` ns."""
    scheduled = np.arange(len(lag)) * 10 * MS
    return columns(scheduled, scheduled + lag, scheduled + lag + service)


def test_a_quiet_pass_is_valid() -> None:
    audit = Audit(
        canary_ns=(50_000,) * 20, calibration_before_ns=(100, 101), calibration_after_ns=(101, 99), overhead_ns=90.0,
        steal_ns=0,
    )  # fmt: skip
    assert of(closed(noisy(2000)), audit) == []


def test_nothing_done() -> None:
    assert of(closed([])) == ["no query ended well"]


def test_failed_queries() -> None:
    ok = np.ones(1000, dtype=np.bool_)
    ok[[3, 500]] = False
    found = validity.reasons(measurement(), closed(noisy(1000), ok=ok))
    assert found == ("errors: 2 of 1000 queries failed",)


def test_arrivals_never_served() -> None:
    table = open_loop(np.zeros(1000, dtype=np.int64))
    table.ok[-10:] = False
    table.issued[-10:] = table.done[-10:] = table.done.max()
    found = validity.reasons(measurement("server"), table)
    assert found == ("errors: 10 of 1000 queries failed, 10 of them never issued before the pass ended",)


def test_interrupted() -> None:
    assert of(closed(noisy(1000)), stop_reason="interrupted") == ["interrupted"]


def test_a_clock_set_back() -> None:
    table = closed(noisy(1000))
    table.done[700] = table.issued[700] - 5
    assert "clock" in of(table)


def test_a_clock_that_jumps_ahead() -> None:
    times = noisy(1000)
    assert of(closed([*times[:500], 10**10, *times[500:]])) == ["stalled"]


class JumpingClock(FakeClock):
    """Jumps by so many ns in the middle of the 500th query."""

    def __init__(self, jump: int) -> None:
        super().__init__()
        self.jump = jump
        self.queries = 0

    def wait_until(self, moment: int) -> None:
        super().wait_until(moment)
        self.queries += 1
        if self.queries == 500:
            self.time += self.jump


@pytest.mark.parametrize(("jump", "told"), [(-20 * MS, "clock"), (10_000 * MS, "stalled"), (0, None)])
@pytest.mark.parametrize("scenario", ["single_stream", "offline"])
def test_an_injected_clock_that_jumps_is_told(jump: int, told: str | None, scenario: Scenario) -> None:
    clock = JumpingClock(jump)
    run = timed_pass(clock, Timed(clock, noisy(1000)), scenario, Stop(max_s=30.0, max_queries=1000))
    found = of(run.columns, scenario=scenario, stop_reason=run.stop_reason)
    assert found == ([] if told is None else [told])


def test_too_few_samples() -> None:
    assert of(closed(noisy(39))) == ["too few samples"]
    assert of(closed(noisy(1000)), statistic="p99") == ["too few samples"]
    assert of(closed(noisy(3000)), statistic="p99") == []


def test_schedule_kept() -> None:
    assert of(open_loop(np.full(1000, 3_000)), scenario="server") == []


@pytest.mark.parametrize("late", ["median", "mean", "tail"])
def test_schedule_not_kept(late: str) -> None:
    lag = np.full(1000, 3_000)
    lag[{"median": slice(None), "mean": slice(0, 30), "tail": slice(0, 20)}[late]] = {
        "median": 50_000, "mean": 2 * MS, "tail": MS // 2,
    }[late]  # fmt: skip
    assert of(open_loop(lag), scenario="server") == ["schedule not kept"]


def test_queueing_is_no_lateness() -> None:
    rng = np.random.default_rng(3)
    scheduled = np.cumsum(rng.exponential(2 * MS, 3000)).astype(np.int64)
    free, issued = [0, 0], []
    for arrival in scheduled.tolist():
        free.sort()
        issued.append(max(arrival, free[0]))
        free[0] = issued[-1] + 3 * MS
    table = columns(scheduled, issued, np.array(issued) + 3 * MS)
    assert (table.issued - table.scheduled).max() > 10 * MS
    assert not validity.excess_lag(table, 2).any()
    assert of(table, scenario="server", concurrency=2) == []


def test_overhead() -> None:
    assert of(closed(noisy(2000, mean=10_000)), Audit(overhead_ns=150.0)) == []
    assert of(closed(noisy(2000, mean=5_000)), Audit(overhead_ns=150.0)) == ["overhead"]


def test_interpreter_held() -> None:
    assert of(closed(noisy(2000)), Audit(canary_ns=(60_000,) * 15 + (5 * MS,) * 2)) == []
    assert of(closed(noisy(2000)), Audit(canary_ns=(60_000,) * 5 + (5 * MS,) * 5)) == ["interpreter held"]


def test_a_neighbour_that_comes_and_goes() -> None:
    times = np.array(noisy(2000))
    times[700:1100] *= 2
    assert of(closed(times)) == ["instability"]


def test_feeds_of_different_length_are_no_instability() -> None:
    feed = np.sort(np.arange(2000, dtype=np.int32) % 4)
    assert of(closed(np.array(noisy(2000)) * (1 + feed), feed=feed)) == []


def test_two_mixed_modes_are_no_instability() -> None:
    slow = np.random.default_rng(1).random(4000) < 0.1
    assert of(closed(np.array(noisy(4000)) * np.where(slow, 2, 1))) == []


def test_short_memory_is_no_instability() -> None:
    rng = np.random.default_rng(2)
    found = []
    for _ in range(200):
        noise = lfilter([0.714], [1.0, -0.7], rng.normal(size=400))
        found.append(validity.time_shift(closed(np.exp(0.1 * noise) * MS)) is not None)
    assert np.mean(found) < 0.03


def test_a_host_that_changed_speed() -> None:
    audit = Audit(calibration_before_ns=(100, 100, 300), calibration_after_ns=(130, 129, 131))
    assert of(closed(noisy(2000)), audit) == ["instability"]


def test_stolen_time() -> None:
    assert of(closed(noisy(2000)), Audit(steal_ns=30 * MS)) == []
    assert of(closed(noisy(2000)), Audit(steal_ns=300 * MS)) == ["instability"]


class Sleeping:
    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def run(self, _: object) -> dict[str, np.ndarray]:
        time.sleep(self.seconds)
        return {}

    def close(self) -> None: ...


def real_pass(plan: Plan, seconds: float = 2e-3) -> tuple[Measurement, Columns]:
    run = measure(Sleeping(seconds), FEEDS, plan, threads=True, submit=False, concurrency=1)
    return run.measurement(plan, ""), run.columns


@pytest.mark.alone
def test_a_busy_thread_is_seen() -> None:
    quiet = threading.Event()

    def busy() -> None:
        while not quiet.is_set():
            sum(range(1000))

    thread = threading.Thread(target=busy)
    thread.start()
    try:
        closed_loop = real_pass(Plan("single_stream", Stop(max_s=1.0)))
        server = real_pass(Plan("server", Stop(max_s=1.0), rate=100.0))
    finally:
        quiet.set()
        thread.join()
    assert "interpreter held" in why(validity.reasons(*closed_loop))
    assert "interpreter held" in why(validity.reasons(*server))


STALLED = """
import sys, time
sys.path[:0] = ["src", "."]
from tests.unit.measure.test_validity import Sleeping, why
from tests.unit.measure.fakes import FEEDS
from accelbench.measure import load, validity
from accelbench.model import Plan, Stop

class Telling(Sleeping):
    begun = told = None

    def run(self, feed):
        now = time.monotonic()
        self.begun = self.begun or now
        if not self.told and now - self.begun > 2.5:
            self.told = print("under way", flush=True) or True
        return super().run(feed)

plan = Plan("single_stream", Stop(max_s=5.0))
run = load.measure(Telling(2e-3), FEEDS, plan, threads=True, submit=False, concurrency=1)
print(why(validity.reasons(run.measurement(plan, ""), run.columns)))
"""


@pytest.mark.alone
def test_a_stopped_process_is_seen() -> None:
    child = subprocess.Popen([sys.executable, "-c", STALLED], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "under way\n"
    os.kill(child.pid, signal.SIGSTOP)
    time.sleep(0.5)
    os.kill(child.pid, signal.SIGCONT)
    said, _ = child.communicate(timeout=60)
    assert "stalled" in said
