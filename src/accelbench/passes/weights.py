"""A model's weights, as far as its file can be read: which they are, what they hold, and how they are pruned.

A *weight* here is a constant that a product or a convolution sums over: what pruning and narrow formats are about.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnx.version_converter
from numpy.typing import NDArray
from onnx import numpy_helper

from accelbench.errors import Unsupported
from accelbench.model import Contents
from accelbench.passes.names import Pass
from accelbench.tensors import Array

SUMMED = {
    "Conv": (1, 1),
    "ConvTranspose": (1, 0),
    "MatMul": (1, 0),
    "Gemm": (1, 0),
    "LSTM": (1, 2),
    "GRU": (1, 2),
    "RNN": (1, 2),
}
"""For each operator the place of its weight among the inputs, and the weight's axis that it sums over (a MatMul's is
the last but one, a Gemm's depends on transB)."""

THROUGH = ("DequantizeLinear", "Cast", "Transpose", "Identity")
"""Operators between a stored weight and the product that reads it."""

HIDDEN = {
    "MatMulInteger": 1,
    "ConvInteger": 1,
    "QLinearMatMul": 3,
    "QLinearConv": 3,
    "MatMulNBits": 1,
    "FusedConv": 1,
    "FusedMatMul": 1,
    "FusedGemm": 1,
    "NhwcFusedConv": 1,
    "DynamicQuantizeMatMul": 1,
    "QGemm": 3,
    "DynamicQuantizeLSTM": 1,
}
"""Operators of quantised and optimised graphs that read a weight, with its place."""

BLOCK = 32
"""Weights of int4 that share a scale."""

INT4_OPSET = 21
"""The first whose DequantizeLinear takes int4 and blocks."""


def weights(graph: onnx.GraphProto) -> dict[str, int]:
    """The names of the initializers that are weights, each with the axis that is summed over (of a MatMul: -2)."""
    stored = {tensor.name for tensor in graph.initializer}
    producers = {output: node for node in graph.node for output in node.output}
    found: dict[str, int] = {}
    for node in graph.node:
        place, axis = _reads(node)
        if place is None or place >= len(node.input):
            continue
        name = node.input[place]
        while name not in stored and name in producers and producers[name].op_type in THROUGH:
            name = producers[name].input[0]
        if name in stored:
            found.setdefault(name, axis)
    return found


def _reads(node: onnx.NodeProto) -> tuple[int | None, int]:
    if node.op_type in HIDDEN:
        return HIDDEN[node.op_type], 0
    if node.op_type not in SUMMED:
        return None, 0
    place, axis = SUMMED[node.op_type]
    if node.op_type == "MatMul":
        return place, -2
    transposed = any(attribute.name == "transB" and attribute.i for attribute in node.attribute)
    return place, int(transposed) if node.op_type == "Gemm" else axis


def contents(path: Path) -> Contents | None:
    """What the weights in the ONNX file at ``path`` hold; None where it has none that can be told."""
    model = onnx.load(str(path))
    names = weights(model.graph)
    counts, zeros = Counter[str](), 0
    for tensor in model.graph.initializer:
        if tensor.name in names and len(tensor.dims) > 1:
            value = numpy_helper.to_array(tensor)
            counts[onnx.TensorProto.DataType.Name(tensor.data_type).lower()] += value.size
            zeros += value.size - int(np.count_nonzero(value))
    return Contents(dict(sorted(counts.items())), zeros) if counts else None


def prune(model: onnx.ModelProto, asked: Pass) -> None:
    """Set weights of the model to zero in place, tensor by tensor, the smallest magnitudes first.

    By ``share``: floor(share × n) of each tensor's n values (Han et al. 2015). By ``keep``:``group``: within every
    group of so many neighbours along the axis that is summed over, all but the largest (Mishra et al. 2021); tensors
    whose axis the group does not divide stay as they are.
    """
    names = weights(model.graph)
    for tensor in model.graph.initializer:
        if tensor.name not in names or len(tensor.dims) < 2 or tensor.data_type != onnx.TensorProto.FLOAT:
            continue
        value = numpy_helper.to_array(tensor)
        if asked.share is not None:
            pruned: Array | None = smallest_zeroed(value, asked.share)
        else:
            pruned = grouped_zeroed(value, names[tensor.name], int(asked.keep or 0), int(asked.group or 1))
        if pruned is not None:
            tensor.CopyFrom(numpy_helper.from_array(pruned, tensor.name))


