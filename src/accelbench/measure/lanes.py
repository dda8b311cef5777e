"""Lanes: strands in which one query follows the other, and how they become the columns of a pass.

A lane is what a thread runs, or one place in flight of an asynchronous session. Each records for itself, so nothing
is shared and nothing locked while queries are timed.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle

import numpy as np
from numpy.typing import NDArray

from accelbench.measure.columns import Columns, Ints
from accelbench.tensors import Array, Record


@dataclass
class Lane:
    """One strand: the feeds that it rotates, by their ``order``, and what it recorded. ``rows`` are the places in the
    schedule, where there is one; ``failed`` the positions of queries that raised, ``running`` whether a thread is at
    work on it. ``begun`` and ``ended`` hold what a block has recorded since the last ``flush``: a list takes a time
    faster than a column does."""

    order: Sequence[int]
    feeds: Iterator[Record]
    issued: array[int] = field(default_factory=lambda: array("q"))
    done: array[int] = field(default_factory=lambda: array("q"))
    rows: array[int] = field(default_factory=lambda: array("q"))
    failed: list[int] = field(default_factory=list)
    begun: list[int] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)
    running: bool = False

    @property
    def pending(self) -> bool:
        """Whether a query of this lane has not ended yet."""
        return self.running or len(self.issued) > len(self.done)

    def flush(self) -> None:
        """Move what a block recorded to the columns; a query that was interrupted is forgotten."""
        if self.begun:
            known, count = len(self), min(len(self.begun), len(self.ended))
            del self.issued[known:], self.done[known:]
            self.issued.fromlist(self.begun[:count])
            self.done.fromlist(self.ended[:count])
            self.begun.clear()
            self.ended.clear()

    def close(self) -> None:
        """The lane's thread has ended; a query that was interrupted is forgotten."""
        self.flush()
        self.running = False
        for column in (self.issued, self.rows, self.done):
            del column[len(self) :]

    def __len__(self) -> int:
        return min(len(self.issued), len(self.done))


@dataclass(frozen=True, eq=False)
class Sample:
    """The copied outputs of one timed query, chosen at random: its row in the columns, its feed."""

    query: int
    feed: int
    outputs: Mapping[str, Array]


@dataclass(frozen=True, eq=False)
class Kept:
    """A sample before the rows have their final order."""

    lane: Lane
    position: int
    outputs: Mapping[str, Array]


def lanes(feeds: Sequence[Record], count: int) -> list[Lane]:
    """``count`` lanes that rotate the feeds. No two share a feed where there are at least two for each."""
    everyone = range(len(feeds))
    made = []
    for k in range(count):
        shift = k % len(feeds)
        order = everyone[k::count] if len(feeds) >= 2 * count else [*everyone[shift:], *everyone[:shift]]
        made.append(Lane(order, cycle([feeds[i] for i in order])))
    return made


def scheduled_lane(feeds: Sequence[Record]) -> Lane:
    """A lane of an open loop: the feed follows from the row of the schedule."""
    return Lane(range(len(feeds)), iter(()))


def merge(
    made: Sequence[Lane],
    begin: int,
    units: int,
    kept: Sequence[Kept] = (),
    pauses: Sequence[Sequence[int]] = (),
    schedule: Sequence[int] = (),
) -> tuple[Columns, tuple[Sample, ...]]:
    """The lanes' records as columns in the order of issue, and the samples with their rows.

    ``begin`` is the clock's reading at the start of the pass, ``units`` the samples per query, ``pauses`` their
    begins, ends and, where it was measured, the pace in them, ``schedule`` the scheduled times by row, as the clock
    tells them.
    """
    sizes = [len(lane) for lane in made]
    issued = _joined([lane.issued[:n] for lane, n in zip(made, sizes)])
    done = _joined([lane.done[:n] for lane, n in zip(made, sizes)])
    issued -= begin
    done -= begin
    ok = np.ones(len(issued), dtype=np.bool_)
    starts = np.concatenate(([0], np.cumsum(sizes)))
    for lane, start in zip(made, starts):
        ok[[start + i for i in lane.failed if i < len(lane)]] = False
    rows = [lane.rows[:n] if len(schedule) else range(n) for lane, n in zip(made, sizes)]
    feed = np.concatenate([_rotated(lane.order, row) for lane, row in zip(made, rows)])
    scheduled = np.array(schedule, dtype=np.int64)[_joined(rows)] - begin if len(schedule) else issued
    order = np.argsort(scheduled, kind="stable") if len(made) > 1 else None
    if order is not None:
        scheduled, issued, done = scheduled[order], issued[order], done[order]
        ok, feed = ok[order], feed[order]
    columns = Columns(
        scheduled=scheduled,
        issued=issued,
        done=done,
        units=np.broadcast_to(np.int32(units), len(issued)),
        ok=ok,
        feed=feed,
        pauses=_pauses(pauses, begin),
    )
    if not kept:
        return columns, ()
    place = np.arange(len(issued))
    if order is not None:
        place[order] = np.arange(len(issued))
    offsets = {id(lane): int(start) for lane, start in zip(made, starts)}
    rows_of = [(k, int(place[offsets[id(k.lane)] + k.position])) for k in kept if k.position < len(k.lane)]
    return columns, tuple(Sample(row, int(feed[row]), k.outputs) for k, row in rows_of)


def _pauses(rows: Sequence[Sequence[int]], begin: int) -> Ints:
    found = np.array(rows, dtype=np.int64).reshape(len(rows), len(rows[0]) if rows else 2)
    found[:, :2] -= begin
    return found


def _joined(parts: Sequence[Sequence[int]]) -> Ints:
    whole = [np.frombuffer(part, np.int64) if isinstance(part, array) else np.array(part, np.int64) for part in parts]
    return whole[0] if len(whole) == 1 else np.concatenate(whole)


def _rotated(order: Sequence[int], rows: Sequence[int]) -> NDArray[np.int32]:
    kinds = np.array(order, dtype=np.int32)
    if isinstance(rows, range):
        return np.tile(kinds, -(-len(rows) // len(kinds)))[: len(rows)]
    return kinds[np.array(rows, dtype=np.int64) % len(kinds)]
