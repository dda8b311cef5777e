import gc
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.worker.fake_loadgen import FakeLoadGen
from tests.unit.worker.fakes import FakeSession, samples

from accelbench.backends.protocol import Done, Feed
from accelbench.errors import UsageError
from accelbench.model import Plan, Scenario, Stop
from accelbench.tensors import Record
from accelbench.worker import loadgen as room
from accelbench.worker.loadgen import Driven, Expected, SystemUnderTest, drive, settings

SECOND = Stop(max_s=1.0)
QUICK = Stop(max_s=0.2, max_queries=60)
EXPECTED = Expected(latency_ns=2e6, rate=500.0, width=1, together=False)
FOUND: tuple[Scenario, ...] = ("single_stream", "multi_stream", "server", "offline")


def doubled(feed: Record) -> Record:
    return {"y": 2 * feed["x"]}


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeLoadGen]:
    made = FakeLoadGen()
    monkeypatch.setitem(sys.modules, room.MODULE, made)
    yield made
    gc.unfreeze()
    gc.enable()


def made(plan: Plan, expected: Expected = EXPECTED) -> Any:
    return settings(FakeLoadGen(), plan, expected)


def driven(session: Any, scenario: Scenario, folder: Path, **abilities: Any) -> Driven:
    plan = Plan(scenario, QUICK, batch=4 if scenario == "multi_stream" else 1, rate=2000.0)
    asked = {"threads": True, "submit": False, "concurrency": 3, **abilities}
    return drive(session, samples(5), plan, folder, **asked)


def test_single_stream_runs_for_the_plans_time() -> None:
    given = made(Plan("single_stream", SECOND))
    assert (given.mode, given.scenario) == ("PerformanceOnly", "SingleStream")
    assert (given.min_duration_ms, given.max_duration_ms) == (1000, 1000)
    assert (given.min_query_count, given.max_query_count) == (1, 0)
    assert given.single_stream_expected_latency_ns == 2_000_000 + 2_000


def test_multi_stream_has_the_plans_samples_per_query() -> None:
    given = made(Plan("multi_stream", SECOND, batch=8))
    assert given.multi_stream_samples_per_query == 8
    assert given.multi_stream_expected_latency_ns == 2_000_000 + 2_000


def test_server_has_the_plans_rate_and_bound() -> None:
    given = made(Plan("server", Stop(max_s=1.0, statistic="p99.9"), rate=900.0, latency_bound_s=0.05))
    assert given.server_target_qps == 900.0
    assert given.server_target_latency_ns == 50_000_000
    assert given.server_target_latency_percentile == pytest.approx(0.999)
    assert given.min_query_count == 900 + 5 * 30
    assert not hasattr(given, "max_duration_ms")


def test_server_without_a_bound_is_not_judged_by_latency() -> None:
    given = made(Plan("server", SECOND, rate=100.0))
    assert given.server_target_latency_ns == 3600e9
    assert not hasattr(given, "server_target_latency_percentile")


def test_offline_expects_a_little_more_than_was_found_and_knows_the_callbacks_cost() -> None:
    assert made(Plan("offline", SECOND)).offline_expected_qps == pytest.approx(1.1 * 500, rel=0.01)
    fast = Expected(latency_ns=100.0, rate=1e7, width=1, together=False)
    assert made(Plan("offline", SECOND), fast).offline_expected_qps == pytest.approx(1.1 * 1e7 / 21)


@pytest.mark.parametrize("scenario", FOUND)
def test_a_plan_that_counts_queries_gives_their_number(scenario: Scenario) -> None:
    given = made(Plan(scenario, Stop(max_s=9.0, max_queries=70), rate=10.0, batch=2))
    assert (given.min_duration_ms, given.min_query_count) == (0, 70)
    assert given.max_query_count == (0 if scenario == "offline" else 70)


def test_the_queries_that_loadgen_makes_beforehand_are_bounded() -> None:
    nothing = Expected(latency_ns=100.0, rate=1e7, width=1, together=False)
    expected_ns = made(Plan("single_stream", Stop(max_s=120.0)), nothing).single_stream_expected_latency_ns
    assert 2 * 120e9 / expected_ns <= room.MOST_QUERIES


