"""From a PyTorch module to a frozen ONNX graph without weights."""

from __future__ import annotations

import contextlib
import functools
import gzip
import hashlib
import io
import logging
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import onnx
import onnx_ir
import onnxscript.optimizer
import torch
from onnx.external_data_helper import set_external_data
from torch import nn

ALIGNMENT = 64
LARGEST = 512 * 512
"""Elements of a folded constant, at most: the library's own limit."""

MASK_LARGEST = 512
"""The same where masks are made of ranges: they grow with the square of the length, and a graph should not hold one."""


def export(
    module: nn.Module,
    inputs: Mapping[str, torch.Tensor],
    outputs: Sequence[str],
    graph_name: str,
    largest: int = LARGEST,
) -> onnx.ModelProto:
    """The module as ONNX with the first axis of every input and output called ``batch``.

    The exporter's rewriting is off, because it would fold batch norms into convolutions and transposed weights into
    new ones: the initializers would no longer be the state dict's, and a compiler under test should be seen to do
    that by itself. Only arithmetic on constants is folded, up to ``largest`` elements. What is left of the
    tracing noise goes: zero biases, metadata with stack traces, doc strings, and intermediate shapes.
    """
    batch = torch.export.Dim("batch")
    program = _translated(module, inputs, outputs, tuple({0: batch} for _ in inputs))
    return _cleaned(program.model_proto, graph_name, largest, frozenset(module.state_dict()))


def export_bare(
    module: nn.Module,
    inputs: Mapping[str, torch.Tensor],
    outputs: Sequence[str],
    graph_name: str,
    prefix: str = "",
) -> onnx.ModelProto:
    """As ``export`` and ``without_weights`` in one, for weights that are not there or need not be written.

    No tensor of the state dict is read, so its storage may be anything of the right shape (``hollow``). Initializers
    lose ``prefix``, come in the state dict's order, and lie in ``weights.bin`` in that order: modules with the same
    weights have the same ``weights.bin``. The module's forward takes every input as one of ``*args``.
    """
    names: dict[str, str] = {}
    first: dict[int, str] = {}
    for name, tensor in module.state_dict(keep_vars=True).items():  # tied tensors have the name of the first
        names[name] = first.setdefault(id(tensor), name.removeprefix(prefix))
    batch = torch.export.Dim("batch")
    model = _translated(module, inputs, outputs, (tuple({0: batch} for _ in inputs),)).model
    initializers = model.graph.initializers
    stored = {hub: initializers.pop(name) for name, hub in names.items() if name in initializers}
    order = list(dict.fromkeys(names.values()))
    offset = 0
    for name in filter(stored.__contains__, order):
        value = stored[name]
        length = value.const_value.nbytes
        value.name = name
        value.const_value = onnx_ir.ExternalTensor(
            "weights.bin", offset, length, value.dtype, shape=value.shape, name=name
        )
        initializers.add(value)
        offset += -(-length // ALIGNMENT) * ALIGNMENT
    proto = _cleaned(onnx_ir.to_proto(model), graph_name, MASK_LARGEST)
    places = {name: place for place, name in enumerate(order)}
    tensors = sorted(proto.graph.initializer, key=lambda tensor: places.get(tensor.name, len(order)))
    copies = [onnx.TensorProto.FromString(tensor.SerializeToString()) for tensor in tensors]
    del proto.graph.initializer[:]
    proto.graph.initializer.extend(copies)
    return proto


def hollow(module: nn.Module) -> nn.Module:
    """The module, which may be on the device ``meta``, with parameters whose elements are all one zero in memory: it
    can be exported, however large it is."""
    shared: dict[int, nn.Parameter] = {}
    for owner in module.modules():
        for name, tensor in list(owner.named_parameters(recurse=False)):
            if id(tensor) not in shared:
                zero = torch.zeros(1, dtype=tensor.dtype).expand(tensor.shape)
                shared[id(tensor)] = nn.Parameter(zero, requires_grad=False)
            setattr(owner, name, shared[id(tensor)])
    return module


def _translated(
    module: nn.Module, inputs: Mapping[str, torch.Tensor], outputs: Sequence[str], dynamic_shapes: object
) -> torch.onnx.ONNXProgram:
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        return torch.onnx.export(
            module.eval(),
            tuple(inputs.values()),
            dynamo=True,
            optimize=False,
            dynamic_shapes=dynamic_shapes,
            input_names=list(inputs),
            output_names=list(outputs),
            verbose=False,
        )


def _cleaned(
    model: onnx.ModelProto, graph_name: str, largest: int, weights: frozenset[str] = frozenset()
) -> onnx.ModelProto:
    _expect_used(model.graph)
    onnxscript.optimizer.fold_constants(
        model,
        output_size_limit=largest,
        should_fold=functools.partial(_foldable, weights),
    )
    _drop_zero_biases(model.graph)
    onnxscript.optimizer.remove_unused_nodes(model)
    model.graph.name = graph_name
    _strip(model)
    return model


def _foldable(weights: frozenset[str], node: onnx_ir.Node) -> bool | None:
    """Whether to compute a node of constants: not on weights, which may have no data (None: the library decides)."""
    stored = (
        value is not None and (value.name in weights or isinstance(value.const_value, onnx_ir.ExternalTensor))
        for value in node.inputs
    )
    return False if node.op_type == "Transpose" or any(stored) else None


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
