"""Shares of cores on recorded machines, and instances that serve their own lanes."""

import os
import threading
import time
from pathlib import Path

import pytest
from tests.unit.measure.fakes import FEEDS

from accelbench.backends.protocol import Done, Feed, Outputs, core_share
from accelbench.errors import UsageError
from accelbench.measure.instances import Instances, Member, bound, load_instances, members_of, shares
from accelbench.measure.load import Run, measure
from accelbench.model import Plan, Scenario, Stop


def machine(root: Path, cores: int, nodes: int, threads: int = 1) -> Path:
    """Cores numbered as Linux does: the second hardware threads come after all the first ones."""
    physical = cores // threads
    for core in range(cores):
        folder = root / f"sys/devices/system/cpu/cpu{core}/topology"
        folder.mkdir(parents=True)
        number = core % physical
        (folder / "physical_package_id").write_text(f"{number * nodes // physical}\n")
        (folder / "core_id").write_text(f"{number % (physical // nodes)}\n")
    each = physical // nodes
    for node in range(nodes):
        folder = root / f"sys/devices/system/node/node{node}"
        folder.mkdir(parents=True)
        ranges = [f"{t * physical + node * each}-{t * physical + (node + 1) * each - 1}" for t in range(threads)]
        (folder / "cpulist").write_text(",".join(ranges) + "\n")
    return root


def test_shares_lie_within_nodes_and_keep_hardware_threads_together(tmp_path: Path) -> None:
    root = machine(tmp_path, cores=16, nodes=2, threads=2)
    assert shares(range(16), 2, root) == [{0, 1, 2, 3, 8, 9, 10, 11}, {4, 5, 6, 7, 12, 13, 14, 15}]
    assert shares(range(16), 4, root) == [{0, 1, 8, 9}, {2, 3, 10, 11}, {4, 5, 12, 13}, {6, 7, 14, 15}]


def test_shares_follow_the_memory_nodes_within_a_package(tmp_path: Path) -> None:
    root = machine(tmp_path, cores=4, nodes=1)
    for node, listed in ((0, "0,2"), (1, "1,3")):
        (root / f"sys/devices/system/node/node{node}").mkdir(exist_ok=True)
        (root / f"sys/devices/system/node/node{node}/cpulist").write_text(listed + "\n")
    assert shares(range(4), 2, root) == [{0, 2}, {1, 3}]


def test_shares_are_as_equal_as_can_be_and_leave_no_core_out(tmp_path: Path) -> None:
    found = shares(range(7), 3, tmp_path)
    assert sorted(map(len, found)) == [2, 2, 3]
    assert frozenset().union(*found) == set(range(7))


def test_only_cores_that_may_be_used_are_shared(tmp_path: Path) -> None:
    assert shares({4, 6}, 2, machine(tmp_path, cores=8, nodes=2)) == [{4}, {6}]


def test_more_shares_than_cores_take_turns(tmp_path: Path) -> None:
    assert shares({0, 1}, 5, tmp_path) == [{0}, {1}, {0}, {1}, {0}]


def test_a_thread_is_bound_for_a_while() -> None:
    before = os.sched_getaffinity(0)
    some = frozenset([min(before)])
    with bound(some):
        assert os.sched_getaffinity(0) == some
    assert os.sched_getaffinity(0) == before


class Told:
    """A session that notes who called it and where, and takes 1 ms."""

    def __init__(self) -> None:
        self.share = core_share()
        self.calls: list[tuple[threading.Thread, frozenset[int]]] = []
        self.closed = False

    def run(self, feed: Feed) -> Outputs:
        self.calls.append((threading.current_thread(), frozenset(os.sched_getaffinity(0))))
        time.sleep(1e-3)
        return {"y": feed["x"] * 2}

    def submit(self, feed: Feed, done: Done) -> None:
        self.calls.append((threading.current_thread(), frozenset(os.sched_getaffinity(0))))
        threading.Timer(1e-3, done, [{"y": feed["x"]}]).start()

    def close(self) -> None:
        self.closed = True


def run(session: Instances, scenario: Scenario, submit: bool = False, threads: bool = False) -> Run:
    rate = 500.0 if scenario == "server" else None
    plan = Plan(scenario, Stop(max_s=0.3), rate=rate, instances=len(session.members))
    return measure(session, FEEDS, plan, threads=threads, submit=submit, concurrency=1, audited=False)


@pytest.mark.parametrize("scenario", ["closed_loop", "offline", "server"])
def test_each_instance_serves_its_own_lane_on_its_own_cores(scenario: Scenario) -> None:
    cores = sorted(os.sched_getaffinity(0))
    several = Instances([Member(Told(), frozenset([cores[i % len(cores)]])) for i in range(3)])
    found = run(several, scenario)
    assert found.concurrency == 3
    callers = []
    for member in several.members:
        assert isinstance(member.session, Told)
        assert {where for _, where in member.session.calls} == {member.cores}
        callers.append({caller for caller, _ in member.session.calls})
    assert all(callers)
    assert not callers[0] & callers[1] | callers[1] & callers[2]
    total = sum(len(member.session.calls) for member in several.members if isinstance(member.session, Told))
    assert total == found.warmup_queries + len(found.columns)


def test_asynchronous_instances_get_equal_parts() -> None:
    several = Instances([Member(Told(), None), Member(Told(), None)])
    found = run(several, "closed_loop", submit=True)
    first, second = (len(m.session.calls) for m in several.members if isinstance(m.session, Told))
    assert first + second == found.warmup_queries + len(found.columns)
    assert abs(first - second) < 0.2 * (first + second)


def test_instances_are_loaded_on_threads_bound_to_their_share() -> None:
    available = len(os.sched_getaffinity(0))
    several = load_instances(Told, 2)
    assert [member.session.share for member in several.members] == (  # type: ignore[attr-defined]
        [available // 2, available - available // 2] if available > 1 else [None, None]
    )
    assert core_share() is None
    several.close()
    assert all(member.session.closed for member in several.members)  # type: ignore[attr-defined]


def test_what_was_loaded_is_closed_when_another_cannot_be() -> None:
    made: list[Told] = []

    def load() -> Told:
        if len(made) == 2:
            raise MemoryError("full")
        made.append(Told())
        return made[-1]

    with pytest.raises(MemoryError, match="full"):
        load_instances(load, 3)
    assert [session.closed for session in made] == [True, True]


def test_a_plain_session_is_its_only_instance() -> None:
    session = Told()
    (member,) = members_of(session)
    assert (member.session, member.cores) == (session, None)


def test_plans_that_leave_instances_idle_are_refused() -> None:
    several = Instances([Member(Told(), None), Member(Told(), None)])
    with pytest.raises(UsageError, match="one query in flight"):
        run(several, "single_stream")
    plan = Plan("closed_loop", Stop(max_s=0.1), instances=2, concurrency=1)
    with pytest.raises(UsageError, match="leaves some of 2 instances"):
        measure(several, FEEDS, plan, threads=True, submit=False, concurrency=1, audited=False)
