"""A user's ONNX file and samples as a task's folder that others can run.

The graph keeps its nodes and names. Weights go out of it into ``weights.safetensors`` under their own names; what tells
of the exporter (doc strings, metadata with stack traces) goes.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
import safetensors.numpy
from onnx import TensorProto, helper, numpy_helper
from onnx.external_data_helper import load_external_data_for_model, set_external_data

from accelbench.errors import UsageError
from accelbench.model import Dataset, Domain, Metric, Task, TensorSpec, Tolerance, WeightSource
from accelbench.tensors import Array
from accelbench.zoo import npz, task_file, user
from accelbench.zoo.materialise import BATCH, WEIGHTS
from accelbench.zoo.samples import arrays
from accelbench.zoo.weights import file_sha256

GRAPH, DATA, STORED = "graph.onnx.gz", "data.npz", "weights.safetensors"
ALIGNMENT = 64
FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE)
TABLE = 256
"""Elements from which an initializer of whole numbers is a weight too, and not the shape or the axes of something."""
SETTINGS = frozenset({"Resize", "Upsample"})
"""Operators whose small float inputs are settings: without them no shape could be told from the graph."""


@dataclass(frozen=True)
class Samples:
    """The samples of a data file by input, [N, *sample] each, and their labels, if there are some."""

    inputs: Mapping[str, Array]
    labels: Array | None


def pack(model: Path, data: Path, folder: Path, *, name: str, title: str, domain: Domain, source: str) -> Task:
    """Write the files of a task into the empty ``folder``; the task has no metric and no tolerance yet.

    The samples' shapes fix what the model leaves open but for a batch that all inputs and outputs share. Raises
    UsageError for a model or data that cannot be read, and for data that does not fit the model.
    """
    proto = user.load(model)
    samples = read_samples(data)
    inputs, outputs = user.signature(model, proto)
    samples = _matched(data, inputs, samples)
    batched = user.is_batched((*inputs, *outputs))
    given = {spec.name: _fitting(data, spec, samples.inputs[spec.name], batched) for spec in inputs}
    fixed = tuple(_with_shape(spec, given[spec.name], batched) for spec in inputs)
    told = user.inferred(model, proto, tuple(_single(spec) for spec in fixed))
    ends = tuple(_with_symbol(spec) for spec in told) if batched else told
    load_external_data_for_model(proto, str(model.parent))
    _tidy(proto, fixed, ends)
    weights = _take_weights(proto)
    graph = proto.SerializeToString(deterministic=True)
    (folder / GRAPH).write_bytes(gzip.compress(graph, 9, mtime=0))
    if weights:
        safetensors.numpy.save_file(weights, folder / STORED)
        (folder / STORED).chmod(0o644)
    labels = {} if samples.labels is None else {arrays.LABELS: samples.labels}
    np.savez_compressed(folder / DATA, allow_pickle=False, **given, **labels)
    shipped = WeightSource("shipped", file=STORED, sha256=file_sha256(folder / STORED)) if weights else None
    return Task(
        id=name,
        version=1,
        title=title,
        tier="user",
        domain=domain,
        graph=GRAPH,
        graph_sha256=hashlib.sha256(graph).hexdigest(),
        weights=(WeightSource("local"), *([shipped] if shipped else [])),
        batched=batched,
        inputs=fixed,
        outputs=ends,
        dataset=Dataset(
            kind=arrays.KIND,
            count=len(next(iter(given.values()))),
            file=DATA,
            sha256=file_sha256(folder / DATA),
            options={arrays.LABELS: arrays.LABELS} if labels else {},
        ),
        metric=Metric("none"),
        tolerance=Tolerance(),
        source=source,
    )


def write(task: Task, folder: Path) -> None:
    """Write the task's ``task.toml``."""
    (folder / "task.toml").write_text(task_file.text(task), encoding="utf-8")


def name_of(text: str) -> str:
    """A task's id made of a file's or a model's name."""
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.") or "task"


def read_samples(path: Path) -> Samples:
    """The arrays of an ``.npz``: one per input, and perhaps ``labels``. Raises UsageError for another file."""
    found, _ = npz.read(path, str(path))
    return Samples({name: array for name, array in found.items() if name != arrays.LABELS}, found.get(arrays.LABELS))


