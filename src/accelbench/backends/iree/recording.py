"""Time per kernel, as IREE's own tools tell it: the Python bindings start no profile.

Facts relied on, from the help of the tools and seen in what they write: ``iree-benchmark-module`` runs a function as
often as ``--benchmark_min_time=Nx`` says and records the host's execution of each dispatch of the ``local-task``
driver; ``iree-profile executable`` sums that up by function, in nanoseconds.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import iree._runtime_libs as tools

TIMEOUT_S = 1800.0
GROUP = "executable_function_host_dispatch_group"
KERNEL = re.compile(r"dispatch_\d+_(\w+)$")


def recorded(module: Path, words: Sequence[str], runs: int, profile: Path) -> list[Mapping[str, Any]]:
    """Run a function of ``module``, which ``words`` name with its inputs, and give what ``profile`` then says of each
    kernel. Raises RuntimeError with the tool's last words."""
    _ran(
        "iree-benchmark-module",
        f"--module={module}",
        f"--benchmark_min_time={runs}x",
        "--device_profiling_mode=host-execution,executable-metadata",
        f"--device_profiling_output={profile}",
        *words,
    )
    told = [
        json.loads(line) for line in _ran("iree-profile", "executable", "--format=jsonl", str(profile)).splitlines()
    ]
    return [group for group in told if group["type"] == GROUP]


def kernel(key: str) -> str:
    """The name that the compiler gave a kernel, without its function and its number."""
    found = KERNEL.search(key)
    return found[1] if found else key


def _ran(tool: str, *words: str) -> str:
    done = subprocess.run(
        [str(Path(tools.__path__[0]) / tool), *words],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"{tool} ended with {done.returncode}: {' '.join(done.stderr.split())[-400:]}")
    return done.stdout
