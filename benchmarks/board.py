"""A board of many reports: how long it takes to build, with how much memory, and how large it is.

    python benchmarks/board.py [--reports 10000] [--folder SCRATCH]

The reports are those of `store.py`; the page itself is there after `make page`. CPU seconds are of this process and of
all that it starts: on a machine with other work, half of them is what two quiet cores would take at least.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks import store as stores

from accelbench.board.build import build
from accelbench.board.data import Wish
from accelbench.library import index

SMALL = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--reports", type=int, default=10_000)
    parser.add_argument("--folder", type=Path, default=None)
    chosen = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="board-", dir=chosen.folder))
    try:
        print(f"load {Path('/proc/loadavg').read_text().split()[:3]}, {len(os.sched_getaffinity(0))} CPUs")  # noqa: T201
        for name, count in (("small", SMALL), ("large", chosen.reports)):
            stores.make(scratch / name, count)
            measure(scratch / name, scratch / f"board-{name}", count)
        peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        print(f"largest process {peak / 1024:.0f} MiB")  # noqa: T201
    finally:
        shutil.rmtree(scratch)


def measure(store: Path, board: Path, count: int) -> None:
    """Make the index, then the board, and the board again."""
    for what, work in (
        ("index made", lambda: index.refresh(store)),
        ("board built", lambda: build([store], board, Wish())),
        ("and again", lambda: build([store], board, Wish())),
    ):
        began, used = time.perf_counter(), _cpu_s()
        work()
        print(f"{count} reports, {what}: {time.perf_counter() - began:.1f} s, {_cpu_s() - used:.1f} s of CPU time")  # noqa: T201
    sizes = {file.relative_to(board): file.stat().st_size for file in board.rglob("*") if file.is_file()}
    details = sum(size for name, size in sizes.items() if name.parent.name == "reports")
    page = sum(size for name, size in sizes.items() if name.parent == Path())
    first = page + sizes[Path("data/index.js")]
    print(  # noqa: T201
        f"{count} reports, {sum(sizes.values()) / 1e6:.2f} MB: page {page / 1e6:.2f}, first view {first / 1e6:.2f}, "
        f"details {details / 1e6:.2f}"
    )


def _cpu_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


if __name__ == "__main__":
    main()
