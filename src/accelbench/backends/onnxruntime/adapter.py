"""ONNX Runtime on the CPU: float32, and int8 by its own quantisation tool.

Facts relied on, from ONNX Runtime's documentation: a session writes its optimised graph where
``optimized_model_filepath`` says, with initializers outside of it when the session configuration names a file; such a
graph is loaded with optimisations off. The profile of a run names each kernel, its provider and the types of its
inputs.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import profiled
import quantise
from bound import OrtSession

from accelbench.backends import tuning
from accelbench.backends.protocol import CompileJob, Feed, Outputs, core_share
from accelbench.errors import Unsupported
from accelbench.model import Compiled, DeviceInfo, OpTime, Placement, Tuning

MODEL = "model.onnx"
WEIGHTS = "model.data"
QUANTISED = "quantised.onnx"
PROVIDER = "CPUExecutionProvider"
BOUND_BYTES = 1 << 16
"""Tensors up to this size are copied into memory that is bound, which saves 2 µs a query; larger ones are taken as they
lie."""

EXTERNAL_BYTES = 1024
"""Initializers from this size on lie in WEIGHTS, so that a model may be larger than protobuf's 2 GB."""

PRECISIONS = {"float": "fp32", "float16": "fp16", "bfloat16": "bf16", "double": "fp64", "int8": "int8", "uint8": "int8"}
REFUSALS = (
    "is not a registered function/op",
    "Unsupported model IR version",
    "Current official support",
    "not supported",
)
ARITHMETIC = ("Conv", "MatMul", "Gemm", "Attention", "LSTM", "GRU", "Einsum")


LEVELS = {
    "disable": onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL,
    "basic": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    "extended": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    "layout": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_LAYOUT,
    "all": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL,
}
MODES = {
    "sequential": onnxruntime.ExecutionMode.ORT_SEQUENTIAL,
    "parallel": onnxruntime.ExecutionMode.ORT_PARALLEL,
}


class OrtReady(OrtSession):
    """What the tuner compares: a session that runs one feed of ``batch`` samples again and again."""

    def __init__(self, session: onnxruntime.InferenceSession, job: CompileJob, feed: Feed) -> None:
        super().__init__(session, job, BOUND_BYTES)
        self._feed, self._batch = feed, job.batch

    def turn(self) -> int:
        self.run(self._feed)
        return self._batch


class OrtProfiler(OrtSession):
    """A session whose profile is read at the end: warm-up runs are in it too, before the others."""

    def __init__(
        self, session: onnxruntime.InferenceSession, job: CompileJob, covered: Mapping[str, Sequence[str]]
    ) -> None:
        super().__init__(session, job, BOUND_BYTES)
        self._covered = covered
        self._runs = 0

    def run(self, feed: Feed) -> Outputs:
        self._runs += 1
        return super().run(feed)

    def begin(self) -> None:
        self._runs = 0

    def end(self) -> Sequence[OpTime]:
        events = profiled.last_runs(_ended(self._session), self._runs)
        told: dict[tuple[str, str, str, str], list[float]] = {}
        for event, own_us in zip(events, profiled.own_us(events)):
            facts, name = event["args"], str(event["name"])[: -len(profiled.SUFFIX)]
            key = (facts["op_name"], name, _device(facts["provider"]), _precision(facts["input_type_shape"]))
            told.setdefault(key, []).append(own_us)
        return [
            OpTime(*key, sum(times) * 1e3 / self._runs, len(times) / self._runs, tuple(self._covered.get(key[1], ())))
            for key, times in told.items()
        ]


def devices() -> Sequence[DeviceInfo]:
    return [DeviceInfo(id="cpu", name="CPU", properties={"provider": PROVIDER})]


