"""What a session does when it is used as a server would: by several threads at once, and many times. Not timed."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Callable, cast

from accelbench.backends.protocol import AsyncSession, Feed, Outputs, Session
from accelbench.measure.audit import resident_bytes
from accelbench.tensors import Record, relative_l2
from accelbench.worker.infer import copy

ROUNDS = 8
"""How often each thread runs every feed."""

RELATIVE = 1e-4
"""Runs at the same time may sum in another order."""

ENOUGH_BYTES = 512 << 20
"""A leak of this size needs no more runs to be seen."""

PARTS = 4
"""Resident memory is read so many times over the runs, and before them."""


@dataclass(frozen=True)
class TrialFacts:
    """``runs`` made, ``wrong`` of them with other outputs than wanted, the first ``problem`` in words, and the resident
    memory of the process before the runs and while they went on."""

    runs: int
    wrong: int
    problem: str
    resident_bytes: tuple[int, ...] = ()


class _Tally:
    """Counts what several threads see."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.runs = self.wrong = 0
        self.problem = ""

    def note(self, problem: str) -> None:
        with self._lock:
            self.runs += 1
            self.wrong += bool(problem)
            self.problem = self.problem or problem

    def facts(self) -> TrialFacts:
        return TrialFacts(self.runs, self.wrong, self.problem)


def concurrent(session: Session, feeds: Sequence[Feed], wanted: Sequence[Record], threads: int) -> TrialFacts:
    """Run every feed by each of several threads at once, each in an order of its own, and hold the outputs against
    those wanted."""
    tally, start = _Tally(), threading.Barrier(threads)

    def work(first: int) -> None:
        start.wait()
        for step in range(ROUNDS * len(feeds)):
            place = (first + step) % len(feeds)
            try:
                tally.note(other(wanted[place], session.run(feeds[place])))
            except Exception as error:
                tally.note(f"{type(error).__name__}: {error}")

    crew = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    return tally.facts()


def submitted(session: Session, feeds: Sequence[Feed], wanted: Sequence[Record], rounds: int) -> TrialFacts:
    """Submit every feed so many times without waiting, and hold the outputs against those wanted. A query that is never
    done is waited for, until the host's time limit."""
    queue, tally, left = cast(AsyncSession, session), _Tally(), threading.Semaphore(0)

    def taken(place: int) -> None:
        def done(ended: Outputs | Exception) -> None:
            raised = isinstance(ended, Exception)
            tally.note(f"{type(ended).__name__}: {ended}" if raised else other(wanted[place], cast(Outputs, ended)))
            left.release()

        queue.submit(feeds[place], done)

    for step in range(rounds * len(feeds)):
        taken(step % len(feeds))
    for _ in range(rounds * len(feeds)):
        left.acquire()
    return tally.facts()


def repeated(session: Session, feeds: Sequence[Feed], wanted: Sequence[Record], runs: int) -> TrialFacts:
    """Run the feeds in turns, so many times after a tenth of that for warming up, and watch the memory."""
    tally = _Tally()
    for step in range(runs // 10):
        session.run(feeds[step % len(feeds)])
    seen = [resident_bytes() or 0]
    for part in range(PARTS):
        for step in range(runs // PARTS):
            place = (part + step) % len(feeds)
            tally.note(other(wanted[place], session.run(feeds[place])))
        seen.append(resident_bytes() or 0)
        if seen[-1] - seen[0] > ENOUGH_BYTES:
            break
    return TrialFacts(tally.runs, tally.wrong, tally.problem, tuple(seen))


TRIALS: Mapping[str, Callable[[Session, Sequence[Feed], Sequence[Record], int], TrialFacts]] = {
    "concurrent": concurrent,
    "submitted": submitted,
    "repeated": repeated,
}


def other(wanted: Record, got: Outputs) -> str:
    """How ``got`` differs from ``wanted``, by names, shapes, types and a relative L2; empty where it does not."""
    kept = copy(got)
    if {name: (value.shape, value.dtype) for name, value in kept.items()} != {
        name: (value.shape, value.dtype) for name, value in wanted.items()
    }:
        return "outputs of other names, shapes or types than those of a single run"
    for name, value in wanted.items():
        apart = relative_l2(kept[name], value)
        if apart is None or apart > RELATIVE:
            how_far = "" if apart is None else f" by {apart:.1e} (relative L2)"
            return f"output {name} differs from that of a single run{how_far}"
    return ""
