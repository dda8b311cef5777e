"""Sessions that take feeds without waiting, and sessions that never come back; in real time, but short."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from tests.unit.measure.fakes import FEEDS

from accelbench.backends.protocol import Done, Feed, Outputs
from accelbench.measure import crew, load
from accelbench.model import Plan, Stop


class Pool:
    """Runs what is submitted on threads of its own, for 2 ms each."""

    def __init__(self, workers: int = 4) -> None:
        self.pool = ThreadPoolExecutor(workers)
        self.submitted = 0
        self.in_flight = self.most = 0
        self._lock = threading.Lock()

    def run(self, feed: Feed) -> Outputs:
        time.sleep(2e-3)
        return {"y": feed["x"] * 2}

    def submit(self, feed: Feed, done: Done) -> None:
        with self._lock:
            self.submitted += 1
            self.in_flight += 1
            self.most = max(self.most, self.in_flight)
        self.pool.submit(self._work, feed, done, self.submitted)

    def _work(self, feed: Feed, done: Done, _number: int) -> None:
        outputs = self.run(feed)
        with self._lock:
            self.in_flight -= 1
        done(outputs)

    def close(self) -> None:
        self.pool.shutdown(cancel_futures=True)


def run(session: Pool, concurrency: int | None = None) -> load.Run:
    plan = Plan("closed_loop", Stop(max_s=5.0, max_queries=200), concurrency=concurrency)
    try:
        return load.measure(session, FEEDS, plan, threads=False, submit=True, concurrency=4, audited=False)
    finally:
        session.close()


def test_so_many_are_in_flight() -> None:
    session = Pool()
    found = run(session, concurrency=3)
    assert session.most == found.concurrency == 3
    assert found.columns.ok.all()
    assert found.stop_reason == "queries"
    assert len(found.columns) == 200
    assert (np.diff(found.columns.issued) >= 0).all()
    assert (found.columns.done - found.columns.issued).min() >= 2_000_000


@pytest.mark.alone
def test_a_slow_session_ends_near_its_time() -> None:
    class Slow(Pool):
        def run(self, feed: Feed) -> Outputs:
            time.sleep(0.05)
            return {"y": feed["x"] * 2}

    session = Slow(workers=2)
    plan = Plan("offline", Stop(max_s=0.4))
    begun = time.monotonic()
    found = load.measure(session, FEEDS, plan, threads=False, submit=True, concurrency=2, audited=False)
    took = time.monotonic() - begun
    session.close()
    assert found.stop_reason == "time"
    assert 8 <= len(found.columns) <= 24
    assert took < 2.0


def test_samples_belong_to_their_feeds() -> None:
    found = run(Pool())
    assert found.samples
    for sample in found.samples:
        assert sample.outputs["y"] == FEEDS[sample.feed]["x"] * 2
        assert found.columns.feed[sample.query] == sample.feed


def test_errors_are_recorded() -> None:
    class Failing(Pool):
        def _work(self, feed: Feed, done: Done, number: int) -> None:
            if number % 25 == 0:
                done(ValueError("too warm"))
            else:
                super()._work(feed, done, number)

    found = run(Failing())
    assert found.errors == ("ValueError: too warm",)
    assert 4 <= (~found.columns.ok).sum() <= 9


def test_a_session_that_refuses_ends_the_pass() -> None:
    class Refusing(Pool):
        def submit(self, feed: Feed, done: Done) -> None:  # noqa: ARG002
            raise RuntimeError("no more requests")

    found = run(Refusing())
    assert found.stop_reason == "error"
    assert found.errors == ("RuntimeError: no more requests",)
    assert not found.columns.ok.any()


def test_queries_that_never_end_are_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "GRACE_S", 0.2)
    monkeypatch.setattr(load, "WARMUP_SHARE", 0.01)

    class Losing(Pool):
        def _work(self, feed: Feed, done: Done, number: int) -> None:
            if number != 260:
                super()._work(feed, done, number)

    session = Losing()
    stop = Stop(max_s=2.0)
    begun = time.monotonic()
    found = load.measure(
        session, FEEDS, Plan("offline", stop), threads=False, submit=True, concurrency=4, audited=False
    )
    session.close()
    assert time.monotonic() - begun < 20
    assert found.columns.ok.any()
    assert (~found.columns.ok).sum() == 1
    assert "a query did not end within 0.2 s after the pass" in found.errors


@pytest.mark.parametrize("scenario", ["closed_loop", "server"])
def test_a_thread_that_never_returns_is_left_behind(monkeypatch: pytest.MonkeyPatch, scenario: str) -> None:
    monkeypatch.setattr(crew, "GRACE_S", 0.2)
    monkeypatch.setattr(load, "WARMUP_SHARE", 0.01)
    let_go = threading.Event()

    class Hanging(Pool):
        def run(self, feed: Feed) -> Outputs:
            self.submitted += 1
            if self.submitted == 150:
                let_go.wait(20)
            return super().run(feed)

    session = Hanging()
    plan = Plan(scenario, Stop(max_s=2.0), rate=150.0)  # type: ignore[arg-type]
    found = load.measure(session, FEEDS, plan, threads=True, submit=False, concurrency=2, audited=False)
    let_go.set()
    session.close()
    assert (~found.columns.ok).sum() == 1
    assert found.columns.ok.sum() > 50
    assert found.errors == ("a query did not end within 0.2 s after the pass",)


@pytest.mark.parametrize(("seconds", "submits"), [(1e-5, False), (5e-3, True)])
def test_short_queries_go_by_threads_where_both_are_declared(seconds: float, submits: bool) -> None:
    ways: list[str] = []

    class Telling(Pool):
        def run(self, feed: Feed) -> Outputs:
            ways.append("run")
            time.sleep(seconds)
            return {"y": feed["x"]}

        def submit(self, feed: Feed, done: Done) -> None:
            super().submit(feed, done)
            ways.append("submit")

        def _work(self, feed: Feed, done: Done, _number: int) -> None:
            time.sleep(seconds)
            done({"y": feed["x"]})

    session = Telling()
    plan = Plan("offline", Stop(max_s=0.3))
    found = load.measure(session, FEEDS, plan, threads=True, submit=True, concurrency=2, audited=False)
    session.close()
    passed = ways[-len(found.columns) :]
    assert passed.count("submit" if submits else "run") > len(found.columns) / 2


def test_outputs_without_names_are_told() -> None:
    class Nameless(Pool):
        def run(self, feed: Feed) -> Outputs:
            time.sleep(1e-3)
            return [feed["x"]]  # type: ignore[return-value]

    for submit in (True, False):
        session = Nameless()
        plan = Plan("offline", Stop(max_s=0.2))
        found = load.measure(session, FEEDS, plan, threads=False, submit=submit, concurrency=2, audited=False)
        session.close()
        assert found.errors == ("the session returned list, not arrays by name",)
