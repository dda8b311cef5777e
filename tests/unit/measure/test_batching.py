"""Dynamic batching: the rule by hand, and the session with real threads that are let go one by one."""

import threading
import time
from collections.abc import Sequence

import numpy as np
import pytest

from accelbench.backends.protocol import Feed, Outputs
from accelbench.errors import AccelbenchError, UsageError
from accelbench.measure.batching import Batching, Collector, in_front
from accelbench.measure.load import measure
from accelbench.model import Plan, Scenario, Stop

LONG_S = 30.0


def feed(value: float, rows: int = 1) -> Feed:
    return {"x": np.full((rows, 2), value)}


def test_the_first_leads_and_the_next_join_until_the_group_is_full() -> None:
    collector = Collector(room=3, delay_ns=100)
    group, place = collector.join(feed(0), now=10)
    assert (place, group.due_ns) == (0, 110)
    assert [collector.join(feed(i), now=20)[1] for i in (1, 2)] == [1, 2]
    assert collector.full(group)
    other, place = collector.join(feed(3), now=30)
    assert (place, other.due_ns) == (0, 130)
    assert other is not group


def test_a_group_is_ready_when_it_is_full_or_due_and_in_its_turn() -> None:
    collector = Collector(room=2, delay_ns=100)
    first, _ = collector.join(feed(0), now=0)
    assert not collector.ready(first, now=99)
    assert collector.ready(first, now=100)
    collector.join(feed(1), now=50)
    assert collector.ready(first, now=50)
    second, _ = collector.join(feed(2), now=60)
    assert not collector.ready(second, now=1000)  # the first has not been taken
    assert collector.take() is first
    assert collector.ready(second, now=160)


def test_nobody_joins_a_group_that_was_taken() -> None:
    collector = Collector(room=8, delay_ns=0)
    first, _ = collector.join(feed(0), now=0)
    assert collector.take() is first
    second, place = collector.join(feed(1), now=0)
    assert (second is first, place) == (False, 0)


class Gate:
    """A session of batches that notes what it gets; each call waits until it is let go."""

    def __init__(self, opened: bool = False) -> None:
        self.batches: list[list[float]] = []
        self.called = threading.Semaphore(0)
        self.go = threading.Semaphore(1_000_000 if opened else 0)

    def run(self, feed: Feed) -> Outputs:
        self.batches.append(feed["x"][:, 0].tolist())
        self.called.release()
        assert self.go.acquire(timeout=LONG_S)
        return {"y": feed["x"] * 2}

    def close(self) -> None:
        raise AssertionError("not ours to close")


class Client(threading.Thread):
    def __init__(self, session: Batching, query: Feed) -> None:
        super().__init__(daemon=True)
        self.session, self.query = session, query
        self.outputs: Outputs | None = None
        self.error: Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            self.outputs = self.session.run(self.query)
        except Exception as error:
            self.error = error


def clients(session: Batching, values: Sequence[float], rows: int = 1) -> list[Client]:
    """Clients that come one after the other, each in its place before the next."""
    found = []
    for value in values:
        before, until = joined(session), time.monotonic() + LONG_S
        found.append(Client(session, feed(value, rows)))
        while joined(session) == before and time.monotonic() < until:
            time.sleep(1e-4)
    return found


def joined(session: Batching) -> int:
    """Queries that have a place in a batch, or had one."""
    with session._changed:
        return sum(session._sizes) + sum(len(group.feeds) for group in session._collector.waiting)


def answers(made: Sequence[Client]) -> list[float]:
    for client in made:
        client.join(LONG_S)
        assert client.error is None
    return [float(client.outputs["y"][0, 0]) for client in made if client.outputs is not None]


def test_a_full_batch_goes_at_once_and_each_client_gets_its_own() -> None:
    gate = Gate(opened=True)
    session = Batching([gate.run], queries=3, samples=1, delay_s=LONG_S)
    made = clients(session, [1, 2, 3])
    assert answers(made) == [2, 4, 6]
    assert gate.batches == [[1, 2, 3]]
    assert session.sizes(0) == {"3": 1}


def test_a_batch_that_is_not_full_goes_when_it_is_due_filled_with_its_last_query() -> None:
    gate = Gate(opened=True)
    session = Batching([gate.run], queries=4, samples=1, delay_s=0.3)
    begun = time.monotonic()
    assert answers(clients(session, [1, 2])) == [2, 4]
    assert 0.25 < time.monotonic() - begun < 5
    assert gate.batches == [[1, 2, 2, 2]]
    assert session.sizes(0) == {"2": 1}
    assert session.sizes(time.perf_counter_ns()) == {}


