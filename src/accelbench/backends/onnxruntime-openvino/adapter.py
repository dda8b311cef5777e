"""ONNX Runtime with OpenVINO's execution provider, and its own CPU provider for what OpenVINO does not take.

Facts relied on, from the documentation of both: OpenVINO optimises what it gets, so that ONNX Runtime's own
optimisations are better left off; ``load_config`` holds OpenVINO's properties by device, and ``cache_dir`` keeps its
compiled blobs; the session tells which provider it gave which nodes when ``session.record_ep_graph_assignment_info``
is set; the profile of a run names the kernels of the CPU provider and the types of their inputs. A session silently
starts again without OpenVINO when that fails, unless ``enable_fallback`` is off. Seen by running it: the provider
writes an EP context model for the CPU but does not load it again.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import profiled
from bound import OrtSession
from onnxruntime.capi import _pybind_state

from accelbench.backends.protocol import CompileJob, Feed, Outputs, core_share
from accelbench.errors import Unsupported
from accelbench.model import Compiled, DeviceInfo, OpTime, Placement

MODEL = "model.onnx"
SUBGRAPH = "OpenVINO subgraph"
CACHE = "cache"
OPENVINO, CPU = "OpenVINOExecutionProvider", "CPUExecutionProvider"
HINTS = {"fp32": "f32", "bf16": "bf16"}
PRECISIONS = {"float": "fp32", "float16": "fp16", "bfloat16": "bf16", "double": "fp64", "int8": "int8", "uint8": "int8"}
REFUSALS = ("is not a registered function/op", "Unsupported model IR version", "not supported")
SAME = 1e-5
"""Relative L2 below which outputs under two precision hints come from the same arithmetic."""


class OrtProfiler(OrtSession):
    """A session whose profile is read at the end. Of a subgraph that OpenVINO runs, it has the time as a whole."""

    def __init__(self, session: onnxruntime.InferenceSession, job: CompileJob, executed: str) -> None:
        super().__init__(session, job)
        self._device, self._executed, self._runs = job.target.device, executed, 0
        self._original = _names(job)

    def run(self, feed: Feed) -> Outputs:
        self._runs += 1
        return super().run(feed)

    def begin(self) -> None:
        self._runs = 0

    def end(self) -> Sequence[OpTime]:
        subgraphs = _subgraphs(self._session)
        events = profiled.last_runs(_ended(self._session), self._runs)
        told: dict[tuple[str, str, str, str], list[float]] = {}
        for event, own_us in zip(events, profiled.own_us(events)):
            facts, name = event["args"], str(event["name"])[: -len(profiled.SUFFIX)]
            ours = facts["provider"] == OPENVINO
            how = (self._device, self._executed) if ours else (CPU, _precision(facts["input_type_shape"]))
            told.setdefault((SUBGRAPH if ours else facts["op_name"], name, *how), []).append(own_us)
        return [
            OpTime(*key, sum(times) * 1e3 / self._runs, len(times) / self._runs, self._nodes(key, subgraphs))
            for key, times in told.items()
        ]

    def _nodes(self, key: tuple[str, ...], subgraphs: Sequence[Sequence[str]]) -> tuple[str, ...]:
        if key[0] == SUBGRAPH:
            return tuple(subgraphs[0]) if len(subgraphs) == 1 else ()
        return tuple(self._original.intersection([key[1]]))


def devices() -> Sequence[DeviceInfo]:
    return [
        DeviceInfo(id=device.lower(), name=f"OpenVINO {device}", properties={"provider": OPENVINO})
        for device in _pybind_state.get_available_openvino_device_ids()
    ]


def compile(job: CompileJob) -> Compiled:  # noqa: A001
    known = [device.id for device in devices()]
    if job.target.device not in known:
        raise Unsupported(f"device {job.target.device}: OpenVINO's provider sees {', '.join(known)} here")
    if job.target.precision not in HINTS:
        raise Unsupported(f"precision {job.target.precision}: this adapter asks OpenVINO for {', '.join(HINTS)}")
    files = _copy(job)
    session = _session(job, job.target.precision, profiling=True)
    outputs = session.run(None, _feed(job))
    kernels = profiled.kernels(_ended(session))
    executed = job.target.precision
    if executed != "fp32" and _same(outputs, _session(job, "fp32", cached=False).run(None, _feed(job))):
        executed = "fp32"
    cached = sorted(f"{CACHE}/{path.name}" for path in (job.work / CACHE).glob("*.blob"))
    return Compiled(
        files=(*files, *cached),
        format="onnx, with OpenVINO's blobs",
        executed_precision=executed,
        placements=_placements(session, kernels, job, executed),
        concurrency=int(job.target.options.get("streams", _cores())) if job.purpose == "throughput" else 1,
        settings={
            "providers": f"{OPENVINO}, {CPU}",
            "graph_optimization": "none (left to OpenVINO)",
            "intra_op_threads": str(_options(job).intra_op_num_threads or "one per physical core"),
            **{name.lower(): str(value) for name, value in _config(job, job.target.precision).items()},
        },
    )


def load(compiled: Compiled, job: CompileJob) -> OrtSession:  # noqa: ARG001
    """All is bound: OpenVINO prepares anew for memory that it has not seen."""
    return OrtSession(_session(job, job.target.precision), job)


def profiler(compiled: Compiled, job: CompileJob) -> OrtProfiler:
    return OrtProfiler(_session(job, job.target.precision, profiling=True), job, compiled.executed_precision)


def _copy(job: CompileJob) -> list[str]:
    """The model and the files of its weights, copied into the work folder; their names there."""
    model = onnx.load(str(job.model), load_external_data=False)
    tensors = [tensor for tensor in model.graph.initializer if tensor.data_location == onnx.TensorProto.EXTERNAL]
    beside = {entry.value for tensor in tensors for entry in tensor.external_data if entry.key == "location"}
    shutil.copyfile(job.model, job.work / MODEL)
    for name in beside:
        (job.work / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(job.model.parent / name, job.work / name)
    return [MODEL, *sorted(beside)]


def _session(
    job: CompileJob, precision: str, *, profiling: bool = False, cached: bool = True
) -> onnxruntime.InferenceSession:
    """A session of the copied model; what ONNX Runtime finds no kernel for is Unsupported in its own words."""
    options = _options(job)
    if profiling:
        options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
        options.enable_profiling = True
        options.profile_file_prefix = str(job.work / "profile")
    device = job.target.device.upper()
    provider = {
        "device_type": device,
        "load_config": json.dumps({device: {name: str(value) for name, value in _config(job, precision).items()}}),
    }
    if cached:
        provider["cache_dir"] = str(job.work / CACHE)
    state = onnxruntime.capi.onnxruntime_pybind11_state
    try:
        session = onnxruntime.InferenceSession(
            str(job.work / MODEL), options, providers=[(OPENVINO, provider), CPU], enable_fallback=False
        )
    except (state.NotImplemented, state.InvalidGraph, state.Fail) as error:
        text = " ".join(str(error).split())
        if isinstance(error, state.Fail) and not any(sign in text for sign in REFUSALS):
            raise
        raise Unsupported(text.rpartition(" : ")[2]) from error
    session.disable_fallback()
    return session


def _options(job: CompileJob) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = int(job.target.options.get("threads", core_share() or 0))
    return options


def _config(job: CompileJob, precision: str) -> Mapping[str, object]:
    config: dict[str, object] = {
        "INFERENCE_PRECISION_HINT": HINTS[precision],
        "PERFORMANCE_HINT": "THROUGHPUT" if job.purpose == "throughput" else "LATENCY",
    }
    if core_share() is not None:
        # Its own pinning would choose from all cores.
        config.update({"INFERENCE_NUM_THREADS": core_share(), "ENABLE_CPU_PINNING": "NO"})
    for option, key in (("threads", "INFERENCE_NUM_THREADS"), ("streams", "NUM_STREAMS")):
        if option in job.target.options:
            config[key] = int(job.target.options[option])
    return config


def _cores() -> int:
    return core_share() or (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def _ended(session: onnxruntime.InferenceSession) -> list[profiled.Event]:
    """All events of the session's profile, which is over."""
    path = Path(session.end_profiling())
    events: list[profiled.Event] = json.loads(path.read_text(encoding="utf-8"))
    path.unlink()
    return events


