import math
import weakref
from collections.abc import Sequence
from typing import Any

import pytest
from tests.unit.measure.fakes import FEEDS, FakeClock, Timed

from accelbench.backends.protocol import Feed, Outputs
from accelbench.errors import WorkerError
from accelbench.model import OpTime
from accelbench.worker.profile import checked, profile

PLAIN_NS, PROFILED_NS = 2_000_000, 5_000_000


class Profiled(Timed):
    """Remembers which feeds were run before ``begin`` and which after it, and that it was closed."""

    def __init__(self, clock: FakeClock, fails_at: int | None = None) -> None:
        super().__init__(clock, [PROFILED_NS])
        self.fails_at, self.closed = fails_at, False
        self.warm: list[int] = []
        self.counted: list[int] = []
        self.seen = self.warm

    def run(self, feed: Feed) -> Outputs:
        if len(self.counted) == self.fails_at:
            raise RuntimeError("the stack gave up")
        self.seen.append(int(feed["x"][0]))
        return super().run(feed)

    def begin(self) -> None:
        self.seen = self.counted

    def end(self) -> Sequence[OpTime]:
        return [OpTime("Conv", "a", "cpu", "fp32", float(len(self.counted)))]

    def close(self) -> None:
        self.closed = True


class Plain(Timed):
    def close(self) -> None:
        self.times = ()


@pytest.mark.parametrize(
    ("told", "match"),
    [
        (None, "NoneType, not a sequence"),
        (["Conv"], "str, not an OpTime"),
        ([], "no kernel"),
        ([OpTime("Conv", "a", "cpu", "fp32", math.nan)], "ns of a"),
        ([OpTime("Conv", "a", "cpu", "fp32", 1.0, -1.0)], "calls of a"),
    ],
)
def test_an_answer_that_is_no_account_of_kernels_is_refused(told: Any, match: str) -> None:
    with pytest.raises(WorkerError, match=match) as caught:
        checked(told)
    assert caught.value.kind == "protocol"


def test_an_account_is_passed_on() -> None:
    told = [OpTime("Conv", "a", "cpu", "fp32", 1.0)]
    assert checked(told) == tuple(told)


def test_both_sessions_run_the_feeds_in_turns_and_only_counted_runs_are_timed() -> None:
    clock = FakeClock()
    plain, session = Plain(clock, [PLAIN_NS]), Profiled(clock)
    found = profile(lambda: plain, lambda: session, FEEDS, 20, clock)
    assert session.warm == [0, 1, 2, 3]
    assert session.counted == [at % len(FEEDS) for at in range(20)]
    assert found.times == (OpTime("Conv", "a", "cpu", "fp32", 20.0),)
    assert found.plain_ns == (PLAIN_NS,) * 20
    assert found.profiled_ns == (PROFILED_NS,) * 20
    assert session.closed
    assert plain.times == (), "closed before the other was loaded"


def test_a_few_runs_are_warmed_up_for_too() -> None:
    clock = FakeClock()
    session = Profiled(clock)
    profile(lambda: Plain(clock, [PLAIN_NS]), lambda: session, FEEDS, 1, clock)
    assert (session.warm, session.counted) == ([0, 1, 2], [0])


def test_the_profiler_is_loaded_when_the_plain_session_is_closed() -> None:
    clock = FakeClock()
    plain = Plain(clock, [PLAIN_NS])

    def profiler() -> Profiled:
        assert plain.times == ()
        return Profiled(clock)

    profile(lambda: plain, profiler, FEEDS, 1, clock)


def test_outputs_are_gone_when_their_session_closes() -> None:
    """They may be its memory."""

    class Lent(Profiled):
        def run(self, feed: Feed) -> Outputs:
            outputs = super().run(feed)
            self.lent = weakref.ref(outputs["y"])
            return outputs

        def close(self) -> None:
            assert self.lent() is None
            super().close()

    clock = FakeClock()
    sessions = Lent(clock), Lent(clock)
    profile(lambda: sessions[0], lambda: sessions[1], FEEDS, 20, clock)
    assert all(session.closed for session in sessions)


def test_what_a_profiled_run_raises_is_passed_on_and_the_session_closed() -> None:
    clock = FakeClock()
    session = Profiled(clock, fails_at=3)
    with pytest.raises(RuntimeError, match="the stack gave up"):
        profile(lambda: Plain(clock, [PLAIN_NS]), lambda: session, FEEDS, 20, clock)
    assert session.closed


def test_what_a_plain_run_raises_ends_it_before_the_profiler_is_loaded() -> None:
    class Broken(Plain):
        def run(self, feed: Feed) -> Outputs:
            raise RuntimeError(f"the stack gave up on {feed['x'][0]}")

    clock = FakeClock()
    broken = Broken(clock, [PLAIN_NS])
    with pytest.raises(WorkerError, match="the stack gave up") as caught:
        profile(lambda: broken, lambda: pytest.fail("loaded"), FEEDS, 20, clock)
    assert caught.value.kind == "raised"
    assert broken.times == ()
