"""The threads that carry out a pass, and what becomes of queries that do not end."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Callable

from accelbench.measure.clock import Clock
from accelbench.measure.lanes import Lane
from accelbench.measure.watch import Watch

GRACE_S = 10.0
"""How long after its end a pass waits for queries that are still running."""


def carry_out(works: Sequence[Callable[[], None]], watch: Watch, clock: Clock) -> None:
    """Run the loops, a single one in the calling thread (a session may be bound to the thread that loaded it)."""
    ready = threading.Barrier(len(works))

    def thread(work: Callable[[], None]) -> None:
        with clock.thread():
            ready.wait()
            work()

    threads = [threading.Thread(target=thread, args=(work,), daemon=True) for work in works]
    try:
        if len(works) == 1:
            thread(works[0])
            return
        for each in threads:
            each.start()
        _join(threads, watch.plan.stop.max_s + GRACE_S)
    except KeyboardInterrupt:
        watch.stop("interrupted")
        _join(threads, GRACE_S)


def _join(threads: Sequence[threading.Thread], seconds: float) -> None:
    limit = time.monotonic() + seconds
    for each in threads:
        if each.ident is not None:
            each.join(max(0.0, limit - time.monotonic()))


def settle(made: Sequence[Lane], watch: Watch, clock: Clock) -> None:
    """Give queries still in flight their time to end, and record those that do not end as failed."""
    watch.finish()
    limit = time.monotonic() + GRACE_S
    while any(lane.pending for lane in made) and time.monotonic() < limit:
        time.sleep(0.001)
    for lane in made:
        if lane.pending:
            lane.flush()
            if len(lane.issued) == len(lane.done):
                lane.issued.append(lane.done[-1] if len(lane) else watch.begin)
            lane.failed.append(len(lane.done))
            lane.done.append(clock.now())
            watch.errors.append(f"a query did not end within {GRACE_S:g} s after the pass")
