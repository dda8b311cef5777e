"""Work spread over processes that end with the one that started them, also when that is killed."""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import TypeVar

from accelbench.errors import AccelbenchError

Job = TypeVar("Job")
Result = TypeVar("Result")


BATCH = 128
"""Jobs that a process is given at once."""


def in_batches(
    work: Callable[[Sequence[Job]], list[Result]], jobs: Sequence[Job], processes: int
) -> Iterator[list[Result]]:
    """``work`` of the jobs in batches, by so many processes; of few jobs here."""
    batches = [jobs[start : start + BATCH] for start in range(0, len(jobs), BATCH)]
    if len(batches) <= 2 or processes < 2:
        return map(work, batches)
    return spread(work, batches, min(processes, len(batches)))


def spread(function: Callable[[Job], Result], jobs: Iterable[Job], processes: int) -> Iterator[Result]:
    """``function`` of every job, in any order, by so many new processes. Both must be what another process can import
    and receive. Raises AccelbenchError when a process dies."""
    context = multiprocessing.get_context("spawn")
    waiting = iter(jobs)
    ends: list[Connection] = []
    started = []
    try:
        for _ in range(processes):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(function, theirs), daemon=True)
            process.start()
            theirs.close()
            started.append(process)
            ends.append(ours)
        busy = [end for end in ends if _give(end, waiting)]
        while busy:
            for end in wait(busy):
                assert isinstance(end, Connection)
                result: Result = _receive(end)
                if not _give(end, waiting):
                    busy.remove(end)
                yield result
    finally:
        for end in ends:
            end.close()
        for process in started:
            process.join()


def _give(end: Connection, waiting: Iterator[Job]) -> bool:
    for job in waiting:
        end.send(job)
        return True
    return False


def _receive(end: Connection) -> Result:  # type: ignore[type-var]
    try:
        result: Result = end.recv()
    except EOFError:
        raise AccelbenchError("a process that reads reports died; the index is as it was") from None
    return result


def _serve(function: Callable[[Job], Result], end: Connection) -> None:
    """Answer until nobody is there any more: the pipe ends with whoever holds its other end. Cycles are looked for
    between jobs alone, and not among what was imported."""
    gc.freeze()
    gc.disable()
    while True:
        try:
            job = end.recv()
            end.send(function(job))
            gc.collect()
        except (EOFError, BrokenPipeError, KeyboardInterrupt):
            return
