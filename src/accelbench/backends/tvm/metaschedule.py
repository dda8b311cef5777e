"""Tunes the products of a model by TVM's MetaSchedule: TVM alone, in a process of its own.

``python metaschedule.py MODEL FOLDER`` goes on until it is ended, or until each kernel had TURNS turns: what was
measured is in the database in FOLDER at once. It leads a group of processes, in which TVM's own builder and runner are,
and ends the whole group when its standard input is closed.
"""

from __future__ import annotations

import importlib
import os
import platform
import signal
import sys
import threading
import types
from importlib.util import find_spec
from typing import Any

import onnx
import tvm
from folding import fold_shapes
from host_target import cores, fused, laid_out, target
from tvm.relax.frontend.onnx import from_onnx
from tvm.s_tir import meta_schedule
from tvm.s_tir.meta_schedule import relax_integration
from tvm.s_tir.transform import RemoveWeightLayoutRewriteBlock

WORTH_TUNING = ("conv", "matmul", "dense")
"""What is in the names of the kernels that are tuned."""

TURNS = 1000
TRIALS_A_TURN = 8
"""So many schedules of a kernel are measured before the next one's turn comes."""

ARM = ("aarch64", "arm64")
INTRINSICS = "tvm.s_tir.tensor_intrin"
EVALUATOR = meta_schedule.runner.EvaluatorConfig(number=1, repeat=2, min_repeat_ms=20)
TIMEOUT_S = 30.0
"""A schedule that takes longer to build or to measure is none."""


def main(model_path: str, folder: str) -> None:
    threading.Thread(target=_end_with_input, daemon=True).start()
    _load_intrinsics()
    model = onnx.load(model_path)
    fold_shapes(model)
    module = fused(laid_out(from_onnx(model, keep_params_in_input=False))[0])
    found = [task for task in relax_integration.extract_tasks(module, target()) if _worth_tuning(task)]
    found.sort(key=lambda task: -int(task.weight))  # what occurs most often has the first turn
    builder = meta_schedule.builder.LocalBuilder(max_workers=cores(), timeout_sec=TIMEOUT_S, f_build=_build)
    runner = meta_schedule.runner.LocalRunner(timeout_sec=TIMEOUT_S, evaluator_config=EVALUATOR)
    database = meta_schedule.database.JSONDatabase(work_dir=folder)
    for turn in range(TURNS):
        contexts, weights = relax_integration.extracted_tasks_to_tune_contexts(
            found, folder, strategy="replay-trace", num_threads=cores(), seed=turn
        )
        # One after the other: of several at once TVM notes nothing until each had its turn.
        for context, weight in zip(contexts, weights):
            meta_schedule.tune_tasks(
                tasks=[context],
                task_weights=[weight],
                work_dir=folder,
                max_trials_global=TRIALS_A_TURN,
                num_trials_per_iter=TRIALS_A_TURN,
                builder=builder,
                runner=runner,
                database=database,
                cost_model="random",
            )


def _worth_tuning(task: Any) -> bool:
    return any(name in task.task_name for name in WORTH_TUNING)


def _load_intrinsics() -> None:
    """Those of this processor alone: the package that MetaSchedule imports reads those of every accelerator, for longer
    than a small model is tuned."""
    found = find_spec(INTRINSICS)
    package = types.ModuleType(INTRINSICS)
    package.__path__ = list(found.submodule_search_locations or ()) if found else []
    sys.modules[INTRINSICS] = package
    importlib.import_module(f"{INTRINSICS}.{'arm_cpu' if platform.machine() in ARM else 'x86'}")


def _build(module: Any, target: Any, _params: Any) -> Any:
    """What MetaSchedule's own function does, without the intrinsics: they are in each schedule already."""
    return tvm.driver.build(RemoveWeightLayoutRewriteBlock(skip_tensor_rewrite=True)(module), target=target)


def _end_with_input() -> None:
    sys.stdin.buffer.read()
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