def compile(job: CompileJob) -> Compiled:  # noqa: A001
    if job.target.device != "cpu":
        raise Unsupported(f"device {job.target.device}: this build of ONNX Runtime runs on cpu only")
    source = _prepared(job)
    options = _options(job)
    options.optimized_model_filepath = str(job.work / MODEL)
    options.add_session_config_entry("session.optimized_model_external_initializers_file_name", WEIGHTS)
    options.add_session_config_entry(
        "session.optimized_model_external_initializers_min_size_in_bytes", str(EXTERNAL_BYTES)
    )
    _session(source, options)
    placements = _placements(job, source)
    arithmetic = Counter[str]()
    for placement in placements:
        if any(kind in placement.op for kind in ARITHMETIC):
            arithmetic[placement.precision] += placement.count
    common = arithmetic.most_common(1)
    return Compiled(
        files=tuple(name for name in (MODEL, WEIGHTS) if (job.work / name).is_file()),
        format="onnx (optimised by ONNX Runtime)",
        executed_precision=common[0][0] if common else "fp32",
        placements=placements,
        settings=_settings(options, job),
    )


def tune(job: CompileJob, limit_s: float) -> Tuning:
    started = time.perf_counter()
    source = _prepared(job)
    feed = job.calibration[0] if job.calibration else _zeros(job)
    tried = {
        "threads": [str(2**power) for power in range(_processors().bit_length()) if 2**power <= _processors()],
        "spinning": ["false"],
        "execution_mode": ["parallel"],
        "graph_optimization": ["layout", "extended"],
    }
    return tuning.tuned(
        "accelbench's search over ONNX Runtime's session options",
        lambda settings: OrtReady(_session(source, _options(tuning.with_options(job, settings))), job, feed),
        [(name, values) for name, values in tried.items() if name not in job.target.options],
        limit_s - (time.perf_counter() - started),
    )


def load(compiled: Compiled, job: CompileJob) -> OrtSession:
    options = _options(job)
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return OrtSession(_session(job.work / compiled.files[0], options), job, BOUND_BYTES)


def profiler(compiled: Compiled, job: CompileJob) -> OrtProfiler:
    source = job.model if job.target.precision == "fp32" else job.work / QUANTISED
    covered, original = _covered(job.work / compiled.files[0], source), _names(job)
    return OrtProfiler(
        _profiling(job), job, {name: [node for node in nodes if node in original] for name, nodes in covered.items()}
    )


def _options(job: CompileJob) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    asked = job.target.options
    options.execution_mode = MODES[asked.get("execution_mode", "sequential")]
    options.graph_optimization_level = LEVELS[asked.get("graph_optimization", "all")]
    options.intra_op_num_threads = int(asked.get("threads", core_share() or 0))
    if "spinning" in asked:
        options.add_session_config_entry("session.intra_op.allow_spinning", str(int(asked["spinning"] == "true")))
    return options


def _settings(options: onnxruntime.SessionOptions, job: CompileJob) -> Mapping[str, str]:
    settings = {
        "provider": PROVIDER,
        "execution_mode": job.target.options.get("execution_mode", "sequential"),
        "graph_optimization": job.target.options.get("graph_optimization", "all"),
        "spinning": job.target.options.get("spinning", "true"),
        "intra_op_threads": str(options.intra_op_num_threads or "one per physical core"),
        "cpu_mem_arena": str(options.enable_cpu_mem_arena).lower(),
        "mem_pattern": str(options.enable_mem_pattern).lower(),
    }
    if job.target.precision == "int8-static":
        settings["calibration"] = job.target.options.get("calibration", "minmax")
        settings["calibration_feeds"] = str(len(job.calibration))
    return settings


def _session(path: Path, options: onnxruntime.SessionOptions) -> onnxruntime.InferenceSession:
    """A session; a model that ONNX Runtime has no kernel for, or finds invalid, is Unsupported in its own words."""
    state = onnxruntime.capi.onnxruntime_pybind11_state
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=[PROVIDER])
    except (state.NotImplemented, state.InvalidGraph, state.Fail) as error:
        text = " ".join(str(error).split())
        if isinstance(error, state.Fail) and not any(sign in text for sign in REFUSALS):
            raise
        raise Unsupported(text.rpartition(" : ")[2]) from error


def _prepared(job: CompileJob) -> Path:
    """The model in the precision that is asked for."""
    prepare = {"fp32": _as_it_is, "int8": _dynamic, "int8-static": _static}.get(job.target.precision)
    if prepare is None:
        raise Unsupported(f"precision {job.target.precision}: ONNX Runtime's CPU provider has fp32, int8, int8-static")
    return prepare(job)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _as_it_is(job: CompileJob) -> Path:
    return job.model