def _matched(path: Path, inputs: tuple[TensorSpec, ...], samples: Samples) -> Samples:
    """The samples, whose names must be the inputs'; all of them, and the labels, of one length."""
    wanted = [spec.name for spec in inputs]
    if set(samples.inputs) != set(wanted):
        has = ", ".join(samples.inputs) or "none"
        raise UsageError(f"{path} has arrays for {has}; the model's inputs are {', '.join(wanted)} (and labels may be)")
    columns = {**samples.inputs, **({} if samples.labels is None else {arrays.LABELS: samples.labels})}
    counts = {name: len(array) if array.ndim else 0 for name, array in columns.items()}
    if len(set(counts.values())) != 1 or 0 in counts.values():
        raise UsageError(f"{path} must have as many rows in every array, one per sample: {counts}")
    return samples


def _fitting(path: Path, spec: TensorSpec, array: Array, batched: bool) -> Array:
    """The array with a row per sample in the shape that the task's samples have."""
    shape = spec.shape[1:] if batched else spec.shape
    if not batched and shape and (shape[0] == 1 or isinstance(shape[0], str)) and array.ndim == len(shape):
        array = array[:, None]
    fits = array.ndim == len(shape) + 1 and all(
        isinstance(dim, str) or dim == has for dim, has in zip(shape, array.shape[1:], strict=True)
    )
    if not fits or array.dtype.name != spec.dtype:
        raise UsageError(
            f"{path}: {spec.name} is {array.dtype.name} of shape {array.shape}; "
            f"the model takes {spec.dtype} of shape (N, {', '.join(map(str, shape))})"
        )
    return array


def _with_shape(spec: TensorSpec, array: Array, batched: bool) -> TensorSpec:
    return replace(spec, shape=(BATCH, *array.shape[1:]) if batched else array.shape[1:])


def _single(spec: TensorSpec) -> TensorSpec:
    return replace(spec, shape=tuple(1 if dim == BATCH else dim for dim in spec.shape))


def _with_symbol(spec: TensorSpec) -> TensorSpec:
    return replace(spec, shape=(BATCH, *spec.shape[1:]))


def _tidy(proto: onnx.ModelProto, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> None:
    """Give inputs and outputs the task's shapes, and take out what only tells of the exporter."""
    graph = proto.graph
    held = {tensor.name for tensor in graph.initializer}
    kept = [onnx.ValueInfoProto.FromString(v.SerializeToString()) for v in graph.input if v.name not in held]
    del graph.input[:]
    graph.input.extend(kept)
    for specs, values in ((inputs, graph.input), (outputs, graph.output)):
        for spec, value in zip(specs, values, strict=True):
            shape = value.type.tensor_type.shape
            del shape.dim[:]
            for dim in spec.shape:
                shape.dim.add(**{"dim_param" if isinstance(dim, str) else "dim_value": dim})
    del proto.metadata_props[:], graph.metadata_props[:], graph.value_info[:]
    proto.ClearField("doc_string")
    graph.ClearField("doc_string")
    proto.ir_version = max(proto.ir_version, 4)  # before, every initializer had to be an input too
    for item in (*graph.node, *graph.initializer, *graph.input, *graph.output, *_inner(graph)):
        item.ClearField("doc_string")
        del item.metadata_props[:]


def _inner(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """The nodes in the bodies of a graph's nodes."""
    for node in graph.node:
        for attribute in node.attribute:
            for body in (attribute.g, *attribute.graphs):
                yield from body.node
                yield from _inner(body)


def _take_weights(proto: onnx.ModelProto) -> dict[str, Array]:
    """Take the data of weights out of the graph, which then refers to ``weights.bin``; they are given back by name."""
    settings = {name for node in proto.graph.node if node.op_type in SETTINGS for name in node.input[1:]}
    weights, offset = {}, 0
    for tensor in proto.graph.initializer:
        if not _is_weight(tensor, settings):
            continue
        values = np.ascontiguousarray(numpy_helper.to_array(tensor))
        weights[tensor.name] = values
        bare = TensorProto(name=tensor.name, data_type=tensor.data_type, dims=tensor.dims, raw_data=b"")
        set_external_data(bare, WEIGHTS, offset, values.nbytes)
        bare.ClearField("raw_data")
        tensor.CopyFrom(bare)
        offset += -(-values.nbytes // ALIGNMENT) * ALIGNMENT
    return weights


def _is_weight(tensor: TensorProto, settings: set[str]) -> bool:
    count = math.prod(tensor.dims)
    if tensor.data_type in FLOATS:
        return count >= 2 and tensor.name not in settings
    try:
        kind = helper.tensor_dtype_to_np_dtype(tensor.data_type)
    except KeyError:
        return False
    return count >= TABLE and kind.name in ("int8", "uint8", "int16", "int32", "int64")
