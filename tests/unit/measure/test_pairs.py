import numpy as np
import pytest

from accelbench.measure.clock import RealClock
from accelbench.measure.pairs import interleaved
from accelbench.tensors import Record


class Stepped(RealClock):
    """A clock that only runs move."""

    def __init__(self) -> None:
        super().__init__()
        self.moment = 0

    def now(self) -> int:
        return self.moment


class Timed:
    """A session in which a run takes as many ns as its feed says."""

    def __init__(self, clock: Stepped) -> None:
        self.clock = clock
        self.order: list[int] = []

    def run(self, feed: Record) -> Record:
        self.clock.moment += int(feed["x"])
        self.order.append(int(feed["x"]))
        return feed

    def close(self) -> None:
        pass


def feeds(*values: int) -> list[Record]:
    return [{"x": np.array(value)} for value in values]


def test_times_of_either_side_in_alternating_order() -> None:
    clock = Stepped()
    session = Timed(clock)
    times = interleaved(session, feeds(1, 2, 3, 4), feeds(10, 20, 30, 40), 1.0, clock)
    assert times == ((1, 2, 3, 4), (10, 20, 30, 40))
    assert session.order == [1, 1, 10, 20, 2, 3, 30, 40, 4]


@pytest.mark.parametrize(("limit_s", "pairs"), [(0.0, 3), (8.5e-9, 3), (9.5e-9, 4), (1.0, 6)])
def test_at_least_three_pairs_and_none_begun_past_the_limit(limit_s: float, pairs: int) -> None:
    clock = Stepped()
    seen, unseen = interleaved(Timed(clock), feeds(*[1] * 6), feeds(*[2] * 6), limit_s, clock)
    assert len(seen) == len(unseen) == pairs
