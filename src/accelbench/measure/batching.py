"""Dynamic batching, the harness's own: queries of several clients become one batch for the session behind.

There is no thread for it. The first query of a batch leads: its client waits until the batch is full or has waited
long enough, and a session is free; then it runs the batch and wakes the others. While no session is free the batch
goes on to grow. A query's latency counts as ever, from its arrival to its own outputs, so waiting is in it.
"""

from __future__ import annotations

import threading
import time
from array import array
from collections import Counter, deque
from collections.abc import Sequence
from typing import Any, Callable

import numpy as np

from accelbench.backends.protocol import Feed, Outputs, Session
from accelbench.errors import AccelbenchError, UsageError
from accelbench.measure.instances import members_of
from accelbench.model import Plan

Run = Callable[[Feed], Outputs]

CLIENTS_PER_PLACE = 2
"""Clients for each place in the batches that can be under way: one batch runs while the next is collected."""


class Group:
    """Queries that become one batch, due at a moment even when it is not full."""

    def __init__(self, due_ns: int) -> None:
        self.due_ns = due_ns
        self.feeds: list[Feed] = []
        self.parts: Sequence[Outputs] = ()
        self.error: Exception | None = None
        self.ended = threading.Event()


class Collector:
    """Sorts arriving queries into groups of at most ``room``. Knows neither threads nor a clock."""

    def __init__(self, room: int, delay_ns: int) -> None:
        self.room, self.delay_ns = room, delay_ns
        self.waiting: deque[Group] = deque()

    def join(self, feed: Feed, now: int) -> tuple[Group, int]:
        """The group that the query is in and its place there; at place 0 it leads."""
        if not self.waiting or self.full(self.waiting[-1]):
            self.waiting.append(Group(now + self.delay_ns))
        group = self.waiting[-1]
        group.feeds.append(feed)
        return group, len(group.feeds) - 1

    def full(self, group: Group) -> bool:
        return len(group.feeds) >= self.room

    def ready(self, group: Group, now: int) -> bool:
        """Whether the group is the next to run, and need not wait any longer."""
        return self.waiting[0] is group and (self.full(group) or now >= group.due_ns)

    def take(self) -> Group:
        """The next group; nobody joins it any more."""
        return self.waiting.popleft()


class Batching:
    """A session whose ``run`` may be called by many threads, in front of sessions that take whole batches."""

    def __init__(self, runs: Sequence[Run], *, queries: int, samples: int, delay_s: float) -> None:
        """``runs`` are the sessions behind, each called by one thread at a time with feeds of ``queries`` ×
        ``samples`` rows; a query has ``samples`` rows. A batch waits ``delay_s`` at most for more queries."""
        self._free = list(runs)
        self._samples = samples
        self._collector = Collector(queries, int(delay_s * 1e9))
        self._changed = threading.Condition()
        self._formed = array("q")
        self._sizes = array("q")
        self.clients = CLIENTS_PER_PLACE * queries * len(runs)

    def run(self, feed: Feed) -> Outputs:
        """Run one query. Its outputs are its own. Raises what the session behind raised for its batch."""
        now = time.perf_counter_ns
        with self._changed:
            group, place = self._collector.join(feed, now())
            if place:
                if self._collector.full(group):
                    self._changed.notify_all()
            else:
                run = self._turn(group, now)
        if place:
            group.ended.wait()
        else:
            self._lead(group, run)
        if group.error is not None:
            raise group.error
        return group.parts[place]

    def close(self) -> None:
        """What is behind is closed by whom it belongs to."""

    def sizes(self, since_ns: int) -> dict[str, int]:
        """How many batches of how many queries were formed since a moment of the clock."""
        pairs = zip(self._formed, self._sizes)
        counts = Counter(size for moment, size in pairs if moment >= since_ns)
        return {str(size): counts[size] for size in sorted(counts)}

    def _turn(self, group: Group, now: Callable[[], int]) -> Run:
        """Wait, with the lock held, until the group may run; gives the session that runs it."""
        while not (self._free and self._collector.ready(group, now())):
            left_ns = group.due_ns - now()
            self._changed.wait(left_ns * 1e-9 if left_ns > 0 else None)
        self._collector.take()
        self._formed.append(now())
        self._sizes.append(len(group.feeds))
        run = self._free.pop()
        self._changed.notify_all()
        return run

    def _lead(self, group: Group, run: Run) -> None:
        try:
            outputs = run(self._joined(group.feeds))
            group.parts = [self._part(outputs, place) for place in range(len(group.feeds))]
        except Exception as error:  # the stack's: each query of the batch raises it
            group.error = error
        finally:
            with self._changed:
                self._free.append(run)
                self._changed.notify_all()
            group.ended.set()

    def _joined(self, feeds: Sequence[Feed]) -> Feed:
        """One feed of the full batch; places that nobody took repeat the last query."""
        whole = [*feeds, *[feeds[-1]] * (self._collector.room - len(feeds))]
        return {name: np.concatenate([feed[name] for feed in whole]) for name in whole[0]}

    def _part(self, outputs: Outputs, place: int) -> Outputs:
        rows = self._collector.room * self._samples
        return {name: _rows(name, value, rows, place, self._samples) for name, value in outputs.items()}


def in_front(session: Session, plan: Plan, *, threads: bool, concurrency: int) -> Batching:
    """Dynamic batching as the plan asks, in front of a session that was loaded for batches of ``plan.max_batch``.

    ``threads`` is the backend's ability, ``concurrency`` how many batches in flight the stack asks for. Raises
    UsageError for a plan that cannot be run.
    """
    if plan.scenario not in ("server", "closed_loop"):
        raise UsageError(
            f"dynamic batching needs queries of several clients: server or closed_loop, not {plan.scenario}"
        )
    if not plan.max_batch or plan.max_batch % plan.batch:
        raise UsageError(f"batches of {plan.max_batch} cannot be made of queries of {plan.batch}")
    width = max(1, concurrency) if threads else 1
    runs = [member.run for member in members_of(session) for _ in range(width)]
    delay_s = plan.max_delay_s or 0.0
    return Batching(runs, queries=plan.max_batch // plan.batch, samples=plan.batch, delay_s=delay_s)


def _rows(name: str, value: Any, rows: int, place: int, samples: int) -> Any:
    if value.ndim == 0 or value.shape[0] != rows:
        raise AccelbenchError(f"output {name} has shape {list(value.shape)}: it cannot be divided among {rows} samples")
    return np.array(value[place * samples : (place + 1) * samples])
