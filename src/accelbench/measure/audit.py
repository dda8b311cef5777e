"""The harness watches itself and its host: what a timed pass cannot show in its own columns."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

CANARY_NS = 300_000
KERNEL_SIZE = 20_000
KERNEL_REPEATS = 8
PACE_SIZE, PACE_REPEATS = 1_024, 5
_STEAL = 8
"""Position of the stolen time in the first line of /proc/stat, after its name: proc_stat(5)."""

_PACE_VALUES = np.linspace(0.1, 3.0, PACE_SIZE)


@dataclass(frozen=True)
class Look:
    """The host at one moment."""

    calibration_ns: tuple[int, ...] = ()
    stolen_ns: int | None = None
    rss_bytes: int | None = None


def look(wanted: bool = True) -> Look:
    """Look at the host, or at nothing at all."""
    return Look(calibration(), stolen_ns(), resident_bytes()) if wanted else Look()


def difference(before: int | None, after: int | None) -> int | None:
    """After minus before, absent where either is."""
    return None if before is None or after is None else after - before


def calibration() -> tuple[int, ...]:
    """Nanoseconds of a fixed kernel run on all cores at once, for each repetition those of the slowest core. Told
    before and after a pass they betray throttling and neighbours."""
    cores = available_cores()
    values = np.linspace(0.1, 3.0, KERNEL_SIZE)
    took = [[0] * KERNEL_REPEATS for _ in range(cores)]

    def work(mine: list[int]) -> None:
        out = np.empty_like(values)
        for i in range(KERNEL_REPEATS):
            begun = time.perf_counter_ns()
            np.sin(values, out=out)
            mine[i] = time.perf_counter_ns() - begun

    threads = [threading.Thread(target=work, args=(mine,)) for mine in took[1:]]
    for thread in threads:
        thread.start()
    work(took[0])
    for thread in threads:
        thread.join()
    return tuple(max(column) for column in zip(*took))


def pace() -> int:
    """Nanoseconds of a small fixed kernel on this thread's core, the median of a few: how fast the machine is now. On
    shared machines it moves by half and more, for seconds, as a neighbour uses the other half of the core."""
    out = np.empty_like(_PACE_VALUES)
    took = []
    for _ in range(PACE_REPEATS):
        begun = time.perf_counter_ns()
        np.sin(_PACE_VALUES, out=out)
        took.append(time.perf_counter_ns() - begun)
    return sorted(took)[PACE_REPEATS // 2]


def canary() -> int:
    """How late, in ns, a sleep of 0.3 ms ends: some 60 µs on a quiet host, 5 ms where another thread holds the
    interpreter. (A shorter sleep ends before the other thread has woken up to take it.)"""
    begun = time.perf_counter_ns()
    time.sleep(CANARY_NS * 1e-9)
    return time.perf_counter_ns() - begun - CANARY_NS


def available_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def stolen_ns() -> int | None:
    """CPU time that the hypervisor gave to others since boot, over all cores; None where the system does not tell."""
    try:
        fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()
        return int(int(fields[_STEAL]) * 1e9 / os.sysconf("SC_CLK_TCK"))
    except (OSError, ValueError, IndexError):
        return None


def resident_bytes() -> int | None:
    """Resident memory of this process; None where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None
