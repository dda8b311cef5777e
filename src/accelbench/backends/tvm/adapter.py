"""Apache TVM on the CPU: ONNX through Relax, pipelines of the LLVM target, the Relax virtual machine.

Facts relied on, from TVM's documentation and sources: ``from_onnx`` converts neither every shape that is computed nor a
constant that is a list, so both are folded before; without tuning every kernel has the schedule that its operator was
written with, on one core, unless a dlight rule gives it another. ``export_library`` links with the C++ compiler that it
finds. The virtual machine allocates its results anew and keeps a tensor as long as somebody holds it. The pool of
threads takes TVM_NUM_THREADS, by default half of the processors, and pins its threads to the first ones unless
TVM_BIND_THREADS is 0.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import schedules
import tvm
from folding import fold_shapes
from host_target import built, cores, host_cpu, laid_out, products, target
from tvm import relax
from tvm.relax.frontend.onnx import from_onnx
from tvm.support import cc
from tvm_ffi import load_module

from accelbench.backends import tuning
from accelbench.backends.protocol import CompileJob, Feed, Outputs, core_share
from accelbench.errors import Unsupported
from accelbench.model import Compiled, DeviceInfo, Trial, Tuning

LIBRARY = "model.so"
PORTS = "ports.json"
"""The names of inputs and outputs in the order of the function's arguments and results."""

ENTRY = "main"
OWN_DATABASE = "."
"""A database among the compiled files, as the option ``database``: what is no absolute path begins there."""

SEARCH_SHARE = 0.8
"""What is left of the time is for comparing the best that was found with the untuned model."""

RESERVED_BUILDS = 1.5
"""So many times what the untuned model took to build is left for building the tuned one."""

PRECISIONS = {"float32": "fp32", "float16": "fp16", "bfloat16": "bf16", "float64": "fp64", "int8": "int8"}
REFUSALS = ("not supported", "unsupported", "not implemented", "must be a constant", "expected", "currently supported")
CONVERTING = re.compile(r"Error converting operator (\w+)")


class TvmSession:
    """A virtual machine with input tensors of its own: a query costs a copy for each input, and hands out views of the
    tensors that the machine made for its results."""

    def __init__(self, library: Path, job: CompileJob) -> None:
        machine = relax.VirtualMachine(_opened(library), tvm.cpu())
        self._main = machine[ENTRY]
        self._machine = machine
        taken, given = json.loads((job.work / PORTS).read_text(encoding="utf-8"))
        shapes = {spec.name: ([int(dim) for dim in spec.shape], spec.dtype) for spec in job.inputs}
        self._inputs = [
            (name, tvm.runtime.empty(*shapes[name], tvm.cpu()), np.dtype(shapes[name][1]))
            for name in taken
            if name in shapes
        ]
        self._arguments = [tensor for _, tensor, _ in self._inputs]
        self._outputs = given

    def run(self, feed: Feed) -> Outputs:
        for name, tensor, dtype in self._inputs:
            value = feed[name]
            if value.dtype != dtype:
                raise TypeError(f"input {name} is {value.dtype}, the model takes {dtype}")
            tensor.copyfrom(value)
        results = self._main(*self._arguments)
        if len(self._outputs) == 1 and isinstance(results, tvm.runtime.Tensor):
            return {self._outputs[0]: np.from_dlpack(results)}
        return {name: np.from_dlpack(result) for name, result in zip(self._outputs, results)}

    def close(self) -> None:
        self._inputs.clear()
        del self._arguments, self._main, self._machine


class TvmReady(TvmSession):
    """What the tuner compares: a session that runs one feed of ``batch`` samples again and again."""

    def __init__(self, library: Path, job: CompileJob) -> None:
        super().__init__(library, job)
        self._feed, self._batch = job.calibration[0], job.batch

    def turn(self) -> int:
        self.run(self._feed)
        return self._batch


def devices() -> Sequence[DeviceInfo]:
    return [DeviceInfo(id="cpu", name="CPU", properties={"mcpu": host_cpu()})]


def compile(job: CompileJob) -> Compiled:  # noqa: A001
    database = _database(job)
    model, count = _read(job)
    module, layout = laid_out(_imported(model))
    executable, tuned = built(module, database)
    executable.export_library(str(job.work / LIBRARY))
    ports = [[port.name for port in side] for side in (model.graph.input, model.graph.output)]
    (job.work / PORTS).write_text(json.dumps(ports), encoding="utf-8")
    return Compiled(
        files=(LIBRARY, PORTS, *(schedules.FILES if database else ())),
        format="shared library (Relax)",
        executed_precision=_executed(module),
        settings={
            "target": str(target()),
            "layout": layout,
            "pipeline": "zero, Spread (dlight rule of this adapter), default",
            "tuning": f"MetaSchedule, {tuned} kernels" if database else "none",
            "folded_shape_nodes": str(count),
            "threads": _threads(job),
        },
    )


