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
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import tvm
from folding import fold_shapes
from host_target import built, cores, host_cpu, laid_out, products, target
from tvm import relax
from tvm.relax.frontend.onnx import from_onnx
from tvm.support import cc
from tvm_ffi import load_module

from accelbench.backends.protocol import CompileJob, Feed, Outputs, core_share
from accelbench.errors import Unsupported
from accelbench.model import Compiled, DeviceInfo

LIBRARY = "model.so"
PORTS = "ports.json"
"""The names of inputs and outputs in the order of the function's arguments and results."""

ENTRY = "main"
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


def devices() -> Sequence[DeviceInfo]:
    return [DeviceInfo(id="cpu", name="CPU", properties={"mcpu": host_cpu()})]


def compile(job: CompileJob) -> Compiled:  # noqa: A001
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
    count = fold_shapes(model)
    module, layout = laid_out(_imported(model))
    built(module).export_library(str(job.work / LIBRARY))
    ports = [[port.name for port in side] for side in (model.graph.input, model.graph.output)]
    (job.work / PORTS).write_text(json.dumps(ports), encoding="utf-8")
    return Compiled(
        files=(LIBRARY, PORTS),
        format="shared library (Relax)",
        executed_precision=_executed(module),
        settings={
            "target": str(target()),
            "layout": layout,
            "pipeline": "zero, Spread (dlight rule of this adapter), default",
            "tuning": "none",
            "folded_shape_nodes": str(count),
            "threads": _threads(job),
        },
    )


def load(compiled: Compiled, job: CompileJob) -> TvmSession:
    os.environ["TVM_NUM_THREADS"] = _threads(job)
    if core_share() is not None:
        os.environ["TVM_BIND_THREADS"] = "0"
    return TvmSession(job.work / compiled.files[0], job)


def _opened(library: Path) -> tvm.runtime.Module:
    """The library by a path that is new each time: TVM keeps every library open, and the system's loader gives the open
    one though another lies at that path by now. ``tvm.runtime.load_module`` would resolve the link."""
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder) / LIBRARY
        link.symlink_to(library.absolute())
        return load_module(link)


def _threads(job: CompileJob) -> str:
    return job.target.options.get("threads", str(core_share() or cores()))


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