@pytest.mark.parametrize("scenario", FOUND)
def test_every_query_is_completed_once(fake: FakeLoadGen, scenario: Scenario, tmp_path: Path) -> None:
    session = FakeSession(doubled)
    found = driven(session, scenario, tmp_path)
    assert sorted(fake.completed) == list(range(40))
    assert (found.failed, found.errors) == (0, ())
    assert found.queries == (10 if scenario == "multi_stream" else 40)
    assert found.expected_ns > 0
    assert {float(feed["x"][0]) for feed in session.feeds[-20:]} == {0.0, 1.0, 2.0, 3.0, 4.0}
    assert fake.destroyed == ["QSL", "SUT"]


def test_logs_and_audit_file_are_absolute_and_nothing_is_traced(
    fake: FakeLoadGen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    driven(FakeSession(doubled), "single_stream", Path("logs"))
    assert fake.logs.log_output.outdir == str(tmp_path / "logs")
    assert fake.logs.enable_trace is False
    assert Path(fake.audit).is_absolute()
    assert not Path(fake.audit).exists()


@pytest.mark.parametrize("scenario", FOUND)
def test_a_session_that_raises_is_recorded_and_its_query_completed(
    fake: FakeLoadGen, scenario: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driving = threading.Event()

    def construct(issue: Any, _flush: object) -> Any:
        driving.set()
        return issue

    monkeypatch.setattr(fake, "ConstructFastSUT", construct)

    def sometimes(feed: Record) -> Record:
        if driving.is_set() and feed["x"][0] == 2.0:
            raise SystemExit("out\nof it")
        return doubled(feed)

    found = driven(FakeSession(sometimes), scenario, tmp_path)
    assert sorted(fake.completed) == list(range(40))
    assert found.failed == found.queries / 5
    assert found.errors == ("SystemExit: out of it",)


def test_an_error_that_cannot_be_shown_is_still_recorded() -> None:
    class Silent(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    def fails(_feed: Record) -> Record:
        raise Silent

    completed: list[int] = []
    sut = SystemUnderTest(completed.extend, FakeSession(fails), samples(1), EXPECTED)
    sut.query([7], [0])
    assert completed == [7]
    assert dict(sut.errors) == {"Silent": 1}


def test_a_session_that_fails_from_the_start_is_not_driven(fake: FakeLoadGen, tmp_path: Path) -> None:
    def fails(_feed: Record) -> Record:
        raise RuntimeError("the device is on fire")

    with pytest.raises(UsageError, match=r"LoadGen was not started.*the device is on fire"):
        driven(FakeSession(fails), "single_stream", tmp_path)
    assert fake.settings is None


def test_closed_loop_is_not_loadgens(fake: FakeLoadGen, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="LoadGen has no scenario closed_loop"):
        driven(FakeSession(doubled), "closed_loop", tmp_path)
    assert fake.settings is None


class Asynchronous(FakeSession):
    """Ends each feed on a thread of its own a moment later; every fifth badly, every seventh at once."""

    def __init__(self) -> None:
        super().__init__(doubled)
        self.flying = self.most = self.started = 0
        self.lock = threading.Lock()

    def submit(self, feed: Feed, done: Done) -> None:
        with self.lock:
            self.started += 1
            self.flying += 1
            self.most = max(self.most, self.flying)
        if self.started % 7 == 0:
            self.flying -= 1
            raise RuntimeError("no room")
        failing = self.started % 5 == 0

        def end() -> None:
            with self.lock:
                self.flying -= 1
            done(RuntimeError("lost") if failing else self.function(feed))

        threading.Timer(0.002, end).start()


def test_an_asynchronous_session_has_as_many_in_flight_as_it_asked_for() -> None:
    completed: list[int] = []
    expected = Expected(latency_ns=2e6, rate=500.0, width=3, together=True)
    session = Asynchronous()
    sut = SystemUnderTest(completed.extend, session, samples(4), expected)
    sut.offline(list(range(35)), [])
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.join()
    assert sorted(completed) == list(range(35))
    assert session.most == 3
    assert dict(sut.errors) == {"RuntimeError: lost": 6, "RuntimeError: no room": 5}


def test_threads_share_what_is_offline() -> None:
    completed: list[int] = []
    expected = Expected(latency_ns=1e5, rate=1e4, width=3, together=False)
    barrier = threading.Barrier(3, timeout=10)

    def meets(feed: Record) -> Record:
        barrier.wait()
        return doubled(feed)

    SystemUnderTest(completed.extend, FakeSession(meets), samples(4), expected).offline(list(range(30)), [])
    assert sorted(completed) == list(range(30))
