"""OpenVINO on whatever devices it has here.

Facts relied on, from OpenVINO's documentation: the performance hint sets streams and threads for latency or for
throughput; INFERENCE_PRECISION_HINT is a wish, and the runtime model tells in ``runtimePrecision`` of each layer what
became of it; ``originalLayersNames`` are the source's layers that a layer carries out. How queries are run:
``ov_session.py``.
"""

from __future__ import annotations

import io
import os
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import openvino
from ov_session import OvReady, OvSession

from accelbench.backends import tuning
from accelbench.backends.protocol import CompileJob, Feed, Outputs, core_share
from accelbench.errors import Unsupported
from accelbench.model import Compiled, DeviceInfo, OpTime, Placement, Tuning

BLOB = "model.blob"
HINTS = {"fp32": "f32", "bf16": "bf16", "fp16": "f16"}
PRECISIONS = {"f32": "fp32", "f16": "fp16", "i8": "int8", "u8": "int8", "f64": "fp64"}
ARITHMETIC = ("Convolution", "FullyConnected", "MatMul", "Deconvolution", "RNN", "MHA", "ScaledDotProductAttention")
BOOKKEEPING = ("Input", "Output", "Const")
SETTINGS = (
    "PERFORMANCE_HINT",
    "INFERENCE_PRECISION_HINT",
    "EXECUTION_MODE_HINT",
    "NUM_STREAMS",
    "INFERENCE_NUM_THREADS",
    "OPTIMAL_NUMBER_OF_INFER_REQUESTS",
    "ENABLE_CPU_PINNING",
    "ENABLE_HYPER_THREADING",
    "SCHEDULING_CORE_TYPE",
)
REFUSALS = (
    "not supported",
    "unsupported",
    "not implemented",
    "conversion failed",
    "no conversion rule",
    "fully converted",
    "doesn't support",
)
NAMED = re.compile(r"(?:following ONNX operations:\s*|Conversion failed for\s+|operation\s+)([\w.:,\s-]+)")


class OvProfiler(OvSession):
    """A session of a model with counters, which hold for each layer the mean over all its runs, in whole microseconds:
    the sum of a layer's times since ``begin`` is the difference of two products."""

    def __init__(
        self, model: openvino.CompiledModel, inputs: Sequence[str], outputs: Sequence[str], device: str
    ) -> None:
        super().__init__(model, inputs, outputs, 0)
        self._model = model
        self._device = device
        self._counters = self._made().infer_request
        self._runs = self._before = 0
        self._sums: Mapping[str, float] = {}

    def run(self, feed: Feed) -> Outputs:
        self._runs += 1
        outputs: Outputs = super().run(feed)
        return outputs

    def begin(self) -> None:
        self._before, self._sums = self._runs, self._summed()

    def end(self) -> Sequence[OpTime]:
        runs, sums = self._runs - self._before, self._summed()
        layers = {layer.get_friendly_name(): layer.get_rt_info() for layer in self._model.get_runtime_model().get_ops()}
        found = []
        for name in sums:
            told = layers[name]
            # Rounding may have a layer seem to have taken less than nothing.
            ns = max(0.0, sums[name] - self._sums.get(name, 0.0)) / runs
            kind, precision = str(_value(told["layerType"])), _named(told["runtimePrecision"])
            nodes = sorted(set(str(_value(told["originalLayersNames"])).split(",")) - {""})
            found.append(OpTime(kind, name, self._device, precision, ns, 1.0, tuple(nodes)))
        return found

    def close(self) -> None:
        super().close()
        del self._counters, self._model

    def _summed(self) -> Mapping[str, float]:
        """The nanoseconds of all runs, layer by layer."""
        return {
            told.node_name: told.real_time.total_seconds() * 1e9 * self._runs
            for told in self._counters.get_profiling_info()
            if told.status == openvino.ProfilingInfo.Status.EXECUTED and told.node_type not in BOOKKEEPING
        }


def devices() -> Sequence[DeviceInfo]:
    core = openvino.Core()
    return [
        DeviceInfo(
            id=device.lower(),
            name=str(core.get_property(device, "FULL_DEVICE_NAME")),
            properties={"capabilities": " ".join(core.get_property(device, "OPTIMIZATION_CAPABILITIES"))},
        )
        for device in core.available_devices
    ]


