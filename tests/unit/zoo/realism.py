"""What feeds must be like to test anything, for the tests of every generator."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from accelbench.tensors import Array, Record


def is_realistic(records: Sequence[Record]) -> bool:
    """No tensor is constant over all samples and positions, and no two samples are alike."""
    stacked = {name: np.stack([record[name] for record in records]) for name in records[0]}
    varied = all(array.min() != array.max() for array in stacked.values())
    distinct = {b"".join(record[name].tobytes() for name in sorted(record)) for record in records}
    return varied and len(distinct) == len(records)


def is_prefix(mask: Array) -> bool:
    """Ones, then zeros, along the last axis; at least a one."""
    steps = np.diff(mask.astype(np.int64), axis=-1)
    return set(np.unique(mask)) <= {0, 1} and bool((steps <= 0).all()) and bool((mask[..., 0] == 1).all())


def value(name: str, dims: Sequence[int | str | None] | None, kind: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, dims)


def model(
    nodes: Sequence[onnx.NodeProto],
    inputs: Sequence[onnx.ValueInfoProto],
    outputs: Sequence[onnx.ValueInfoProto],
    initializers: Sequence[TensorProto] = (),
    opset: int = 17,
    ir: int = 9,
) -> onnx.ModelProto:
    graph = helper.make_graph(list(nodes), "g", list(inputs), list(outputs), list(initializers))
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    made.ir_version = ir
    return made


def weights(name: str, *dims: int) -> TensorProto:
    """A float32 tensor of distinct values."""
    return onnx.numpy_helper.from_array(np.arange(np.prod(dims), dtype=np.float32).reshape(dims) / 100, name)


def save(proto: onnx.ModelProto, path: Path) -> Path:
    path.write_bytes(proto.SerializeToString())
    return path