def test_queries_of_several_samples_stay_together() -> None:
    gate = Gate(opened=True)
    session = Batching([gate.run], queries=2, samples=2, delay_s=LONG_S)
    made = clients(session, [1, 2], rows=2)
    assert answers(made) == [2, 4]
    assert gate.batches == [[1, 1, 2, 2]]
    assert all(client.outputs is not None and client.outputs["y"].shape == (2, 2) for client in made)


def test_while_the_session_is_busy_the_next_batch_grows() -> None:
    gate = Gate()
    session = Batching([gate.run], queries=8, samples=1, delay_s=0.0)
    first = clients(session, [1])
    assert gate.called.acquire(timeout=LONG_S)
    others = clients(session, [2, 3, 4])
    gate.go.release(2)
    assert answers(first + others) == [2, 4, 6, 8]
    assert [batch[:3] for batch in gate.batches] == [[1, 1, 1], [2, 3, 4]]


def test_two_sessions_behind_take_two_batches() -> None:
    gates = [Gate(), Gate()]
    session = Batching([gate.run for gate in gates], queries=2, samples=1, delay_s=LONG_S)
    made = clients(session, [1, 2, 3, 4])
    for gate in gates:
        assert gate.called.acquire(timeout=LONG_S)
        gate.go.release()
    assert answers(made) == [2, 4, 6, 8]
    assert sorted(batch for gate in gates for batch in gate.batches) == [[1, 2], [3, 4]]


def test_what_the_session_raises_reaches_every_query_of_its_batch_and_no_other() -> None:
    def moody(batch: Feed) -> Outputs:
        if batch["x"][0, 0] == 1:
            raise ValueError("out of order")
        return {"y": batch["x"]}

    session = Batching([moody], queries=2, samples=1, delay_s=LONG_S)
    made = clients(session, [1, 2])
    for client in made:
        client.join(LONG_S)
    assert [str(client.error) for client in made] == ["out of order"] * 2
    assert answers(clients(session, [3, 4])) == [3, 4]


def test_outputs_without_the_batch_are_an_error() -> None:
    session = Batching([lambda batch: {"y": batch["x"].sum(axis=0)}], queries=3, samples=1, delay_s=0.0)
    with pytest.raises(AccelbenchError, match=r"output y has shape \[2\]"):
        session.run(feed(1))


def test_outputs_stay_when_the_session_uses_its_buffer_again() -> None:
    buffer = np.zeros((1, 2))

    def reuses(batch: Feed) -> Outputs:
        buffer[:] = batch["x"]
        return {"y": buffer}

    session = Batching([reuses], queries=1, samples=1, delay_s=0.0)
    kept = session.run(feed(1))["y"]
    session.run(feed(2))
    assert kept.tolist() == [[1, 1]]


class Sleeps:
    def run(self, feed: Feed) -> Outputs:
        time.sleep(2e-3)
        return {"y": feed["x"]}

    def close(self) -> None:
        pass


@pytest.mark.parametrize("scenario", ["server", "closed_loop"])
def test_batches_raise_what_a_session_can_take(scenario: Scenario) -> None:
    rate = 2000.0 if scenario == "server" else None
    plan = Plan(scenario, Stop(max_s=0.5), rate=rate, max_batch=8, max_delay_s=2e-3)
    session = in_front(Sleeps(), plan, threads=False, concurrency=1)
    assert session.clients == 16
    feeds = [feed(i) for i in range(8)]
    found = measure(session, feeds, plan, threads=True, submit=False, concurrency=session.clients, audited=False)
    assert found.columns.ok.all()
    assert (found.columns.units == 1).all()
    sizes = session.sizes(found.began_ns)
    queries = sum(int(size) * count for size, count in sizes.items())
    assert queries == len(found.columns)
    assert queries / sum(sizes.values()) > 3
    assert queries / (found.columns.done.max() * 1e-9) > 2 / 2.5e-3  # one by one it would be fewer than 1 / 2 ms


@pytest.mark.parametrize("scenario", ["single_stream", "offline", "multi_stream"])
def test_one_client_has_nothing_to_batch(scenario: Scenario) -> None:
    with pytest.raises(UsageError, match="server or closed_loop"):
        in_front(Sleeps(), Plan(scenario, Stop(max_s=1), max_batch=8), threads=True, concurrency=1)


def test_a_batch_that_queries_do_not_fill_is_refused() -> None:
    with pytest.raises(UsageError, match="batches of 8 cannot be made of queries of 3"):
        in_front(Sleeps(), Plan("server", Stop(max_s=1), batch=3, max_batch=8), threads=True, concurrency=1)
