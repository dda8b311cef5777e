import threading
import time
from collections.abc import Callable

import numpy as np
import pytest
from tests.unit.worker.fakes import FakeSession, doubled, samples

from accelbench.backends.protocol import Done, Feed, Outputs
from accelbench.tensors import Array, Record
from accelbench.worker import trials

FEEDS = [{"x": record["x"][None]} for record in samples(4)]
WANTED = [doubled(feed) for feed in FEEDS]


class Shares:
    """Hands out one buffer to everybody."""

    def __init__(self) -> None:
        self._last: Outputs = {}

    def run(self, feed: Feed) -> Outputs:
        self._last = doubled(feed)
        time.sleep(0.001)
        return self._last

    def close(self) -> None:
        pass


class Submits(FakeSession):
    def submit(self, feed: Feed, done: Done) -> None:
        threading.Thread(target=lambda: done(self.run(feed))).start()


def test_a_session_without_state_answers_all_threads() -> None:
    facts = trials.concurrent(FakeSession(doubled), FEEDS, WANTED, threads=3)
    assert (facts.runs, facts.wrong, facts.problem) == (3 * 8 * 4, 0, "")


def test_a_shared_buffer_is_seen() -> None:
    facts = trials.concurrent(Shares(), FEEDS, WANTED, threads=3)
    assert 0 < facts.wrong <= facts.runs
    assert "differs from that of a single run" in facts.problem


def test_what_is_raised_is_wrong() -> None:
    def odd(feed: Record) -> Record:
        if feed["x"][0, 0] == 2:
            raise RuntimeError("busy")
        return doubled(feed)

    facts = trials.concurrent(FakeSession(odd), FEEDS, WANTED, threads=2)
    assert (facts.runs, facts.wrong, facts.problem) == (64, 16, "RuntimeError: busy")


def test_submitted_feeds_are_answered_by_their_own_outputs() -> None:
    assert trials.submitted(Submits(doubled), FEEDS, WANTED, 3).wrong == 0
    assert trials.submitted(Submits(lambda feed: {"y": feed["x"]}), FEEDS, WANTED, 3).wrong == 12


def test_memory_is_read_before_and_while_runs_go_on() -> None:
    kept: list[Array] = []

    def leaks(feed: Record) -> Record:
        kept.append(np.ones(1 << 19))
        return doubled(feed)

    facts = trials.repeated(FakeSession(leaks), FEEDS, WANTED, 40)
    assert (facts.runs, facts.wrong) == (40, 0)
    assert len(facts.resident_bytes) == 5
    assert facts.resident_bytes[-1] - facts.resident_bytes[0] > 60 << 20


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda y: y, ""),
        (lambda y: y * np.float32(1 + 1e-6), ""),
        (lambda y: y * np.float32(1.01), "output y differs from that of a single run by 1.0e-02"),
        (lambda y: y * np.float32(np.nan), "output y differs"),
        (lambda y: y[0], "outputs of other names, shapes or types"),
        (lambda y: y.astype(np.float64), "outputs of other names, shapes or types"),
    ],
)
def test_a_difference_is_told(change: Callable[[Array], Array], text: str) -> None:
    found = trials.other({"y": FEEDS[1]["x"]}, {"y": change(FEEDS[1]["x"])})
    assert found.startswith(text)
    assert bool(found) == bool(text)