def tune(job: CompileJob, limit_s: float) -> Tuning:
    began = time.perf_counter()
    means = "TVM's MetaSchedule: random schedules of convolutions and matrix products"
    if "database" in job.target.options:
        return Tuning(f"{means}; not done, for a database was given", 0)
    with tempfile.TemporaryDirectory() as scratch:
        untuned = _ready(job, Path(scratch))
        built_s = time.perf_counter() - began
        left_s = SEARCH_SHARE * limit_s - RESERVED_BUILDS * built_s
        ended = left_s > 0 and schedules.search(job.model, Path(scratch), _threads(job), left_s)
        tried = schedules.records(Path(scratch))
        if not tried:
            untuned.close()
            sys.stdout.write(schedules.said(Path(scratch)))
            return Tuning(means, 0, finished=ended)
        tuned = _ready(tuning.with_options(job, {"database": scratch}), Path(scratch))
        before, after = tuning.compared(untuned, tuned, began + limit_s)
        untuned.close()
        tuned.close()
        chosen = {"database": OWN_DATABASE}
        better = after <= before * (1 - tuning.GAIN)
        if better:
            schedules.copied(Path(scratch), job.work)
    return Tuning(means, tried, (Trial({}, before), Trial(chosen, after)), chosen if better else {}, ended)


def load(compiled: Compiled, job: CompileJob) -> TvmSession:
    _settle_threads(job)
    return TvmSession(job.work / compiled.files[0], job)


def _ready(job: CompileJob, scratch: Path) -> TvmReady:
    own = replace(job, work=Path(tempfile.mkdtemp(dir=scratch)))
    compiled = compile(own)
    _settle_threads(own)
    return TvmReady(own.work / compiled.files[0], own)


def _database(job: CompileJob) -> Path | None:
    """The database of schedules that the job asks for; it becomes part of the artifact. Raises
    Unsupported where there is none."""
    asked = job.target.options.get("database")
    if asked is None:
        return None
    database = job.work / asked
    if not all((database / name).is_file() for name in schedules.FILES):
        raise Unsupported(f"option database: {' and '.join(schedules.FILES)} are not in {asked}")
    schedules.copied(database, job.work)
    return database


def _settle_threads(job: CompileJob) -> None:
    os.environ["TVM_NUM_THREADS"] = _threads(job)
    if core_share() is not None:
        os.environ["TVM_BIND_THREADS"] = "0"


def _opened(library: Path) -> tvm.runtime.Module:
    """The library by a path that is new each time: TVM keeps every library open, and the system's loader gives the open
    one though another lies at that path by now. ``tvm.runtime.load_module`` would resolve the link."""
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder) / LIBRARY
        link.symlink_to(library.absolute())
        return load_module(link)


def _threads(job: CompileJob) -> str:
    return job.target.options.get("threads", str(core_share() or cores()))


def _read(job: CompileJob) -> tuple[onnx.ModelProto, int]:
    """The model, and how many nodes of it were folded. Raises Unsupported for what this adapter does not take."""
    if job.target.device != "cpu":
        raise Unsupported(f"device {job.target.device}: this adapter runs TVM on cpu only")
    if job.target.precision != "fp32":
        raise Unsupported(f"precision {job.target.precision}: this adapter compiles for fp32")
    for spec in job.inputs:
        if any(isinstance(dim, str) for dim in spec.shape):
            raise Unsupported(f"input {spec.name} has the dynamic shape {spec.shape}: this adapter fixes shapes")
    if cc.get_cc() is None:
        raise Unsupported("TVM links its library with a C++ compiler (g++, gcc, clang++ or clang), and none is on PATH")
    model = onnx.load(str(job.model))
    return model, fold_shapes(model)


def _imported(model: onnx.ModelProto) -> tvm.IRModule:
    """The model in Relax, its weights as constants. Raises Unsupported with the operator that stopped the front end."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            return from_onnx(model, keep_params_in_input=False)
    except Exception as error:
        sys.stdout.write(said.getvalue()[-2000:])
        text = " ".join(str(error).split())
        if not isinstance(error, NotImplementedError) and not any(sign in text.lower() for sign in REFUSALS):
            raise
        operator = CONVERTING.search(said.getvalue())
        raise Unsupported(f"operator {operator[1]}: {text[-400:]}" if operator else text[-400:]) from error


def _executed(module: tvm.IRModule) -> str:
    """The precision of most products in Relax, which the kernels keep."""
    found = products(module)
    common = Counter(found).most_common(1)[0][0] if found else "float32"
    return PRECISIONS.get(common, common)
