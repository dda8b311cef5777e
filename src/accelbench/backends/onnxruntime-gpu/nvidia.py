"""ONNX Runtime on NVIDIA GPUs: its CUDA provider, or TensorRT's with CUDA for what that does not take.

Facts relied on, from ONNX Runtime's documentation: the CUDA provider computes in the types of the graph, which
``onnxruntime.transformers.float16`` rewrites to float16; TensorRT chooses kernels of float16, bfloat16 or int8 where
``trt_fp16_enable``, ``trt_bf16_enable`` or ``trt_int8_enable`` allow it, and keeps its engines where
``trt_engine_cache_path`` says; for int8 it reads a graph of QuantizeLinear and DequantizeLinear pairs with symmetric
ranges, which ONNX Runtime must not optimise before. ``preload_dlls`` finds CUDA and cuDNN that came as Python packages.
Devices are counted by CUDA's driver interface, in the order in which ``device_id`` counts them.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import onnx
import onnxruntime
import ort_session
from ort_session import BoundSession, Providers

from accelbench.backends.protocol import CompileJob, Feed
from accelbench.errors import Unsupported
from accelbench.model import Compiled, DeviceInfo

CUDA, TENSORRT = "CUDAExecutionProvider", "TensorrtExecutionProvider"
DEVICE = "gpu"
ENGINES = "engines"
ALLOWED = {"fp16": "trt_fp16_enable", "bf16": "trt_bf16_enable", "int8-static": "trt_int8_enable"}
PRECISIONS = {"cuda": ("fp32", "fp16"), "tensorrt": ("fp32", *ALLOWED)}
EXECUTED = {"int8-static": "int8"}

MAJOR, MINOR = 75, 76
"""CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR of cuda.h."""


def devices() -> Sequence[DeviceInfo]:
    """The GPUs that CUDA's driver sees, if this build of ONNX Runtime has a provider for them."""
    if not _has_provider():
        return []
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return []
    count = ctypes.c_int()
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)):
        return []
    return [_device(driver, index) for index in range(count.value)]


def compile(job: CompileJob) -> Compiled:  # noqa: A001
    provider, asked = job.target.options["provider"], job.target.precision
    if asked not in PRECISIONS[provider]:
        other = [name for name, known in PRECISIONS.items() if asked in known]
        hint = f"; --option onnxruntime-gpu.provider={other[0]} has it" if other else ""
        raise Unsupported(f"precision {asked}: provider {provider} has {', '.join(PRECISIONS[provider])}{hint}")
    original = onnx.load(str(job.model))
    files = ort_session.write(_prepared(job, original), job.work)
    (job.work / ENGINES).mkdir(exist_ok=True)
    session = _session(job, profiled=True)
    opaque = {TENSORRT: EXECUTED.get(asked, asked)}
    found = ort_session.placements(session, job, original, opaque)
    engines = sorted(f"{ENGINES}/{path.name}" for path in (job.work / ENGINES).iterdir())
    return Compiled(
        files=(*files, *engines),
        format="onnx, with TensorRT's engines" if provider == "tensorrt" else "onnx",
        executed_precision=ort_session.executed(found, job),
        placements=found,
        settings=_settings(job, session),
    )


def load(compiled: Compiled, job: CompileJob) -> BoundSession:  # noqa: ARG001
    return BoundSession(_session(job))


def _session(job: CompileJob, *, profiled: bool = False) -> onnxruntime.InferenceSession:
    if hasattr(onnxruntime, "preload_dlls"):
        onnxruntime.preload_dlls()
    return ort_session.opened(
        job.work / ort_session.MODEL,
        _providers(job),
        profiled=profiled,
        optimised=job.target.precision != "int8-static",
    )


def _providers(job: CompileJob) -> Providers:
    index = job.target.device.removeprefix(DEVICE)
    cuda = {"device_id": index, "use_tf32": "0"}
    if "conv_search" in job.target.options:
        cuda["cudnn_conv_algo_search"] = job.target.options["conv_search"].upper()
    if job.target.options["provider"] == "cuda":
        return [(CUDA, cuda)]
    tensorrt = {
        "device_id": index,
        "trt_engine_cache_enable": "1",
        "trt_engine_cache_path": str(job.work / ENGINES),
        "trt_timing_cache_enable": "1",
        "trt_timing_cache_path": str(job.work / ENGINES),
    }
    if job.target.precision in ALLOWED:
        tensorrt[ALLOWED[job.target.precision]] = "1"
    if "effort" in job.target.options:
        tensorrt["trt_builder_optimization_level"] = job.target.options["effort"]
    return [(TENSORRT, tensorrt), (CUDA, cuda)]


