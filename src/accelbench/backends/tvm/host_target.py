"""What TVM compiles for on this host: TVM alone, so that a loop without accelbench can use it."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import tvm
from tvm import relax, s_tir
from tvm.s_tir import dlight
from tvm.s_tir.dlight.analysis import normalize_prim_func
from tvm.s_tir.dlight.base import ScheduleRule
from tvm.s_tir.meta_schedule.database import JSONDatabase

LAYOUT = {"relax.nn.conv2d": ["NHWC", "OHWI"]}
"""Activations and weights of a convolution with the channels that it sums over side by side."""

FAST_MATH = {"fast-math-contract": True, "fast-math-reassoc": True}
"""LLVM may fuse multiply and add, and sum in another order: without that it makes no vectors of a sum. NaN, infinities
and signed zeros are kept."""


SCHEDULED = "tirx.is_scheduled"
"""An attribute of kernels whose schedule is settled."""

WORTH_SPREADING = 1 << 20
"""From so many steps on, a loop nest is run by several threads."""

ROWS = 4
"""So many rows of a matrix product are computed together, for each value of the other factor that is read."""


class Spread(ScheduleRule):  # type: ignore[misc]
    """What the operators' own schedules leave out: outer loops run on all cores, and a matrix product goes along the
    rows of its second factor."""

    def apply(self, func: Any, _target: Any, _tunable: bool) -> Any:
        """The new schedule; None, which leaves the function as it is, where it has a form that TVM cannot spread."""
        try:
            schedule = s_tir.Schedule(func)
            for block in normalize_prim_func(schedule) or ():
                _spread_block(schedule, block)
        except RuntimeError:
            return None
        return schedule


def _spread_block(schedule: Any, block: Any) -> None:
    loops, kinds = schedule.get_loops(block.block_rv), block.dom_kind()
    extents = [schedule.get(loop).extent for loop in loops]
    spatial = len(kinds) - len(kinds.lstrip("S"))
    if not spatial or not all(hasattr(extent, "value") for extent in extents):
        return
    sizes = [int(extent) for extent in extents]
    if math.prod(sizes) < WORTH_SPREADING:
        return
    if block.name.startswith("matmul") and kinds.endswith("R") and spatial > 1:
        _spread_product(schedule, block, loops[:spatial], loops[spatial:], sizes[spatial - 2])
    else:
        _spread(schedule, loops[:spatial] if "R" in kinds else loops[: max(1, spatial - 1)])


def _spread_product(schedule: Any, block: Any, spatial: list[Any], sums: list[Any], rows: int) -> None:
    *batch, row, column = spatial
    if rows % ROWS == 0:
        row, inner = schedule.split(row, [None, ROWS])
        schedule.reorder(row, *sums, inner, column)
        schedule.unroll(inner)
    else:
        schedule.reorder(row, *sums, column)
    _spread(schedule, [*batch, row])
    schedule.decompose_reduction(block.block_rv, sums[0])


def _spread(schedule: Any, loops: list[Any]) -> None:
    schedule.parallel(schedule.fuse(*loops) if len(loops) > 1 else loops[0])


def host_cpu() -> str:
    return str(tvm.get_global_func("target.llvm_get_system_cpu")())


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def target() -> tvm.target.Target:
    return tvm.target.Target({"kind": "llvm", "mcpu": host_cpu(), "num-cores": cores(), **FAST_MATH})


def laid_out(module: tvm.IRModule) -> tuple[tvm.IRModule, str]:
    """The module with its convolutions in LAYOUT where the pass can do it, and the name of the layout."""
    try:
        return relax.transform.ConvertLayout(LAYOUT)(module), "NHWC, OHWI"
    except (RuntimeError, ValueError, TypeError):
        return module, "as in the model"


def fused(module: tvm.IRModule) -> tvm.IRModule:
    """The module as kernels that have no schedule yet."""
    with target():
        return relax.get_pipeline("zero")(module)


def built(module: tvm.IRModule, database: Path | None = None) -> tuple[Any, int]:
    """The executable of a module, and how many of its kernels have a schedule of MetaSchedule's ``database``."""
    module, tuned = fused(module), 0
    with target():
        if database is not None:
            with JSONDatabase(work_dir=str(database)):
                module = relax.transform.MetaScheduleApplyDatabase()(module)
            tuned = sum(_scheduled(function) for function in module.functions.values())
        module = dlight.ApplyDefaultSchedule(Spread())(module)
    return tvm.compile(module, target=target()), tuned


def _scheduled(function: Any) -> bool:
    return bool(function.attrs and function.attrs.get(SCHEDULED, False))


def products(module: tvm.IRModule) -> list[str]:
    """The types of the results of all products in the function ``main``."""
    found: list[str] = []

    def look(node: Any) -> None:
        name = str(getattr(node.op, "name", "")) if isinstance(node, relax.Call) else ""
        if name.startswith(("relax.matmul", "relax.nn.conv", "relax.nn.attention")):
            found.append(str(node.ty.dtype))

    relax.analysis.post_order_visit(module["main"], look)
    return found
