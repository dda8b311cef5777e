"""Folding of what a graph computes with shapes: ONNX and NumPy alone, so that a loop without accelbench can use it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx.reference import ReferenceEvaluator

SMALL = 1024
"""A constant of so many elements at most takes part."""

Values = npt.NDArray[Any]


def fold_shapes(model: onnx.ModelProto) -> int:
    """Make constants of the nodes that compute with shapes and small integers only. Gives how many there were."""
    graph, shapes = model.graph, _shapes(model)
    known = {
        tensor.name: onnx.numpy_helper.to_array(tensor)
        for tensor in graph.initializer
        if tensor.data_type in (onnx.TensorProto.INT64, onnx.TensorProto.INT32) and np.prod(tensor.dims) <= SMALL
    }
    kept, folded = [], 0
    for node in graph.node:
        values = _values(node, known, shapes, model.opset_import)
        if values is None or any(np.size(value) > SMALL for value in values):
            kept.append(node)
            continue
        folded += 1
        for name, value in zip(node.output, values):
            known[name] = np.asarray(value)
            graph.initializer.append(onnx.numpy_helper.from_array(known[name], name))
    del graph.node[:]
    graph.node.extend(kept)
    return folded


def _values(
    node: onnx.NodeProto, known: Mapping[str, Values], shapes: Mapping[str, Sequence[int]], opsets: Sequence[Any]
) -> list[Values] | None:
    """What a node gives whose inputs are all known; None for another one, and for one with a subgraph."""
    given = [name for name in dict.fromkeys(node.input) if name]
    graphs = (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS)
    if node.domain or any(attribute.type in graphs for attribute in node.attribute):
        return None
    if node.op_type == "Shape" and given[0] in shapes:
        ends = {attribute.name: attribute.i for attribute in node.attribute}
        return [np.array(shapes[given[0]], np.int64)[ends.get("start", 0) : ends.get("end")]]
    if not all(name in known for name in given) or (not given and node.op_type != "Constant"):
        return None
    kinds = [onnx.helper.np_dtype_to_tensor_dtype(known[name].dtype) for name in given]
    inputs = [onnx.helper.make_tensor_value_info(name, kind, known[name].shape) for name, kind in zip(given, kinds)]
    outputs = [onnx.ValueInfoProto(name=name) for name in node.output]
    part = onnx.helper.make_model(onnx.helper.make_graph([node], "part", inputs, outputs), opset_imports=opsets)
    return list(ReferenceEvaluator(part).run(None, {name: known[name] for name in given}))


def _shapes(model: onnx.ModelProto) -> dict[str, list[int]]:
    """The shapes that are known without running the model."""
    graph = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    found = {tensor.name: list(tensor.dims) for tensor in graph.initializer}
    for value in (*graph.value_info, *graph.input, *graph.output):
        shape = value.type.tensor_type.shape
        if value.type.tensor_type.HasField("shape") and all(dim.HasField("dim_value") for dim in shape.dim):
            found[value.name] = [dim.dim_value for dim in shape.dim]
    return found
