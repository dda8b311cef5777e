"""Whether this machine can hold a task at all: told before anything is written."""

from __future__ import annotations

import math
import os
import shutil
from pathlib import Path

import numpy as np

from accelbench.errors import TooLarge
from accelbench.model import Task

SHARE = 0.85
"""Of a machine's memory a worker may take so much; a larger one is ended."""

LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def expect_memory(task: Task, weight_bytes: int) -> None:
    """Raises TooLarge where the weights alone, which every stack holds at least once, are more than a worker may take.
    What activations and compilers need besides is not asked for."""
    memory = memory_bytes()
    if weight_bytes > SHARE * memory:
        raise TooLarge(
            f"task {task.id} has {_gb(weight_bytes)} of weights and this machine {_gb(memory)} of memory: run it on "
            f"one with {_gb(math.ceil(weight_bytes / SHARE))} or more, or choose a smaller task (accelbench zoo list)"
        )


def expect_disk(task: Task, weight_bytes: int, home: Path) -> None:
    """Raises TooLarge where the disk that ``home`` will lie on has less free than the weights and the samples take:
    those of the task, and as many for calibration. Compiled forms need more."""
    need = weight_bytes + 2 * sample_bytes(task)
    there = next(place for place in (home, *home.parents) if place.exists())
    free = shutil.disk_usage(there).free
    if need > free:
        raise TooLarge(
            f"task {task.id} needs {_gb(need)} in {home}, where {_gb(free)} are free: make room there, or set "
            "ACCELBENCH_HOME to a folder on a larger disk"
        )


def sample_bytes(task: Task) -> int:
    """Bytes of all samples of the task's data set; a dimension without a number counts as one."""
    sizes = (
        np.dtype(spec.dtype).itemsize * math.prod(dim for dim in spec.shape if isinstance(dim, int))
        for spec in task.inputs
    )
    return task.dataset.count * sum(sizes)


def memory_bytes() -> int:
    """This machine's memory, or the container's limit where that is lower."""
    found = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for path in LIMITS:
        try:
            found.append(int(path.read_text()))
        except (OSError, ValueError):  # no such file, or "max"
            continue
    return min(found)


def _gb(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
