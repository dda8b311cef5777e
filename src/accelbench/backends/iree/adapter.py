"""IREE on the CPU: models compiled ahead of time by LLVM, run by the ``local-task`` driver.

Facts relied on, from IREE's documentation, the help of its tools and what they write: ``iree-import-onnx`` brings an
ONNX graph to opset 17 or later and puts weights into a parameter archive; ``--iree-llvmcpu-target-cpu=host`` is advised
where one does not cross-compile, ``--iree-opt-level=O3`` and data tiling are for speed, and im2col makes convolutions
use the matrix kernels. A function of the module has an asynchronous twin, called ``NAME$async``. The compiler names
each kernel after its operator, sizes and element types. A worker of the task system is pinned to a core unless their
number is given. A context is called by one thread at a time.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import recording
from compiler_flags import TRIED, attempts
from iree import runtime
from iree.runtime import _binding
from iree.runtime.dtypes import map_dtype_to_hal_element_type
from toolbox import Toolbox

from accelbench.backends import tuning
from accelbench.backends.protocol import CompileJob, Feed, Outputs, core_share
from accelbench.errors import Unsupported
from accelbench.model import Compiled, DeviceInfo, OpTime, Placement, TensorSpec, Tuning
from accelbench.tensors import Array

MODULE = "model.vmfb"
WEIGHTS = "weights.irpa"
PORTS = "ports.json"
"""The names of inputs and outputs in the order of the module's arguments and results."""

SCOPE = "model"
DRIVER = "local-task"
OPSET = "17"
"""The importer's documentation asks for this opset or a later one."""

LARGE_BYTES = 1 << 30
"""A model from this size on is imported without its weights in memory, which rules out a change of its opset."""

TOOL_TIMEOUT_S = 3600
TOOLBOX = Toolbox()

STACK = "--task_worker_stack_size=1048576"
"""Kernels of fused normalisations need more than the 32 KiB of stack that the compiler allows by default."""

NAMES = {"f32": "fp32", "f16": "fp16", "bf16": "bf16", "f64": "fp64", "i8": "int8"}
KERNEL = re.compile(rb"\$async_dispatch_\d+_([A-Za-z][A-Za-z0-9_]*)\0")
NAME = re.compile(r"(\w+?)(?:_(?:[\dD]|b?f\d|i\d)\w*)?")
TYPE = re.compile(r"(?<=[x_])(?:b?f|i)\d+(?=[x_]|$)")
ARITHMETIC = ("matmul", "conv", "contract", "matvec", "mmt4d", "attention", "vecmat")

REFUSALS = ("failed to legalize", "unsupported", "not supported", "unimplemented", "unhandled", "onnximporterror")
OPERATOR = re.compile(r'name = "onnx\.(\w+)"')


class IreeSession:
    """A context of the virtual machine with input buffers of its own: a query costs a copy for each input, and hands
    out views of the buffers that the module made for its outputs."""

    def __init__(self, module: Path, weights: Path | None, job: CompileJob, threads: int | None) -> None:
        runtime.flags.parse_flags(f"--task_topology_group_count={threads or 0}", STACK)
        self._device = _binding.create_hal_driver(DRIVER).create_default_device()
        instance = runtime.VmInstance()
        modules = [runtime.create_hal_module(instance, self._device)]
        if weights is not None:
            index = runtime.ParameterIndex()
            index.load(str(weights))
            modules.append(runtime.create_io_parameters_module(instance, index.create_provider(scope=SCOPE)))
        compiled = runtime.VmModule.mmap(instance, str(module))
        names = compiled.function_names
        self._function = compiled.lookup_function(next(name for name in names if f"{name}$async" in names))
        self._context = runtime.VmContext(instance, modules=[*modules, compiled])
        taken, given = json.loads((job.work / PORTS).read_text(encoding="utf-8"))
        inputs, outputs = ({spec.name: spec for spec in specs} for specs in (job.inputs, job.outputs))
        self._arguments = runtime.VmVariantList(len(inputs))
        self._inputs: list[tuple[str, Array]] = []
        for name in taken:
            if name in inputs:
                self._inputs.append((name, self._argument(inputs[name])))
        self._outputs = [(name, np.dtype(outputs[name].dtype)) for name in given]

    def run(self, feed: Feed) -> Outputs:
        for name, own in self._inputs:
            value = feed[name]
            if value.shape != own.shape or value.dtype.num != own.dtype.num:
                raise ValueError(
                    f"input {name} is {value.dtype} {value.shape}, the model takes {own.dtype} {own.shape}"
                )
            np.copyto(own, value)
        results = runtime.VmVariantList(len(self._outputs))
        self._context.invoke(self._function, self._arguments, results)
        outputs = {}
        for place, (name, dtype) in enumerate(self._outputs):
            view = results.get_as_object(place, runtime.HalBufferView)
            outputs[name] = view.map().asarray(view.shape, dtype)
        return outputs

    def close(self) -> None:
        self._inputs.clear()
        del self._arguments, self._context, self._function, self._device

    def _argument(self, spec: TensorSpec) -> Array:
        """Memory of the input, which is an argument of the function from now on."""
        dtype, shape = np.dtype(spec.dtype), [int(dim) for dim in spec.shape]
        buffer = self._device.allocator.allocate_buffer(
            memory_type=runtime.MemoryType.HOST_LOCAL | runtime.MemoryType.DEVICE_VISIBLE,
            allowed_usage=runtime.BufferUsage.DEFAULT | runtime.BufferUsage.MAPPING,
            allocation_size=dtype.itemsize * int(np.prod(shape)),
        )
        view = runtime.HalBufferView(buffer, shape, map_dtype_to_hal_element_type(dtype))
        self._arguments.push_ref(view.ref)
        own: Array = buffer.map().asarray(shape, dtype)
        return own


