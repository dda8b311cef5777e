"""tinygrad on the CPU: its ONNX runner, captured by its JIT, with kernels that clang compiles.

Facts relied on, from tinygrad's documentation and source: a jitted function runs plainly at its first call, is captured
at its second, and from then on only its kernels run, on the buffers of the inputs; a captured function can be pickled,
with its compiled kernels and its weights, and its results lie in the same buffers each time; the CPU device compiles
with clang even what it starts with; the kernels of a query run one after the other on one thread; the runner reads
shapes, axes and the like as constants, when a model is run for the first time.
"""

from __future__ import annotations

import os
import pickle
import platform
import re
import shutil
import subprocess
from collections.abc import Sequence
from typing import Any

import numpy as np
from tinygrad import Device, Tensor, TinyJit
from tinygrad.dtype import _to_np_dtype
from tinygrad.engine.jit import JitError
from tinygrad.helpers import Context
from tinygrad.nn.onnx import OnnxRunner

from accelbench.backends.protocol import CompileJob, Feed, Outputs
from accelbench.errors import Unsupported
from accelbench.model import Compiled, DeviceInfo

MODEL = "model.pkl"
DEVICE = "CPU"
SHAPES = ("Shape", "Size")
NOT_READ = re.compile(r"is not a valid (Domain|OnnxDataType|AttributeType)")
NO_KERNEL = "didn't JIT anything"
READ_MEANWHILE = "cannot access tensor data during JIT capture"
CALLS = 2
"""Plainly, and to be captured."""


class TinySession:
    """A captured function with input buffers that are written to, and result buffers that are copied."""

    def __init__(self, jit: Any, job: CompileJob) -> None:
        self._captured = jit.captured
        feed = job.calibration[0] if job.calibration else _ones(job)
        self._tensors = {spec.name: _tensor(feed[spec.name]) for spec in job.inputs}
        self._buffers = [self._tensors[name].uop.base for name in self._captured.expected_names]
        self._inputs = [(spec.name, _view(self._tensors[spec.name]).view(spec.dtype)) for spec in job.inputs]
        self._captured(self._buffers, {})
        Device[DEVICE].synchronize()
        self._outputs = [
            (spec.name, _view(tensor), spec.dtype) for spec, tensor in zip(job.outputs, self._captured.ret)
        ]

    def run(self, feed: Feed) -> Outputs:
        for name, own in self._inputs:
            value = feed[name]
            if value.shape != own.shape or value.dtype.num != own.dtype.num:
                raise ValueError(
                    f"input {name} is {value.dtype} {value.shape}, the model takes {own.dtype} {own.shape}"
                )
            np.copyto(own, value)
        self._captured(self._buffers, {})
        Device[DEVICE].synchronize()
        return {name: value.astype(dtype) for name, value, dtype in self._outputs}

    def close(self) -> None:
        self._inputs, self._outputs = [], []
        self._captured.free_intermediates()
        del self._captured, self._buffers, self._tensors


def devices() -> Sequence[DeviceInfo]:
    _compiler()
    return [DeviceInfo(id="cpu", name=platform.machine(), properties={"compiler": _version()})]


def compile(job: CompileJob) -> Compiled:  # noqa: A001
    if job.target.device != "cpu":
        raise Unsupported(f"device {job.target.device}: this adapter runs tinygrad on the cpu only")
    if job.target.precision != "fp32":
        raise Unsupported(f"precision {job.target.precision}: tinygrad computes in the types of the model, fp32")
    for spec in job.inputs:
        if any(isinstance(dim, str) for dim in spec.shape):
            raise Unsupported(f"input {spec.name} has the dynamic shape {spec.shape}: this adapter fixes shapes")
    _compiler()
    beam = int(job.target.options["beam"])
    try:
        jit, runner = _captured(job, beam)
    except NotImplementedError as error:
        raise Unsupported(" ".join(str(error).split())) from error
    except ValueError as error:
        if not NOT_READ.search(str(error)):
            raise
        raise Unsupported(f"tinygrad's ONNX runner: {error}") from error
    except JitError as error:
        if READ_MEANWHILE not in str(error):
            raise
        raise Unsupported("values that are computed decide on a shape or on what is computed next") from error
    _refuse_frozen(runner)
    with (job.work / MODEL).open("wb") as file:
        pickle.dump(jit, file)
    return Compiled(
        files=(MODEL,),
        format="pickled TinyJit (kernels and weights)",
        executed_precision="fp32",
        settings={
            "device": DEVICE,
            "renderer": type(Device[DEVICE].renderer).__name__,
            "compiler": _version(),
            "beam": str(beam),
            "kernels": str(len(jit.captured.linear.src)),
            "jit": "1",
            "threads": "1",
        },
    )


