"""From a PyTorch module to a frozen ONNX graph without weights."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import logging
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import onnx
import onnxscript.optimizer
import torch
from onnx.external_data_helper import set_external_data
from torch import nn

ALIGNMENT = 64


def export(
    module: nn.Module, inputs: Mapping[str, torch.Tensor], outputs: Sequence[str], graph_name: str
) -> onnx.ModelProto:
    """The module as ONNX with the first axis of every input and output called ``batch``.

    The exporter's rewriting is off, because it would fold batch norms into convolutions and transposed weights into
    new ones: the initializers would no longer be the state dict's, and a compiler under test should be seen to do
    that by itself. Only arithmetic on constants is folded. What is left of the tracing noise goes: zero biases,
    metadata with stack traces, doc strings, and intermediate shapes.
    """
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    batch = torch.export.Dim("batch")
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module.eval(),
            tuple(inputs.values()),
            dynamo=True,
            optimize=False,
            dynamic_shapes=tuple({0: batch} for _ in inputs),
            input_names=list(inputs),
            output_names=list(outputs),
            verbose=False,
        )
    model = program.model_proto
    _expect_used(model.graph)
    onnxscript.optimizer.fold_constants(model, should_fold=lambda node: False if node.op_type == "Transpose" else None)
    _drop_zero_biases(model.graph)
    onnxscript.optimizer.remove_unused_nodes(model)
    model.graph.name = graph_name
    _strip(model)
    return model


def _expect_used(graph: onnx.GraphProto) -> None:
    """Every input is read by some node: the exporter takes two inputs that are one tensor object for one input."""
    read = {name for node in graph.node for name in node.input}
    unused = [value.name for value in graph.input if value.name not in read]
    if unused:
        raise ValueError(f"the exported graph reads none of {unused}: give the exporter distinct example tensors")


def _drop_zero_biases(graph: onnx.GraphProto) -> None:
    """The exporter gives a convolution without bias one of zeros."""
    constants = {tensor.name: tensor for tensor in graph.initializer if tensor.name.startswith("val_")}
    for node in graph.node:
        bias = constants.get(node.input[2]) if node.op_type == "Conv" and len(node.input) == 3 else None
        if bias is not None and not onnx.numpy_helper.to_array(bias).any():
            del node.input[2]


def _strip(model: onnx.ModelProto) -> None:
    graph = model.graph
    del model.metadata_props[:], graph.metadata_props[:], graph.value_info[:], model.functions[:]
    model.ClearField("doc_string")
    graph.ClearField("doc_string")
    for item in (*graph.node, *graph.initializer, *graph.input, *graph.output):
        item.ClearField("doc_string")
        del item.metadata_props[:]


def without_weights(model: onnx.ModelProto, names: Sequence[str]) -> onnx.ModelProto:
    """A copy in which the data of the initializers ``names`` lies in ``weights.bin``: in the graph's order, each
    tensor on the next multiple of 64 bytes. The other initializers keep their data."""
    bare = onnx.ModelProto()
    bare.CopyFrom(model)
    offset = 0
    for tensor in bare.graph.initializer:
        if tensor.name in names:
            length = onnx.numpy_helper.to_array(tensor).nbytes
            tensor.ClearField("raw_data")
            tensor.raw_data = b""
            set_external_data(tensor, "weights.bin", offset, length)
            tensor.ClearField("raw_data")
            offset += -(-length // ALIGNMENT) * ALIGNMENT
    return bare


def save(model: onnx.ModelProto, path: Path) -> tuple[str, bool]:
    """Write the graph gzipped with no time stamp; return its sha256 and whether it differs from what was there."""
    data = model.SerializeToString(deterministic=True)
    before = gzip.decompress(path.read_bytes()) if path.exists() else None
    path.parent.mkdir(parents=True, exist_ok=True)
    if data != before:
        path.write_bytes(gzip.compress(data, 9, mtime=0))
    return hashlib.sha256(data).hexdigest(), data != before