class IreeReady(IreeSession):
    """What the tuner compares: a session that runs one feed of ``batch`` samples again and again."""

    def __init__(self, module: Path, weights: Path | None, job: CompileJob, threads: int | None) -> None:
        super().__init__(module, weights, job, threads)
        self._feed, self._batch = job.calibration[0] if job.calibration else _zeros(job), job.batch

    def turn(self) -> int:
        self.run(self._feed)
        return self._batch


class IreeProfiler(IreeSession):
    """A session whose runs that count are done once more at the end, on the last feed, by IREE's own tool."""

    def __init__(self, module: Path, weights: Path | None, job: CompileJob, threads: int | None) -> None:
        super().__init__(module, weights, job, threads)
        self._words = ["--device=" + DRIVER, f"--function={self._function.name}", STACK]
        self._words += [f"--task_topology_group_count={threads or 0}"]
        self._words += [f"--parameters={SCOPE}={weights}"] if weights else []
        self._module, self._runs = module, 0

    def run(self, feed: Feed) -> Outputs:
        self._runs += 1
        return super().run(feed)

    def begin(self) -> None:
        self._runs = 0

    def end(self) -> Sequence[OpTime]:
        with tempfile.TemporaryDirectory() as folder:
            given = []
            for place, (_, value) in enumerate(self._inputs):
                np.save(Path(folder) / f"{place}.npy", value)
                given.append(f"--input=@{folder}/{place}.npy")
            told = recording.recorded(self._module, [*self._words, *given], self._runs, Path(folder) / "run.ireeprof")
        found = []
        for group in told:
            op, precision = _told(recording.kernel(group["key"]))
            times = group["total_ns"] / self._runs, group["dispatches"] / self._runs
            found.append(OpTime(op, group["key"], "cpu", precision, *times))
        return found


def devices() -> Sequence[DeviceInfo]:
    return [DeviceInfo(id="cpu", name="CPU", properties={"driver": DRIVER})]


def compile(job: CompileJob) -> Compiled:  # noqa: A001
    imported = _imported(job)
    flags = _compiled(imported, job.work / MODULE, job.target.options, TOOL_TIMEOUT_S)
    imported.unlink()
    placements = _placements((job.work / MODULE).read_bytes())
    return Compiled(
        files=tuple(name for name in (MODULE, WEIGHTS, PORTS) if (job.work / name).is_file()),
        format="iree module and parameters",
        executed_precision=_executed(placements),
        placements=placements,
        settings={
            "compiler_flags": " ".join(flags),
            "driver": DRIVER,
            "threads": job.target.options.get("threads", "one per physical core"),
        },
    )


def tune(job: CompileJob, limit_s: float) -> Tuning:
    began = time.perf_counter()
    means = "accelbench's search over flags of IREE's compiler and its number of workers"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    powers = [str(2**power) for power in range(cores.bit_length()) if 2**power <= cores]
    tried = {**TRIED, "threads": powers}
    with tempfile.TemporaryDirectory(dir=job.work) as folder:
        job = replace(job, work=Path(folder))
        imported = _imported(job)
        modules: dict[tuple[str, ...], Path] = {}

        def ready(settings: tuning.Settings) -> IreeReady:
            candidate = tuning.with_options(job, settings)
            wanted = attempts(candidate.target.options)[0]
            if wanted not in modules:
                left_s = int(tuning.SEARCH_SHARE * limit_s - (time.perf_counter() - began))
                path = Path(folder) / f"{len(modules)}.vmfb"
                _compiled(imported, path, candidate.target.options, left_s)
                modules[wanted] = path
            weights = job.work / WEIGHTS
            return IreeReady(modules[wanted], weights if weights.is_file() else None, candidate, _threads(candidate))

        try:
            return tuning.tuned(
                means,
                ready,
                [(name, values) for name, values in tried.items() if name not in job.target.options],
                limit_s - (time.perf_counter() - began),
            )
        except TimeoutError:
            return Tuning(means, 0, finished=False)


def load(compiled: Compiled, job: CompileJob) -> IreeSession:
    return IreeSession(*_parts(compiled, job))


