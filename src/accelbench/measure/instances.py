"""Several instances of a session, each on its share of the processor's cores.

An instance is loaded on a thread that is bound to its share, whose own threads inherit that; instance i serves the
lanes i, i + N, …, and their threads are bound to its share too. Memory follows, since a page lies on the node of the
thread that touches it first.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from accelbench.backends.protocol import Feed, Outputs, Session

Cores = frozenset[int]


@dataclass(frozen=True)
class Member:
    """One instance, and the cores that it is bound to; None: any."""

    session: Session
    cores: Cores | None

    def run(self, feed: Feed) -> Outputs:
        """Run one feed on the calling thread, bound to the cores meanwhile."""
        with bound(self.cores):
            return self.session.run(feed)

    def carry_out(self, work: Callable[[], None]) -> None:
        """Do ``work`` on the calling thread, bound to the cores meanwhile."""
        with bound(self.cores):
            work()


class Instances:
    """Instances as one session: those who know of it divide the load between its ``members``, for all others it is
    the first of them."""

    def __init__(self, members: Sequence[Member]) -> None:
        self.members = members
        self.run = members[0].session.run

    def close(self) -> None:
        for member in self.members:
            member.session.close()


def members_of(session: Session) -> Sequence[Member]:
    """The instances of a session; it is its own only one, bound to nothing, unless it has several."""
    return session.members if isinstance(session, Instances) else [Member(session, None)]


def load_instances(load: Callable[[], Session], count: int) -> Instances:
    """Load ``count`` instances, each on a thread that is bound to its share of the cores that this process may use.

    Raises what ``load`` raises, once those that are loaded already have been closed."""
    available = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
    members: list[Member] = []
    try:
        for cores in shares(available, count):
            members.append(Member(_on_a_thread(load, cores), cores))
    except BaseException:
        for member in members:
            member.session.close()
        raise
    return Instances(members)


def _on_a_thread(load: Callable[[], Session], cores: Cores) -> Session:
    def bound_load() -> Session:
        with bound(cores):
            return load()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(bound_load).result()


@contextmanager
def bound(cores: Cores | None) -> Iterator[None]:
    """Have the calling thread run on these cores alone; does nothing where the system has no such thing."""
    if cores is None or not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def shares(cores: Collection[int], count: int, root: Path = Path("/")) -> list[Cores]:
    """The cores in ``count`` shares, as equal as can be, in the order of memory nodes, so that a share lies within a
    node where the numbers allow it. Hardware threads of one core stay together; with more shares than cores, several
    shares have the same core. ``root`` is where /sys lies."""
    nodes = _nodes(root)
    together: dict[tuple[int, ...], set[int]] = {}
    for core in cores:
        together.setdefault((nodes.get(core, 0), *_physical(core, root)), set()).add(core)
    groups = [together[key] for key in sorted(together)]
    n = len(groups)
    if count > n:
        return [frozenset(groups[i % n]) for i in range(count)]
    return [frozenset().union(*groups[i * n // count : (i + 1) * n // count]) for i in range(count)]


def _nodes(root: Path) -> dict[int, int]:
    """The memory node of each core, as far as the system tells."""
    found = {}
    for folder in root.glob("sys/devices/system/node/node[0-9]*"):
        for core in _listed(folder / "cpulist"):
            found[core] = int(folder.name[len("node") :])
    return found


def _physical(core: int, root: Path) -> tuple[int, int]:
    """Package and core within it; a core of its own where the system does not tell."""
    folder = root / "sys/devices/system/cpu" / f"cpu{core}" / "topology"
    package, number = list(_listed(folder / "physical_package_id")), list(_listed(folder / "core_id"))
    return (package[0], number[0]) if package and number else (-1, core)


def _listed(file: Path) -> Iterator[int]:
    """The numbers of a list as the kernel writes it, ``0-3,8``; none where there is no file."""
    try:
        text = file.read_text(encoding="ascii")
    except OSError:
        return
    for first, last in re.findall(r"(\d+)(?:-(\d+))?", text):
        yield from range(int(first), int(last or first) + 1)
