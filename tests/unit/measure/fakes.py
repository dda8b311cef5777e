"""A clock that stands still until every thread waits for it, and sessions whose times are known."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from accelbench.backends.protocol import Feed, Outputs
from accelbench.measure.load import Run, measure
from accelbench.model import Plan, Scenario, Stop

FEEDS: Sequence[Feed] = [{"x": np.array([i])} for i in range(8)]


class FakeClock:
    """Virtual time. Threads inside ``thread()`` are counted; time goes to the next moment that one of them waits for
    when all of them wait. Equal moments are served in the order of waiting."""

    def __init__(self) -> None:
        self.time = 1_000_000
        self.spun_ns = 0
        self._condition = threading.Condition()
        self._threads = 0
        self._waiting: list[int] = []

    def now(self) -> int:
        return self.time

    def calibrate(self) -> None:
        pass

    def sleep(self, seconds: float) -> None:
        self.wait_until(self.time + round(seconds * 1e9))

    def wait_until(self, moment: int) -> None:
        if self._threads <= 1:
            self.time = max(self.time, moment)
            return
        with self._condition:
            if moment <= self.time:
                return
            self._waiting.append(moment)
            self._advance()
            while self.time < moment:
                self._condition.wait()
            self._waiting.remove(moment)

    @contextmanager
    def thread(self) -> Iterator[None]:
        with self._condition:
            self._threads += 1
        try:
            yield
        finally:
            with self._condition:
                self._threads -= 1
                self._advance()

    def _advance(self) -> None:
        if self._waiting and len(self._waiting) >= self._threads and min(self._waiting) > self.time:
            self.time = min(self._waiting)
            self._condition.notify_all()


class Timed:
    """A session that takes the given times (ns) in turn, by the fake clock. Its output is its feed's value."""

    def __init__(self, clock: FakeClock, times: Sequence[int]) -> None:
        self.clock, self.times = clock, times
        self.calls = 0
        self._lock = threading.Lock()

    def run(self, feed: Feed) -> Outputs:
        with self._lock:
            time = self.times[self.calls % len(self.times)]
            self.calls += 1
        self.clock.wait_until(self.clock.now() + time)
        return {"y": feed["x"] * 2}

    def close(self) -> None:
        pass


def timed_pass(clock: FakeClock, session: Any, scenario: Scenario, stop: Stop, **options: Any) -> Run:
    """A pass under the fake clock, with eight feeds. Options are those of the plan and the abilities."""
    abilities = {"threads": False, "submit": False, "concurrency": 1}
    abilities.update({name: options.pop(name) for name in list(options) if name in abilities})
    plan = Plan(scenario, stop, **options)
    return measure(session, FEEDS, plan, clock=clock, audited=False, **abilities)  # type: ignore[arg-type]