def _dynamic(job: CompileJob) -> Path:
    made: Path = quantise.dynamic(job.model, job.work)
    return made


def _static(job: CompileJob) -> Path:
    if not job.calibration:
        raise Unsupported("precision int8-static needs calibration feeds, and there are none")
    method = job.target.options.get("calibration", "minmax")
    made: Path = quantise.static(job.model, job.work, job.calibration, method)
    return made


def _placements(job: CompileJob, source: Path) -> tuple[Placement, ...]:
    """The kernels of one profiled run of the optimised model."""
    session = _profiling(job)
    session.run(None, job.calibration[0] if job.calibration else _zeros(job))
    covered, original = _covered(job.work / MODEL, source), _names(job)
    kernels: dict[tuple[str, str, str], list[str]] = {}
    for event in profiled.kernels(_ended(session)):
        name, told = str(event["name"]), event["args"]
        key = (told["op_name"], _device(told["provider"]), _precision(told["input_type_shape"]))
        kernels.setdefault(key, []).append(name[: -len(profiled.SUFFIX)])
    return tuple(
        Placement(
            op=op,
            device=device,
            precision=precision,
            count=len(names),
            nodes=tuple(sorted(original.intersection(node for name in names for node in covered.get(name, ())))),
        )
        for (op, device, precision), names in sorted(kernels.items())
    )


def _profiling(job: CompileJob) -> onnxruntime.InferenceSession:
    """A session of the optimised model that writes a profile."""
    options = _options(job)
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.enable_profiling = True
    options.profile_file_prefix = str(job.work / "profile")
    return _session(job.work / MODEL, options)


def _ended(session: onnxruntime.InferenceSession) -> list[profiled.Event]:
    """All events of the session's profile, which is over."""
    file = Path(session.end_profiling())
    events: list[profiled.Event] = json.loads(file.read_text(encoding="utf-8"))
    file.unlink()
    return events


def _names(job: CompileJob) -> set[str]:
    return {node.name for node in onnx.load(str(job.model), load_external_data=False).graph.node}


def _precision(inputs: Sequence[Mapping[str, Any]]) -> str:
    """int8 when any input is quantised, else the type of the first input that is a number of floating point."""
    types = [name for entry in inputs for name in entry]
    if "int8" in types or "uint8" in types:
        return "int8"
    floating = [PRECISIONS[name] for name in types if name in PRECISIONS]
    return floating[0] if floating else (types[0] if types else "none")


def _device(provider: str) -> str:
    return "cpu" if provider == PROVIDER else provider


def _zeros(job: CompileJob) -> Feed:
    """A feed with 1 for each dimension that the model leaves open."""
    return {
        spec.name: np.zeros([1 if isinstance(dim, str) else dim for dim in spec.shape], spec.dtype)
        for spec in job.inputs
    }


def _covered(optimised: Path, source: Path) -> Mapping[str, tuple[str, ...]]:
    """Which nodes of ``source`` each node of ``optimised`` carries out: those on the way back from its output to the
    next tensors that the optimised graph still has. Fused nodes of the NCHWc layout bear the name of the tensor that
    they replace."""
    graph = onnx.load(str(source), load_external_data=False).graph
    kept = onnx.load(str(optimised), load_external_data=False).graph
    producers = {output: node for node in graph.node for output in node.output}
    ends = {node.name: [*node.output, node.name.replace("_nchwc", "")] for node in kept.node}
    border = {name for names in ends.values() for name in names}
    found: dict[str, tuple[str, ...]] = {}
    for name, tensors in ends.items():
        names: set[str] = set()
        todo = [tensor for tensor in tensors if tensor in producers]
        while todo:
            node = producers[todo.pop()]
            if node.name and node.name not in names:
                names.add(node.name)
                todo += [tensor for tensor in node.input if tensor in producers and tensor not in border]
        found[name] = tuple(sorted(names))
    return found
