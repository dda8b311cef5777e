"""Two targets side by side: both loaded at the same time, timed in turns, so that what the host does to one it does to
the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from accelbench import paths
from accelbench.bench import Bench, device_of
from accelbench.envs.spec import BackendSpec
from accelbench.envs.worker import Worker
from accelbench.errors import WorkerError
from accelbench.measure import columns, compare, stats
from accelbench.measure.compare import Comparison
from accelbench.measure.efforts import STATISTICS
from accelbench.model import Effort, Plan, Stop, Target
from accelbench.zoo.subject import Subject

SHORTEST_S = 0.1
"""A first block of this length on either side, which counts for nothing else, tells how long a block must be."""


@dataclass(frozen=True)
class Length:
    """At most so many pairs with so many looks; a block lasts for so many queries of the slower side, within limits."""

    pairs: int
    looks: int
    queries: int
    longest_s: float


FULL, QUICK = Length(compare.PAIRS, compare.LOOKS, 20, 2.0), Length(32, 4, 8, 0.5)


@dataclass(frozen=True)
class Race:
    """What A is beside B under a plan. ``a_s`` and ``b_s`` are the blocks' times in seconds, pair by pair, from which
    the comparison was computed: the median of a block's latencies (``p50``), or its time per sample (``throughput``).
    ``looks`` were taken at the pairs before it was settled."""

    plan: Plan
    statistic: str
    comparison: Comparison
    looks: int
    block_s: float
    a_s: tuple[float, ...]
    b_s: tuple[float, ...]


def race(
    subject: Subject,
    sides: Sequence[tuple[BackendSpec, Target]],
    plans: Sequence[Plan],
    *,
    effort: Effort,
    margin: float,
    timeout_s: float | None,
    say: Callable[[str], None],
) -> Iterator[Race]:
    """Load both ``sides`` and race them under each plan; a plan's own stop rule does not count. Raises what a worker
    raises, and WorkerError when a block's queries fail."""
    length = QUICK if effort == "quick" else FULL
    with ExitStack() as stack:
        work = stack.enter_context(paths.scratch())
        benches = [
            stack.enter_context(_bench(subject, spec, target, work / side, timeout_s, say))
            for side, (spec, target) in zip("ab", sides, strict=True)
        ]
        for bench in benches:
            bench.check(plans[0])
        for plan in plans:
            for bench in benches:
                bench.prepare(plan)
            trials = [_block(bench, plan, SHORTEST_S) for bench in benches]
            block_s = min(max(SHORTEST_S, length.queries * plan.batch * max(trials)), length.longest_s)
            say(f"racing under {plan.scenario}, batch {plan.batch}")
            blocks = [partial(_block, bench, plan, block_s) for bench in benches]
            found, a_s, b_s = compare.race(
                *blocks, margin=margin, pairs=length.pairs, looks=length.looks, seed=plan.seed
            )
            taken = -(-found.pairs * length.looks // length.pairs)
            yield Race(plan, _statistic(plan), found, taken, block_s, a_s, b_s)


@contextmanager
def _bench(
    subject: Subject,
    spec: BackendSpec,
    target: Target,
    work: Path,
    timeout_s: float | None,
    say: Callable[[str], None],
) -> Iterator[Bench]:
    work.mkdir()
    with Worker(spec, work / "logs", timeout_s=timeout_s) as worker:
        device = device_of(worker.devices(), target)
        yield Bench(worker, subject, replace(target, device=device.id), work, say)


def _block(bench: Bench, plan: Plan, seconds: float) -> float:
    """Time one short pass, which nothing but its queries belongs to, and give its typical time in seconds."""
    with paths.scratch() as folder:
        measured = bench.measure(replace(plan, stop=Stop(max_s=seconds)), folder / "columns", audited=False)
        table = columns.read(folder / "columns")
    if measured.errors or not table.ok.all() or not len(table):
        raise WorkerError("raised", f"a block of the race failed: {'; '.join(measured.errors) or 'no query ended'}")
    if _statistic(plan) == "p50":
        return float(np.median(stats.latencies(table))) * 1e-9
    rate = stats.throughput(table)
    if rate is None:
        raise WorkerError("raised", "a block of the race has no throughput: its queries took no time")
    return 1 / rate[0]


def _statistic(plan: Plan) -> str:
    return STATISTICS.get(plan.scenario, "p50")