def load(compiled: Compiled, job: CompileJob) -> TinySession:
    with (job.work / compiled.files[0]).open("rb") as file:
        return TinySession(pickle.load(file), job)


def _captured(job: CompileJob, beam: int, *, copied: bool = False) -> tuple[Any, OnnxRunner]:
    """The jitted model. Its results are ``copied`` where nothing else is to be computed: the JIT wants a kernel."""
    runner = OnnxRunner(str(job.model))
    runner.const_names -= _tables(runner)
    names = [spec.name for spec in job.outputs]

    def function(**inputs: Tensor) -> list[Tensor]:
        results = runner(inputs)
        return [(results[name].clone() if copied else results[name].contiguous()).realize() for name in names]

    jit = TinyJit(function)
    feeds = [job.calibration[at % len(job.calibration)] if job.calibration else _ones(job) for at in range(CALLS)]
    try:
        with Context(BEAM=beam):
            for feed in feeds:
                jit(**{name: _tensor(value) for name, value in feed.items()})
    except JitError as error:
        if copied or NO_KERNEL not in str(error):
            raise
        return _captured(job, beam, copied=True)
    return jit, runner


def _tables(runner: OnnxRunner) -> set[str]:
    """Constants of several dimensions. The runner's short way to gather by a constant takes a list of numbers."""
    constants = dict(runner.graph_values)
    for node in runner.graph_nodes:
        if node.op == "Constant":
            constants.update(dict.fromkeys(node.outputs, node.opts.get("value")))
    return {name for name, value in constants.items() if isinstance(value, Tensor) and value.ndim > 1}


def _refuse_frozen(runner: OnnxRunner) -> None:
    """Unsupported when the runner took values for constants that depend on what is fed."""
    fed = set(runner.graph_inputs)
    for node in runner.graph_nodes:
        if node.op not in SHAPES and fed.intersection(node.inputs):
            fed.update(node.outputs)
    for node in runner.graph_nodes:
        for name in node.inputs:
            if name in fed and name in runner._python_const_cache:
                raise Unsupported(f"operator {node.op} takes {name} for a constant, and it depends on the inputs")


def _compiler() -> str:
    compiler = shutil.which(os.environ.get("CC", "clang"))
    if compiler is None:
        raise Unsupported(
            "tinygrad compiles its kernels with clang, and none is on PATH: install it, for example with "
            "'apt-get install clang', or name one in the variable CC"
        )
    return compiler


def _version() -> str:
    done = subprocess.run([_compiler(), "--version"], check=False, capture_output=True, text=True, timeout=60)
    return done.stdout.partition("\n")[0].strip()


def _view(tensor: Tensor) -> np.ndarray[Any, np.dtype[Any]]:
    """The tensor's own memory."""
    memory = tensor.uop.base.buffer.as_memoryview(force_zero_copy=True)
    return np.frombuffer(memory, _to_np_dtype(tensor.dtype), int(tensor.numel())).reshape(tensor.shape)


def _tensor(value: np.ndarray[Any, np.dtype[Any]]) -> Tensor:
    """In memory of its own; a single number would become a constant."""
    return Tensor(np.array(value), device=DEVICE).clone().realize()


def _ones(job: CompileJob) -> Feed:
    """Not zeros, by which a model may divide integers."""
    return {spec.name: np.ones([int(dim) for dim in spec.shape], spec.dtype) for spec in job.inputs}
