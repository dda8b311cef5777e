"""What stood between the queries of a pass and its session, and what the host told of itself meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from accelbench.figures.passes import Pass
from accelbench.measure.columns import Columns
from accelbench.measure.series import Series, energy_per_sample_j
from accelbench.page import units
from accelbench.page.blocks import Fact
from accelbench.page.words import text


def sharing(timed: Pass) -> Iterator[Fact]:
    """Instances and the harness's batches, where there were any."""
    measured = timed.measurement
    if measured.plan.instances > 1:
        yield text("pass.instances"), str(measured.plan.instances), None
    if measured.batch_sizes:
        batches = sum(measured.batch_sizes.values())
        queries = sum(int(size) * count for size, count in measured.batch_sizes.items())
        most = text("pass.batches.most", most=str(measured.plan.max_batch))
        yield text("pass.batches"), units.number(queries / batches), most


def told(timed: Pass) -> Iterator[Fact]:
    """Figures of the pass from its telemetry: those that were told."""
    table = timed.columns
    if table is None or not len(table):
        return
    found = {each.name: each for each in timed.telemetry}
    cores = cores_used(found["worker.cpu_time"], table) if "worker.cpu_time" in found else None
    if cores is not None:
        yield text("pass.cpu"), units.number(cores), text("pass.cpu.cores")
    if "worker.memory" in found:
        yield text("pass.memory"), units.count(max(found["worker.memory"].values), "B"), text("pass.highest")
    if "cpu.frequency" in found:
        yield text("pass.frequency"), units.count(min(found["cpu.frequency"].values), "Hz"), text("pass.lowest")
    if "cpu.temperature" in found:
        degrees = f"{units.number(max(found['cpu.temperature'].values))}{units.SPACE}°C"
        yield text("pass.temperature"), degrees, text("pass.highest")
    for thing, joules in (energy_per_sample_j(timed.telemetry, table) or {}).items():
        yield text("pass.energy"), units.joules(joules), thing


def cores_used(cpu_time: Series, table: Columns) -> float | None:
    """How many cores the worker kept busy on average, from the first issue to the last end; None when its CPU time was
    not read before and after."""
    begin, end = float(table.issued.min()), float(table.done.max())
    if cpu_time.time_ns[0] > begin or cpu_time.time_ns[-1] < end or end <= begin:
        return None
    at_begin, at_end = np.interp([begin, end], cpu_time.time_ns, cpu_time.values)
    return float(at_end - at_begin) / (end - begin) * 1e9