def smallest_zeroed(value: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    """A copy with the floor(share × n) values of the smallest magnitude at zero."""
    flat = value.ravel().copy()
    count = int(np.floor(share * flat.size))
    if count:
        flat[np.argpartition(np.abs(flat), count - 1)[:count]] = 0
    return flat.reshape(value.shape)


def grouped_zeroed(value: NDArray[np.float32], axis: int, keep: int, group: int) -> NDArray[np.float32] | None:
    """A copy that keeps the ``keep`` largest magnitudes of every ``group`` along ``axis``; None where the axis is no
    multiple of the group."""
    moved = np.moveaxis(value, axis, -1)
    if moved.shape[-1] % group:
        return None
    rows = moved.copy(order="C").reshape(-1, group)
    order = np.argsort(np.abs(rows), axis=1, kind="stable")
    np.put_along_axis(rows, order[:, : group - keep], 0, axis=1)
    return np.ascontiguousarray(np.moveaxis(rows.reshape(moved.shape), -1, axis))


def in_bfloat16(model: onnx.ModelProto) -> None:
    """Store the model's float32 weights as bfloat16, rounded to nearest even, each followed by a Cast to float32."""
    graph, names = model.graph, weights(model.graph)
    casts = []
    for tensor in graph.initializer:
        if tensor.name not in names or len(tensor.dims) < 2 or tensor.data_type != onnx.TensorProto.FLOAT:
            continue
        stored = f"{tensor.name}/bfloat16"
        value = numpy_helper.to_array(tensor)
        casts.append(
            onnx.helper.make_node("Cast", [stored], [tensor.name], f"{tensor.name}/float32", to=onnx.TensorProto.FLOAT)
        )
        rounded = onnx.helper.make_tensor(
            stored, onnx.TensorProto.BFLOAT16, value.shape, _bfloat16_bytes(value), raw=True
        )
        tensor.CopyFrom(rounded)
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def in_int4(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with the float32 weights of its matrix products in int4: each run of BLOCK values along the axis that
    is summed over shares a scale, its largest magnitude over 7, and values are rounded to the nearest of -7 … 7 (as
    GPTQ rounds, Frantar et al. 2022, without its error correction). DequantizeLinear gives them back as float32.

    Weights whose axis BLOCK does not divide stay as they are. Raises Unsupported where none can be changed.
    """
    if next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")) < INT4_OPSET:
        model = onnx.version_converter.convert_version(model, INT4_OPSET)
    graph, axes = model.graph, weights(model.graph)
    products = {node.input[1] for node in graph.node if node.op_type in ("MatMul", "Gemm")}
    nodes, tensors = [], []
    for tensor in graph.initializer:
        value = numpy_helper.to_array(tensor) if tensor.name in products else np.empty(0)
        if value.ndim != 2 or value.dtype != np.float32 or value.shape[axes[tensor.name]] % BLOCK:
            tensors.append(tensor)
            continue
        axis = axes[tensor.name] % 2
        blocks = np.moveaxis(value, axis, 0).reshape(-1, BLOCK, value.shape[1 - axis])
        scale = np.abs(blocks).max(axis=1) / np.float32(7)
        whole = np.rint(blocks / np.where(scale, scale, np.float32(1))[:, None])
        stored = np.ascontiguousarray(np.moveaxis(whole.reshape(-1, value.shape[1 - axis]), 0, axis)).astype(np.int8)
        names = f"{tensor.name}/int4", f"{tensor.name}/scale"
        tensors.append(onnx.helper.make_tensor(names[0], onnx.TensorProto.INT4, value.shape, _packed(stored), raw=True))
        tensors.append(numpy_helper.from_array(np.ascontiguousarray(np.moveaxis(scale, 0, axis)), names[1]))
        nodes.append(
            onnx.helper.make_node(
                "DequantizeLinear", names, [tensor.name], f"{tensor.name}/float32", axis=axis, block_size=BLOCK
            )
        )
    if not nodes:
        raise Unsupported(f"pass int4: no matrix product sums over a multiple of {BLOCK} constants")
    nodes += graph.node
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(tensors)
    return model


def _packed(values: NDArray[np.int8]) -> bytes:
    """Two to a byte, the first in the lower half, as ONNX stores int4."""
    flat = values.ravel()
    pairs = np.append(flat, np.int8(0)) if flat.size % 2 else flat
    low, high = pairs[::2].view(np.uint8) & 0xF, pairs[1::2].view(np.uint8) & 0xF
    return (low | (high << 4)).tobytes()


def _bfloat16_bytes(value: NDArray[np.float32]) -> bytes:
    """The upper halves of the float32 values, rounded to nearest even."""
    bits = np.ascontiguousarray(value).view(np.uint32).astype(np.uint64)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
    return rounded.astype("<u2").tobytes()
