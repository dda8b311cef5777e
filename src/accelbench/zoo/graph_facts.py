"""What a graph tells of itself: parameters, and the FLOPs of every node.

A multiply-add counts as two FLOPs, as in He et al. 2016 (whose "FLOPs" are multiply-adds: half of ours). Counted are
convolutions, matrix products and recurrent layers exactly; every other floating-point operator that computes counts one
per element of its output; what only moves data counts nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import onnx

FREE = frozenset((
    "Cast", "CastLike", "Concat", "Constant", "ConstantOfShape", "Expand", "Flatten", "Gather", "GatherElements",
    "GatherND", "Identity", "NonZero", "OneHot", "Pad", "Range", "Reshape", "Shape", "Size", "Slice", "Split",
    "Squeeze", "Tile", "Transpose", "Unsqueeze", "Where", "Dropout", "If", "Loop", "Scan", "DepthToSpace",
    "SpaceToDepth", "ScatterElements", "ScatterND", "Trilu", "EyeLike",
))  # fmt: skip
PRODUCTS = ("Conv", "ConvTranspose", "MatMul", "Gemm")
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}

Shape = tuple[int, ...]
Shapes = Mapping[str, Shape]


@dataclass(frozen=True)
class GraphFacts:
    """``parameters``: elements of all floating-point initializers. ``by_node``: FLOPs of each node by its name (nodes
    without a name are called after their first output). ``unknown``: the nodes whose shapes cannot be inferred."""

    parameters: int
    by_node: Mapping[str, int]
    unknown: tuple[str, ...]

    @property
    def flops(self) -> int:
        """The sum over all nodes of known shape."""
        return sum(self.by_node.values())


def graph_facts(model: onnx.ModelProto, batch: int = 1) -> GraphFacts:
    """Count the model with every symbolic dimension taken as ``batch``."""
    fixed = onnx.ModelProto()
    fixed.CopyFrom(model)
    for value in (*fixed.graph.input, *fixed.graph.output):
        for dim in value.type.tensor_type.shape.dim:
            if not dim.HasField("dim_value"):
                dim.dim_value = batch
    del fixed.graph.value_info[:]
    inferred = onnx.shape_inference.infer_shapes(fixed, data_prop=True).graph
    shapes = {tensor.name: tuple(tensor.dims) for tensor in inferred.initializer}
    for value in (*inferred.input, *inferred.value_info, *inferred.output):
        dims = value.type.tensor_type.shape.dim
        if value.type.tensor_type.HasField("shape") and all(dim.HasField("dim_value") for dim in dims):
            shapes.setdefault(value.name, tuple(dim.dim_value for dim in dims))
    by_node: dict[str, int] = {}
    unknown = []
    for node in inferred.node:
        name = node.name or node.output[0]
        count = _flops(node, shapes)
        by_node[name] = count or 0
        if count is None:
            unknown.append(name)
    parameters = sum(math.prod(tensor.dims) for tensor in inferred.initializer if _is_float(tensor.data_type))
    return GraphFacts(parameters, by_node, tuple(unknown))


def _flops(node: onnx.NodeProto, shapes: Shapes) -> int | None:
    """FLOPs of one node; None where a shape that matters is not known."""
    if node.op_type in FREE:
        return 0
    inputs = [shapes.get(name) for name in node.input if name]
    output = shapes.get(next(name for name in node.output if name))
    if output is None:
        return None
    size = math.prod(output)
    if node.op_type not in PRODUCTS and node.op_type not in GATES:
        return size
    data, weight = inputs[:2]
    if weight is None or (data is None and node.op_type != "Gemm"):
        return None
    bias = len(inputs) > 2 and node.op_type in ("Conv", "ConvTranspose", "Gemm")
    return _products(node, data or (), weight, size) + size * bias


def _products(node: onnx.NodeProto, data: Shape, weight: Shape, size: int) -> int:
    """The multiply-adds, twice, of a node with ``size`` output elements."""
    if node.op_type == "Conv":
        return 2 * size * math.prod(weight[1:])
    if node.op_type == "ConvTranspose":
        return 2 * math.prod(data) * math.prod(weight[1:])
    if node.op_type == "MatMul":
        return 2 * size * data[-1]
    if node.op_type == "Gemm":
        transposed = any(attribute.name == "transB" and attribute.i for attribute in node.attribute)
        return 2 * size * weight[1 if transposed else 0]
    directions, rows, width = weight
    steps, batch = data[:2]
    return 2 * directions * steps * batch * rows * (width + rows // GATES[node.op_type])


def _is_float(kind: int) -> bool:
    return kind in (
        onnx.TensorProto.FLOAT,
        onnx.TensorProto.FLOAT16,
        onnx.TensorProto.DOUBLE,
        onnx.TensorProto.BFLOAT16,
    )
