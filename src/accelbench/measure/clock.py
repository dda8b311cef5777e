"""The clock that everything in this room reads, and how a thread waits for a moment of it.

A sleep ends late by tens of microseconds and at times by hundreds, so ``wait_until`` sleeps to a *guard* before the
moment and spins the rest. One thread spins at a time, because spinning threads would take the interpreter's lock from
each other; the others sleep the remainder.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

GUARD_NS = 200_000
"""Guard before calibration."""

GUARD_RANGE_NS = (150_000, 600_000)
SLEEPS_EACH = 8
LONG_GUARD_NS, LONG_GUARD_SHARE = 1_000_000, 50
"""The longer a processor sleeps the later it wakes: long waits get a guard of a fiftieth, up to 1 ms."""

PR_SET_TIMERSLACK, PR_GET_TIMERSLACK = 29, 30


class Clock(Protocol):
    """What the load loops need of time. Tests give one that stands still until it is told."""

    spun_ns: int

    def now(self) -> int:
        """Nanoseconds since some fixed moment; never goes back."""

    def sleep(self, seconds: float) -> None:
        """Wait, at least so long, without holding the interpreter."""

    def wait_until(self, moment: int) -> None:
        """Return at ``moment`` (as ``now`` tells it) or as soon after it as can be; at once if it is past."""

    def calibrate(self) -> None:
        """Learn how late sleeps end here. Before the first ``wait_until``; takes a moment."""

    def thread(self) -> AbstractContextManager[None]:
        """Each thread that issues queries does so inside of this."""


class RealClock:
    """The monotonic clock of the system. ``spun_ns`` counts the time spent in spinning, over all threads."""

    now = staticmethod(time.perf_counter_ns)
    sleep = staticmethod(time.sleep)

    def __init__(self, guard_ns: int = GUARD_NS) -> None:
        self.guard_ns = guard_ns
        self.spun_ns = 0
        self._spinning = threading.Lock()
        self._calibrated = False

    def wait_until(self, moment: int) -> None:
        now = time.perf_counter_ns
        left = moment - now()
        guard = max(self.guard_ns, min(LONG_GUARD_NS, left // LONG_GUARD_SHARE))
        while left > guard:
            time.sleep((left - guard) * 1e-9)
            left = moment - now()
        if left <= 0:
            return
        if self._spinning.acquire(False):
            begun = now()
            end = begun
            while end < moment:
                end = now()
            self.spun_ns += end - begun
            self._spinning.release()
        else:
            time.sleep(left * 1e-9)

    @contextmanager
    def thread(self) -> Iterator[None]:
        """Timers of this thread fire without slack (Linux adds 50 µs by default)."""
        before = _prctl(PR_GET_TIMERSLACK, 0)
        _prctl(PR_SET_TIMERSLACK, 1)
        try:
            yield
        finally:
            if before > 0:
                _prctl(PR_SET_TIMERSLACK, before)

    def calibrate(self) -> None:
        """Set the guard, once, to the 99th percentile of how late sleeps of 1 to 12 ms end here, and a quarter more."""
        if self._calibrated:
            return
        with self.thread():
            late = sorted(self._overshoot(seconds) for seconds in (1e-3, 4e-3, 12e-3) * SLEEPS_EACH)
        low, high = GUARD_RANGE_NS
        self.guard_ns = min(high, max(low, int(1.25 * late[int(0.99 * (len(late) - 1))])))
        self._calibrated = True

    def _overshoot(self, seconds: float) -> int:
        begun = time.perf_counter_ns()
        time.sleep(seconds)
        return time.perf_counter_ns() - begun - int(seconds * 1e9)


def _prctl(option: int, value: int) -> int:
    """The system's answer, or -1 where there is no such call."""
    if _LIBC is None:
        return -1
    return int(_LIBC.prctl(option, ctypes.c_ulong(value), 0, 0, 0))


def _libc() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(None, use_errno=True)
        return library if hasattr(library, "prctl") else None
    except OSError:
        return None


_LIBC = _libc()
REAL = RealClock()