def _prepared(job: CompileJob, model: onnx.ModelProto) -> onnx.ModelProto:
    """The model in the types that the provider is to compute in; ``model`` itself stays as it is."""
    if job.target.precision == "int8-static":
        return _quantised(job)
    if job.target.precision == "fp16" and job.target.options["provider"] == "cuda":
        from onnxruntime.transformers.float16 import convert_float_to_float16

        own = onnx.ModelProto()
        own.CopyFrom(model)
        found: onnx.ModelProto = convert_float_to_float16(
            own, keep_io_types=True, disable_shape_infer=ort_session.is_large(model)
        )
        return found
    return model


def _quantised(job: CompileJob) -> onnx.ModelProto:
    """Pairs of QuantizeLinear and DequantizeLinear as TensorRT reads them: int8, symmetric, weights per channel."""
    from onnxruntime.quantization import (
        CalibrationDataReader,
        CalibrationMethod,
        QuantFormat,
        QuantType,
        quantize_static,
    )
    from onnxruntime.quantization.shape_inference import quant_pre_process

    if not job.calibration:
        raise Unsupported("precision int8-static needs calibration feeds, and there are none")

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self, feeds: Sequence[Feed]) -> None:
            self._feeds: Iterator[Feed] = iter(feeds)

        def get_next(self) -> dict[str, Any] | None:
            feed = next(self._feeds, None)
            return None if feed is None else dict(feed)

    model = onnx.load(str(job.model))
    if ort_session.is_large(model):
        raise Unsupported("precision int8-static: ONNX Runtime's tool takes models of one file, below 2 GB")
    methods = {
        "minmax": CalibrationMethod.MinMax,
        "entropy": CalibrationMethod.Entropy,
        "percentile": CalibrationMethod.Percentile,
    }
    with TemporaryDirectory() as scratch:
        whole, prepared, quantised = (str(Path(scratch) / name) for name in ("whole.onnx", "prepared.onnx", "q.onnx"))
        onnx.save(model, whole)
        quant_pre_process(whole, prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            quantised,
            Reader(job.calibration),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=methods[job.target.options["calibration"]],
            extra_options={
                "ActivationSymmetric": True,
                "WeightSymmetric": True,
                "AddQDQPairToWeight": True,
                "DedicatedQDQPair": True,
                "QuantizeBias": False,
            },
        )
        return onnx.load(quantised)


def _settings(job: CompileJob, session: onnxruntime.InferenceSession) -> dict[str, str]:
    options = session.get_provider_options()
    settings = {"providers": ", ".join(session.get_providers()), "tf32": "off"}
    for name, _ in _providers(job):
        told = options.get(name, {})
        settings.update({f"{name}.{key}": value for key, value in told.items() if value and not _is_path(value)})
    if TENSORRT in options:
        settings["executed_precision"] = "as allowed: TensorRT does not tell the precision of its layers"
    return settings


def _has_provider() -> bool:
    """Whether CUDA's provider is in this build, or registered with it as a library of its own, as newer ones may do."""
    registered = onnxruntime.get_ep_devices() if hasattr(onnxruntime, "get_ep_devices") else ()
    return CUDA in onnxruntime.get_available_providers() or CUDA in [found.ep_name for found in registered]


def _is_path(value: str) -> bool:
    return Path(value).is_absolute()


def _device(driver: ctypes.CDLL, index: int) -> DeviceInfo:
    handle, name, memory = ctypes.c_int(), ctypes.create_string_buffer(256), ctypes.c_size_t()
    capability = []
    driver.cuDeviceGet(ctypes.byref(handle), index)
    driver.cuDeviceGetName(name, len(name), handle)
    driver.cuDeviceTotalMem_v2(ctypes.byref(memory), handle)
    for attribute in (MAJOR, MINOR):
        value = ctypes.c_int()
        driver.cuDeviceGetAttribute(ctypes.byref(value), attribute, handle)
        capability.append(str(value.value))
    return DeviceInfo(
        id=f"{DEVICE}{index}",
        name=name.value.decode(errors="replace"),
        properties={"compute_capability": ".".join(capability), "memory_bytes": str(memory.value)},
    )
