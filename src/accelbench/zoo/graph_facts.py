"""What a graph tells of itself: parameters, and the FLOPs of every node.

A multiply-add counts as two FLOPs (the "FLOPs" of He et al. 2016 are multiply-adds: half of ours). Counted exactly are
convolutions, matrix products, and the matrix products of recurrent layers; every other operator with a floating-point
output counts one per element of it; what only moves data, and arithmetic on integers, counts nothing. Of some operators
nothing is said: see ``UNTOLD``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Set
from dataclasses import dataclass

import onnx

FREE = frozenset((
    "Cast", "CastLike", "Concat", "Constant", "ConstantOfShape", "Expand", "Flatten", "Gather", "GatherElements",
    "GatherND", "Identity", "NonZero", "OneHot", "Pad", "Range", "Reshape", "Shape", "Size", "Slice", "Split",
    "Squeeze", "Tile", "Transpose", "Unsqueeze", "Where", "Dropout", "DepthToSpace",
    "SpaceToDepth", "ScatterElements", "ScatterND", "Trilu", "EyeLike",
))  # fmt: skip
UNTOLD = frozenset((
    "If", "Loop", "Scan", "Einsum", "Attention", "DeformConv", "DFT", "STFT", "QLinearConv", "QLinearMatMul",
    "ConvInteger", "MatMulInteger",
))  # fmt: skip
"""Operators whose work the shape of their output does not tell; so are all of other domains than ONNX's own."""

FLOATS = frozenset((
    onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.DOUBLE, onnx.TensorProto.BFLOAT16,
))  # fmt: skip
PRODUCTS = ("Conv", "ConvTranspose", "MatMul", "Gemm")
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}

AXIS = "accelbench/axis"

Shape = tuple[int, ...]
Shapes = Mapping[str, Shape]


@dataclass(frozen=True)
class GraphFacts:
    """``parameters``: elements of all floating-point initializers. ``by_node``: FLOPs of all nodes of a name (nodes
    without one are called after their first output). ``unknown``: the nodes whose FLOPs cannot be told, because of
    their operator or a shape that cannot be inferred; they count nothing."""

    parameters: int
    by_node: Mapping[str, int]
    unknown: tuple[str, ...]

    @property
    def flops(self) -> int:
        """The sum over all nodes that are not ``unknown``."""
        return sum(self.by_node.values())


def graph_facts(model: onnx.ModelProto, batch: int = 1) -> GraphFacts:
    """Count the model with every symbolic dimension of its inputs taken as ``batch``."""
    graph = _inferred(_with_batch(model, batch))
    shapes = _shapes(graph)
    values = (*graph.input, *graph.value_info, *graph.output)
    numbers = {value.name for value in values if value.type.tensor_type.elem_type in FLOATS}
    by_node: dict[str, int] = {}
    unknown = []
    for node in model.graph.node:
        outputs = [output for output in node.output if output]
        name = node.name or (outputs or [node.op_type])[0]
        count = _flops(node, shapes, outputs, numbers)
        by_node[name] = by_node.get(name, 0) + (count or 0)
        if count is None:
            unknown.append(name)
    return GraphFacts(parameters(graph), by_node, tuple(unknown))


def _with_batch(model: onnx.ModelProto, batch: int) -> onnx.ModelProto:
    fixed = onnx.ModelProto()
    fixed.CopyFrom(model)
    symbols = set()
    for value in fixed.graph.input:
        for dim in value.type.tensor_type.shape.dim:
            if not dim.HasField("dim_value"):
                symbols.add(dim.dim_param)
                dim.dim_value = batch
    for value in fixed.graph.output:
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param and dim.dim_param in symbols:
                dim.dim_value = batch
            elif dim.dim_param:  # follows from the inputs
                dim.Clear()
    del fixed.graph.value_info[:]
    return fixed


def _inferred(model: onnx.ModelProto) -> onnx.GraphProto:
    """The graph with every shape that can be inferred, some nodes being replaced by others of the same shapes.

    The inference follows the values of shapes that a graph computes through Unsqueeze, but not through Reshape, which
    some exporters write to make a vector of one size; nor does it look at them for Tile, as it does for
    ConstantOfShape. So it is run again with the former in the latter's places.
    """
    graph = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    shapes = _shapes(graph)
    opset = max((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), default=0)
    kinds = {value.name: value.type.tensor_type.elem_type for value in (*graph.input, *graph.value_info)}
    kinds |= {tensor.name: tensor.data_type for tensor in graph.initializer}
    plainer: list[onnx.NodeProto] = []
    for node in model.graph.node:
        if node.op_type == "Reshape" and [shapes.get(name) for name in node.input] == [(), (1,)] and opset >= 13:
            plainer.append(onnx.helper.make_node("Unsqueeze", [node.input[0], AXIS], node.output, name=node.name))
        elif node.op_type == "Tile" and node.output[0] not in shapes:
            plainer += _filled_instead(node, kinds.get(node.input[0], onnx.TensorProto.FLOAT))
        else:
            plainer.append(node)
    if plainer == list(model.graph.node):
        return graph
    again = onnx.ModelProto()
    again.CopyFrom(model)
    again.graph.initializer.append(onnx.helper.make_tensor(AXIS, onnx.TensorProto.INT64, [1], [0]))
    del again.graph.node[:]
    again.graph.node.extend(plainer)
    return onnx.shape_inference.infer_shapes(again, data_prop=True).graph


def _filled_instead(tile: onnx.NodeProto, kind: int) -> list[onnx.NodeProto]:
    """Nodes whose output has the shape that Tile's has: its input's times the repeats."""
    shape, product = (f"{tile.output[0]}/{what}" for what in ("shape", "product"))
    value = onnx.helper.make_tensor("value", kind, [1], [0])
    return [
        onnx.helper.make_node("Shape", [tile.input[0]], [shape]),
        onnx.helper.make_node("Mul", [shape, tile.input[1]], [product]),
        onnx.helper.make_node("ConstantOfShape", [product], tile.output, name=tile.name, value=value),
    ]


def _shapes(graph: onnx.GraphProto) -> Shapes:
    shapes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    shapes |= {tensor.values.name: tuple(tensor.dims) for tensor in graph.sparse_initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        tensor = value.type.tensor_type
        if tensor.HasField("shape") and all(dim.HasField("dim_value") for dim in tensor.shape.dim):
            shapes.setdefault(value.name, tuple(dim.dim_value for dim in tensor.shape.dim))
    return shapes


def parameters(graph: onnx.GraphProto) -> int:
    """Elements of all floating-point initializers."""
    return sum(math.prod(tensor.dims) for tensor in graph.initializer if tensor.data_type in FLOATS)


def _flops(node: onnx.NodeProto, shapes: Shapes, outputs: list[str], numbers: Set[str]) -> int | None:
    """FLOPs of one node, ``numbers`` being the names of floating-point values; None where they cannot be told."""
    if node.op_type in UNTOLD or node.domain not in ("", "ai.onnx"):
        return None
    if node.op_type in FREE or not outputs:
        return 0
    inputs = [shapes.get(name) for name in node.input if name]
    output = shapes.get(outputs[0])
    if output is None:
        return None
    size = math.prod(output)
    if node.op_type not in PRODUCTS and node.op_type not in GATES:
        return size if outputs[0] in numbers else 0
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
