"""Samples for a user's model: the user's own arrays, or drawn to suit each input's type, name and use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import onnx

from accelbench.errors import UsageError
from accelbench.model import Dim, Task, TensorSpec
from accelbench.tensors import Array, Record
from accelbench.zoo import npz
from accelbench.zoo.feeds import Feeds, keep
from accelbench.zoo.samples.draws import Draws
from accelbench.zoo.samples.pictures import pictures

FORMAT = 1
IDS_WITHOUT_TABLE = 100
"""Integers of which the graph does not say what they index are drawn below this."""

VIEWS = frozenset({"Cast", "Identity", "Reshape", "Unsqueeze", "Squeeze", "Flatten", "Transpose", "Slice", "Split"})


def from_file(task: Task, path: Path) -> Feeds:
    """The arrays of the ``.npz`` at ``path``, one per input: [N, *sample] for N samples, or [*sample] for one.

    A sample has the input's shape, without the batch where the task has one. Raises UsageError that says what was
    expected and what was found.
    """
    arrays, digest = npz.read(path, f"--inputs {path}")
    wanted = {spec.name for spec in task.inputs}
    if set(arrays) != wanted:
        raise UsageError(f"--inputs {path} has the arrays {_names(arrays)}; the model's inputs are {_names(wanted)}")
    samples = {spec.name: _samples(path, spec, arrays[spec.name], task.batched) for spec in task.inputs}
    counts = {name: len(array) for name, array in samples.items()}
    if len(set(counts.values())) != 1 or 0 in counts.values():
        raise UsageError(f"--inputs {path} must have as many samples for every input, at least one: {counts}")
    count = next(iter(counts.values()))
    records = ({name: array[i] for name, array in samples.items()} for i in range(count))
    return keep(["given", FORMAT, digest, _specs(task), task.batched], lambda: (records, None))


def drawn(task: Task, graph: onnx.GraphProto, seed: int) -> Feeds:
    """``task.dataset.count`` samples: natural pictures where an input has the form of one, masks and segments by name,
    ids over the whole range of the table that they look up, else normal or small whole numbers."""
    tables = id_ranges(graph)
    ranges = {spec.name: tables.get(spec.name) for spec in task.inputs}
    count = task.dataset.count

    def records() -> Iterator[Record]:
        for index in range(count):
            yield {
                spec.name: _draw(spec, _sample_shape(spec, task.batched), ranges[spec.name], seed, index)
                for spec in task.inputs
            }

    return keep(["drawn", FORMAT, _specs(task), ranges, task.batched, count, seed], lambda: (records(), None))


def id_ranges(graph: onnx.GraphProto) -> dict[str, int]:
    """For each input that indexes constant tables (Gather, through views): how many rows the shortest one has."""
    tables = {tensor.name: tensor.dims for tensor in graph.initializer if tensor.dims}
    origin = {value.name: value.name for value in graph.input}
    found: dict[str, int] = {}
    for node in graph.node:
        if node.op_type in VIEWS and node.input and node.input[0] in origin:
            origin.update(dict.fromkeys(node.output, origin[node.input[0]]))
        if node.op_type == "Constant":
            tables.update((node.output[0], a.t.dims) for a in node.attribute if a.name == "value" and a.t.dims)
        if node.op_type == "Gather" and node.input[0] in tables and node.input[1] in origin:
            axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 0)
            rows = tables[node.input[0]][axis]
            name = origin[node.input[1]]
            found[name] = min(rows, found.get(name, rows))
    return found


def _draw(spec: TensorSpec, shape: tuple[int, ...], rows: int | None, seed: int, index: int) -> Array:
    draws, dtype = Draws(seed, f"{spec.name}/{index}"), spec.dtype
    size = int(np.prod(shape, dtype=np.int64))
    kind = np.dtype(dtype).kind
    length = shape[-1] if shape else 1
    if "mask" in spec.name.lower() and length > 1:
        used = draws.between(max(1, length // 4), length, size // length)
        return (np.arange(length) < used[:, None]).reshape(shape).astype(dtype)
    if kind == "b":
        return draws.below(2, size).reshape(shape).astype(dtype)
    if kind in "iu":
        return _whole(draws, spec.name, dtype, shape, rows)
    picture = shape[-3:] if len(shape) >= 3 and shape[-3] in (1, 3) and min(shape[-2:]) >= 8 else None
    if picture and size == np.prod(picture):
        return _picture(picture, spec.name, seed, index).reshape(shape).astype(dtype)
    return draws.normal(size).reshape(shape).astype(dtype)


def _whole(draws: Draws, name: str, dtype: str, shape: tuple[int, ...], rows: int | None) -> Array:
    size = int(np.prod(shape, dtype=np.int64))
    length = shape[-1] if shape else 1
    if ("type" in name.lower() or "segment" in name.lower()) and length > 1 and rows != 1:
        start = draws.between(1, length - 1, size // length)
        return (np.arange(length) >= start[:, None]).reshape(shape).astype(dtype)
    if rows is None:
        rows = 256 if dtype == "uint8" else IDS_WITHOUT_TABLE
    return draws.below(rows, size).reshape(shape).astype(dtype)


def _picture(shape: tuple[int, ...], name: str, seed: int, index: int) -> Array:
    channels, height, width = shape
    series = int(Draws(seed, name).words(1)[0])
    whole = pictures(1, max(height, width), series, first=index)[0][:, :height, :width]
    single: Array = whole.mean(axis=0, keepdims=True)
    return whole if channels == 3 else single


def _samples(path: Path, spec: TensorSpec, array: Array, batched: bool) -> Array:
    shape = _sample_shape(spec, batched)
    if array.shape == shape:
        array = array[None]
    if array.dtype.name != spec.dtype or array.shape[1:] != shape:
        raise UsageError(
            f"--inputs {path}: {spec.name} is {array.dtype.name} of shape {array.shape}; "
            f"the model takes {spec.dtype} of shape (N, {', '.join(map(str, shape))})"
        )
    return array


def _specs(task: Task) -> list[tuple[str, str, tuple[Dim, ...]]]:
    return [(spec.name, spec.dtype, spec.shape) for spec in task.inputs]


def _sample_shape(spec: TensorSpec, batched: bool) -> tuple[int, ...]:
    return tuple(int(dim) for dim in spec.shape[1 if batched else 0 :])


def _names(names: Mapping[str, object] | set[str]) -> str:
    return ", ".join(sorted(names))
