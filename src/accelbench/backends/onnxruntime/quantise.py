"""Quantisation to int8 by ONNX Runtime's own tool.

Facts relied on, from its documentation: it wants a pre-processed model; dynamic suits transformers, static suits
convolutional networks; U8S8 saturates on x86 without VNNI instructions, where weights are kept to 7 bits
(``reduce_range``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantType,
    quantize_dynamic,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from accelbench.backends.protocol import Feed

LARGE_BYTES = 1 << 30


def dynamic(model: Path, work: Path) -> Path:
    """The ONNX file ``model`` with weights in int8 and activations quantised as they come, in the folder ``work``."""
    prepared, quantised = _prepared(model, work), work / "quantised.onnx"
    graph = onnx.load(str(prepared), load_external_data=False).graph
    convolves = any(node.op_type == "Conv" for node in graph.node)
    quantize_dynamic(
        prepared,
        quantised,
        # ConvInteger has a kernel for unsigned weights only.
        weight_type=QuantType.QUInt8 if convolves else QuantType.QInt8,
        reduce_range=not _has_vnni(),
        use_external_data_format=_large(model),
    )
    return quantised


def static(model: Path, work: Path, feeds: Sequence[Feed], method: str) -> Path:
    """The ONNX file ``model`` with weights and activations in int8, in the folder ``work``; ranges of activations are
    taken from the ``feeds`` by ``method``: minmax, entropy or percentile."""
    methods = {
        "minmax": CalibrationMethod.MinMax,
        "entropy": CalibrationMethod.Entropy,
        "percentile": CalibrationMethod.Percentile,
    }
    quantised = work / "quantised.onnx"
    quantize_static(
        _prepared(model, work),
        quantised,
        _Reader(feeds),
        per_channel=True,
        reduce_range=not _has_vnni(),
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        calibrate_method=methods[method],
        use_external_data_format=_large(model),
    )
    return quantised


class _Reader(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, feeds: Sequence[Feed]) -> None:
        self._feeds: Iterator[Feed] = iter(feeds)

    def get_next(self) -> dict[str, Any] | None:
        feed = next(self._feeds, None)
        return None if feed is None else dict(feed)


def _prepared(model: Path, work: Path) -> Path:
    prepared = work / "prepared.onnx"
    large = _large(model)
    if not large:
        # The tool's optimisation loses sight of weights that lie outside of the model's file.
        whole = work / "whole.onnx"
        onnx.save(onnx.load(str(model)), str(whole))
        model = whole
    quant_pre_process(model, prepared, skip_symbolic_shape=True, skip_optimization=large, save_as_external_data=large)
    _transpose_weights(prepared, large)
    return prepared


def _transpose_weights(prepared: Path, large: bool) -> None:
    """Give each Gemm of a transposed weight that weight transposed, under a name of its own. The quantisation tool
    would transpose it in place, under the eyes of an embedding that shares it, and of the shapes that are known."""
    model = onnx.load(str(prepared))
    graph = model.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        flags = [attribute for attribute in node.attribute if attribute.name == "transB" and attribute.i]
        if node.op_type != "Gemm" or not flags or node.input[1] not in constants:
            continue
        own = f"{node.input[1]}/transposed"
        if own not in constants:
            values = onnx.numpy_helper.to_array(constants[node.input[1]])
            constants[own] = onnx.numpy_helper.from_array(np.ascontiguousarray(values.T), own)
        node.input[1] = own
        node.attribute.remove(flags[0])
    read = {name for node in graph.node for name in node.input}
    del graph.initializer[:]
    graph.initializer.extend(tensor for name, tensor in constants.items() if name in read)
    onnx.save(model, str(prepared), save_as_external_data=large, location=f"{prepared.name}.data")


def _large(model: Path) -> bool:
    return sum(path.stat().st_size for path in model.parent.iterdir() if path.is_file()) > LARGE_BYTES


def _has_vnni() -> bool:
    try:
        return "vnni" in Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False