def compile(job: CompileJob) -> Compiled:  # noqa: A001
    core = openvino.Core()
    device = _device(core, job)
    try:
        model = core.read_model(str(job.model))
        for port in model.inputs:
            if port.get_partial_shape().is_dynamic:
                raise Unsupported(f"input {port.get_any_name()} has the dynamic shape {port.get_partial_shape()}")
        compiled = core.compile_model(model, device, _config(job))
    except RuntimeError as error:
        raise _refused(error) from error
    (job.work / BLOB).write_bytes(compiled.export_model().getbuffer())
    placements = _placements(compiled, job.target.device)
    arithmetic = Counter[str]()
    for placement in placements:
        if any(kind in placement.op for kind in ARITHMETIC):
            arithmetic[placement.precision] += placement.count
    common = arithmetic.most_common(1)
    return Compiled(
        files=(BLOB,),
        format="openvino blob",
        executed_precision=common[0][0] if common else _named(compiled.get_property("INFERENCE_PRECISION_HINT")),
        placements=placements,
        concurrency=int(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")),
        settings=_settings(compiled),
    )


def tune(job: CompileJob, limit_s: float) -> Tuning:
    started, core, several = time.perf_counter(), openvino.Core(), job.purpose == "throughput"
    device, feed = _device(core, job), _feed(job)
    if device != "CPU":
        return Tuning(f"performance hints alone: this adapter has nothing to try on {device}", 0)
    model = core.read_model(str(job.model))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    powers = [str(2**power) for power in range(cores.bit_length()) if 2**power <= cores]
    tried = {
        "hint": ["latency" if several else "throughput"],
        "streams": powers,
        "threads": powers,
        "pinning": ["true", "false"],
    }
    return tuning.tuned(
        "accelbench's search over OpenVINO's hints, streams and threads",
        lambda settings: OvReady(
            core.compile_model(model, device, _config(tuning.with_options(job, settings))), job, feed, several
        ),
        [(name, values) for name, values in tried.items() if name not in job.target.options],
        limit_s - (time.perf_counter() - started),
    )


def load(compiled: Compiled, job: CompileJob) -> OvSession:
    core = openvino.Core()
    blob = io.BytesIO((job.work / compiled.files[0]).read_bytes())
    model = core.import_model(blob, _device(core, job), _config(job))
    inputs, outputs = [spec.name for spec in job.inputs], [spec.name for spec in job.outputs]
    return OvSession(model, inputs, outputs, compiled.concurrency)


def profiler(compiled: Compiled, job: CompileJob) -> OvProfiler:
    core = openvino.Core()
    blob = io.BytesIO((job.work / compiled.files[0]).read_bytes())
    model = core.import_model(blob, _device(core, job), {**_config(job), "PERF_COUNT": True})
    inputs, outputs = [spec.name for spec in job.inputs], [spec.name for spec in job.outputs]
    return OvProfiler(model, inputs, outputs, job.target.device)


def _device(core: openvino.Core, job: CompileJob) -> str:
    device = job.target.device.upper()
    if device not in core.available_devices:
        raise Unsupported(f"device {job.target.device}: OpenVINO sees {', '.join(core.available_devices).lower()} here")
    return device


def _config(job: CompileJob) -> Mapping[str, Any]:
    hint = HINTS.get(job.target.precision)
    if hint is None:
        raise Unsupported(f"precision {job.target.precision}: this adapter asks OpenVINO for {', '.join(HINTS)}")
    config: dict[str, Any] = {
        "INFERENCE_PRECISION_HINT": hint,
        "PERFORMANCE_HINT": "THROUGHPUT" if job.purpose == "throughput" else "LATENCY",
    }
    cores = core_share()
    if cores is not None:
        # Its own pinning would choose from all cores.
        config.update({"INFERENCE_NUM_THREADS": cores, "ENABLE_CPU_PINNING": False})
    options = job.target.options
    if "hint" in options:
        config["PERFORMANCE_HINT"] = options["hint"].upper()
    for option, key in (("threads", "INFERENCE_NUM_THREADS"), ("streams", "NUM_STREAMS")):
        if option in options:
            config[key] = int(options[option])
    if "pinning" in options:
        config["ENABLE_CPU_PINNING"] = options["pinning"] == "true"
    return config


def _feed(job: CompileJob) -> Feed:
    """One that can be lent to OpenVINO: writable, as the harness's own are."""
    if job.calibration:
        return {name: np.array(value) for name, value in job.calibration[0].items()}
    return {spec.name: np.zeros([int(dim) for dim in spec.shape], spec.dtype) for spec in job.inputs}


def _placements(compiled: openvino.CompiledModel, device: str) -> tuple[Placement, ...]:
    """The layers that run, grouped by type and precision."""
    layers: dict[tuple[str, str], set[str]] = {}
    counts = Counter[tuple[str, str]]()
    for layer in compiled.get_runtime_model().get_ops():
        told = layer.get_rt_info()
        kind = str(_value(told["layerType"]))
        if kind in BOOKKEEPING:
            continue
        key = (kind, _named(told["runtimePrecision"]))
        counts[key] += 1
        layers.setdefault(key, set()).update(str(_value(told["originalLayersNames"])).split(","))
    return tuple(
        Placement(op, device, precision, counts[op, precision], tuple(sorted(names - {""})))
        for (op, precision), names in sorted(layers.items())
    )


def _value(told: Any) -> Any:
    return told.value if hasattr(told, "value") else told


def _named(told: Any) -> str:
    """accelbench's name of an element type as OpenVINO tells it, in one of its several ways."""
    value = _value(told)
    text = value.get_type_name() if isinstance(value, openvino.Type) else str(value)
    return PRECISIONS.get(text, text)


def _settings(compiled: openvino.CompiledModel) -> Mapping[str, str]:
    known = compiled.get_property("SUPPORTED_PROPERTIES")
    settings = {}
    for name in SETTINGS:
        if name in known:
            value = compiled.get_property(name)
            settings[name.lower()] = value.get_type_name() if isinstance(value, openvino.Type) else str(value)
    return settings


def _refused(error: RuntimeError) -> Exception:
    """Unsupported with the operators' names when OpenVINO refuses the model, else the error as it is."""
    text = " ".join(str(error).split())
    if not any(sign in text.lower() for sign in REFUSALS):
        return error
    named = NAMED.search(str(error))
    return Unsupported(f"operator {' '.join(named[1].split())}: {text[-300:]}" if named else text[-500:])