def profiler(compiled: Compiled, job: CompileJob) -> IreeProfiler:
    return IreeProfiler(*_parts(compiled, job))


def _parts(compiled: Compiled, job: CompileJob) -> tuple[Path, Path | None, CompileJob, int | None]:
    weights = job.work / WEIGHTS if WEIGHTS in compiled.files else None
    return job.work / MODULE, weights, job, _threads(job)


def _threads(job: CompileJob) -> int | None:
    threads = job.target.options.get("threads", core_share())
    return None if threads is None else int(threads)


def _zeros(job: CompileJob) -> Feed:
    return {spec.name: np.zeros([int(dim) for dim in spec.shape], spec.dtype) for spec in job.inputs}


def _imported(job: CompileJob) -> Path:
    """The model as MLIR, its weights in WEIGHTS, its names in PORTS. Raises Unsupported for what this adapter does not
    take. The importer reads a link: it may write beside what it reads."""
    if job.target.device != "cpu":
        raise Unsupported(f"device {job.target.device}: this adapter runs IREE on cpu only")
    if job.target.precision != "fp32":
        raise Unsupported(f"precision {job.target.precision}: this adapter compiles for fp32")
    for spec in job.inputs:
        if any(isinstance(dim, str) for dim in spec.shape):
            raise Unsupported(f"input {spec.name} has the dynamic shape {spec.shape}: this adapter fixes shapes")
    imported, source = job.work / "model.mlir", job.work / "model.onnx"
    source.symlink_to(job.model.absolute())
    files = [path for path in job.model.parent.iterdir() if path.is_file()]
    large = sum(path.stat().st_size for path in files) > LARGE_BYTES
    how = ["--large-model"] if large else ["--opset-version", OPSET]
    words = [str(source), *how]
    words += ["--data-dir", str(job.model.parent), "--externalize-params", "--params-scope", SCOPE]
    _tool("iree-import-onnx", [*words, "--save-params-to", str(job.work / WEIGHTS), "-o", str(imported)])
    source.unlink()
    graph = onnx.load(str(job.model), load_external_data=False).graph
    ports = [[port.name for port in side] for side in (graph.input, graph.output)]
    (job.work / PORTS).write_text(json.dumps(ports), encoding="utf-8")
    return imported


def _compiled(imported: Path, module: Path, options: Mapping[str, str], limit_s: int) -> tuple[str, ...]:
    """Write ``module``. Gives the flags that the compiler took. Raises TimeoutError where it takes longer."""
    possible: Sequence[tuple[str, ...]] = attempts(options)
    for flags in possible:
        try:
            _tool("iree-compile", [str(imported), *flags, "-o", str(module)], limit_s)
        except RuntimeError:
            if flags == possible[-1]:
                raise
        else:
            break
    return flags


def _tool(name: str, words: Sequence[str], limit_s: int = TOOL_TIMEOUT_S) -> None:
    """Run one of IREE's tools. Raises Unsupported with the operator that stopped it where it refuses the model, and
    TimeoutError after ``limit_s`` seconds."""
    code, printed = TOOLBOX.run(name, words, limit_s) if limit_s > 0 else (-signal.SIGALRM, "")
    if code == 0:
        return
    if code == -signal.SIGALRM:
        raise TimeoutError(f"{name} did not end within {limit_s} s")
    sys.stderr.write(printed[-20000:])
    said = [line for line in printed.splitlines() if "rror:" in line] or printed.strip().splitlines()[-1:]
    whole = " ".join(said[0].rpartition("rror: ")[2].split()) if said else "it said nothing"
    text = whole[:400]
    if not any(sign in whole.lower() for sign in REFUSALS):
        raise RuntimeError(f"{name} ended with {code}: {text}")
    operator = OPERATOR.search(printed)
    raise Unsupported(f"operator {operator[1]}: {text}" if operator else text)


def _placements(module: bytes) -> tuple[Placement, ...]:
    """The kernels in a module, by the names that the compiler gave them. One kernel may carry out several layers."""
    counts = Counter[tuple[str, str]]()
    for kernel in set(KERNEL.findall(module)):
        counts[_told(kernel.decode())] += 1
    return tuple(Placement(op, "cpu", precision, count) for (op, precision), count in sorted(counts.items()))


def _told(kernel: str) -> tuple[str, str]:
    """Operator and precision in the name of a kernel."""
    found = NAME.fullmatch(kernel)
    types = sorted(TYPE.findall(kernel), key=lambda told: told not in NAMES)
    return found[1] if found else kernel, NAMES.get(types[0], types[0]) if types else "none"


def _executed(placements: Sequence[Placement]) -> str:
    arithmetic = Counter[str]()
    for placement in placements:
        if any(kind in placement.op for kind in ARITHMETIC):
            arithmetic[placement.precision] += placement.count
    common = arithmetic.most_common(1)
    return common[0][0] if common else "fp32"