def _subgraphs(session: onnxruntime.InferenceSession) -> list[list[str]]:
    """The nodes' names of each subgraph that OpenVINO has."""
    assigned = [one for one in session.get_provider_graph_assignment_info() if one.ep_name == OPENVINO]
    return [sorted({node.name for node in one.get_nodes() if node.name}) for one in assigned]


def _names(job: CompileJob) -> set[str]:
    return {node.name for node in onnx.load(str(job.work / MODEL), load_external_data=False).graph.node}


def _placements(
    session: onnxruntime.InferenceSession, kernels: Sequence[profiled.Event], job: CompileJob, executed: str
) -> tuple[Placement, ...]:
    """OpenVINO's subgraphs with all nodes in them, and each kernel of the CPU provider, whose device is its name."""
    placements = []
    subgraphs = _subgraphs(session)
    if subgraphs:
        nodes = sorted({name for names in subgraphs for name in names})
        placements.append(Placement(SUBGRAPH, job.target.device, executed, len(subgraphs), tuple(nodes)))
    fallen: dict[tuple[str, str], set[tuple[str, str]]] = {}  # of a loop's body, each kernel once
    for kernel in kernels:
        told, name = kernel["args"], str(kernel["name"])[: -len(profiled.SUFFIX)]
        if told["provider"] == CPU:
            key = (told["op_name"], _precision(told["input_type_shape"]))
            fallen.setdefault(key, set()).add((name, told["node_index"]))
    original = _names(job)
    for (op, precision), found in sorted(fallen.items()):
        names = sorted(original.intersection(name for name, _ in found))
        placements.append(Placement(op, CPU, precision, len(found), tuple(names)))
    return tuple(placements)


def _precision(inputs: Sequence[Mapping[str, Any]]) -> str:
    """The type of the first input that is a number of floating point, else of the first."""
    types = [name for entry in inputs for name in entry]
    floating = [PRECISIONS[name] for name in types if name in PRECISIONS]
    return floating[0] if floating else (types[0] if types else "none")


def _feed(job: CompileJob) -> Feed:
    """The first calibration feed, or small numbers: 0 and 1 among integers, below 1 else."""
    if job.calibration:
        return job.calibration[0]
    random = np.random.default_rng(0)
    return {
        spec.name: random.integers(0, 2, shape).astype(spec.dtype)
        if np.dtype(spec.dtype).kind in "iub"
        else random.random(shape).astype(spec.dtype)
        for spec in job.inputs
        for shape in [[1 if isinstance(dim, str) else dim for dim in spec.shape]]
    }


def _same(ours: Sequence[Any], theirs: Sequence[Any]) -> bool:
    return all(
        np.linalg.norm(np.subtract(one, other, dtype=np.float64)) <= SAME * np.linalg.norm(np.float64(other))
        for one, other in zip(ours, theirs)
        if np.asarray(other).dtype.kind == "f"
    )
