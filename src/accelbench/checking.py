"""Whether a folder is a task that others can run: what it says, its files, its samples, and what the reference makes of
them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import onnx

from accelbench.errors import AccelbenchError, UsageError
from accelbench.model import Task, TensorSpec
from accelbench.quality.accuracy import decisions, score
from accelbench.quality.assess import VARIES
from accelbench.quality.drift import varies
from accelbench.reference import reference
from accelbench.tensors import Array, TensorSet
from accelbench.zoo import catalogue
from accelbench.zoo.subject import Subject, from_task
from accelbench.zoo.user_feeds import id_ranges

LARGE_BYTES = 100_000_000
INLINE = 100_000
"""Elements of constants that a graph without weights may hold."""
FEW = 8


@dataclass(frozen=True)
class Finding:
    """What one check saw: a ``problem`` keeps the task from being run or from meaning something, a ``remark`` is for
    its author to judge."""

    check: Literal["schema", "files", "graph", "samples", "reference", "outputs", "metric", "size"]
    kind: Literal["fine", "remark", "problem"]
    text: str


def check(folder: Path, say: Callable[[str], None]) -> list[Finding]:
    """Every finding about the task in ``folder``; a check that others rest on ends the list when it fails."""
    found: list[Finding] = []
    try:
        task = catalogue.load(folder)
        found.append(Finding("schema", "fine", f"{task.id}, version {task.version}"))
        _within(task)
        digest = catalogue.task_hash(task, folder)
        proto = catalogue.graph(task, folder)
        say("model and samples")
        subject = from_task(task, None, folder=folder)
        found.append(Finding("files", "fine", f"each is what the task says; the task's hash is {digest[:12]}"))
        found += _graph(task, proto, subject)
        found += _samples(subject, proto)
        say("running it in the reference")
        found += _outputs(subject)
    except AccelbenchError as error:
        found.append(Finding("files" if found else "schema", "problem", str(error)))
        return found
    return found + list(_size(task, folder))


def _within(task: Task) -> None:
    """Raise UsageError for a file that is not in the task's folder itself."""
    files = [task.graph, task.dataset.file, *(source.file for source in task.weights if source.kind != "hub")]
    for file in filter(None, files):
        if Path(file).name != file:
            raise UsageError(f"{file} is no file of the task's own folder: name one that lies beside task.toml")


def _graph(task: Task, proto: onnx.ModelProto, subject: Subject) -> list[Finding]:
    """ONNX's own checks of the whole model, and whether the task says what its graph says."""
    try:
        onnx.checker.check_model(str(subject.model(1).path), full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError, ValueError) as error:
        return [Finding("graph", "problem", f"not sound: {' '.join(str(error).split())[:300]}")]
    found = [
        Finding("graph", "problem", f"the task says {_specs(specs)}, the graph {_specs(told)}")
        for specs, values in ((task.inputs, proto.graph.input), (task.outputs, proto.graph.output))
        if specs != (told := tuple(_spec(value) for value in values))
    ]
    read = {name for node in proto.graph.node for name in node.input}
    found += [
        Finding("graph", "problem", f"no node reads input {spec.name}") for spec in task.inputs if spec.name not in read
    ]
    inside = sum(
        int(np.prod(tensor.dims))
        for tensor in proto.graph.initializer
        if tensor.data_location != onnx.TensorProto.EXTERNAL
    )
    if inside > INLINE:
        found.append(Finding("graph", "remark", f"{inside:,} elements of constants are inside the graph"))
    facts = subject.facts
    if facts.unknown:
        found.append(Finding("graph", "remark", f"the FLOPs of {len(facts.unknown)} nodes cannot be told"))
    return found or [Finding("graph", "fine", f"{facts.parameters:,} parameters, {facts.flops:,} FLOPs")]


def _samples(subject: Subject, proto: onnx.ModelProto) -> list[Finding]:
    """Samples fit the inputs, differ from one another, and whole numbers span what they index."""
    task, samples = subject.task, TensorSet(subject.feeds.path)
    found = [Finding("samples", "problem", text) for text in _misfits(task, samples)]
    if found:
        return found
    rows = id_ranges(proto.graph)
    for spec in task.inputs:
        columns = [samples.tensor(spec.name, index) for index in range(len(samples))]
        kind, text = _judged(columns, rows.get(spec.name))
        if text:
            found.append(Finding("samples", kind, f"input {spec.name} {text}"))
    if len(samples) > 1 and not any(varies(samples, spec.name) for spec in task.inputs):
        found.append(Finding("samples", "problem", "all samples are the same"))
    if len(samples) < FEW:
        found.append(Finding("samples", "remark", f"only {len(samples)}: accuracy and agreement say little"))
    return found or [Finding("samples", "fine", f"{len(samples)} samples fit the inputs")]


def _misfits(task: Task, samples: TensorSet) -> Iterator[str]:
    if set(samples.names) != {spec.name for spec in task.inputs}:
        yield f"samples have {', '.join(sorted(samples.names))}, the inputs are {_specs(task.inputs)}"
        return
    for spec in task.inputs:
        wanted = (spec.dtype, tuple(spec.shape[1:] if task.batched else spec.shape))
        for index in range(len(samples)):
            array = samples.tensor(spec.name, index)
            if (array.dtype.name, array.shape) != wanted:
                yield f"sample {index} of {spec.name} is {array.dtype.name} {array.shape}, not {wanted[0]} {wanted[1]}"
                break


def _judged(columns: list[Array], rows: int | None) -> tuple[Literal["remark", "problem"], str]:
    """What is wrong with an input over all samples, if anything: ``rows`` is what its values index, if anything."""
    if columns[0].dtype.kind == "f":
        return "problem", "" if all(np.isfinite(column).all() for column in columns) else "has NaN or infinity"
    low = min((int(column.min()) for column in columns if column.size), default=0)
    high = max((int(column.max()) for column in columns if column.size), default=0)
    if rows is not None and (high >= rows or low < -rows):
        return "problem", f"has values from {low} to {high}, but indexes {rows} rows"
    if low != high:
        return "problem", ""
    if rows is not None and rows > 2:
        return "problem", f"is {low} everywhere, although it indexes {rows} rows"
    return "remark", f"is {low} everywhere"


def _outputs(subject: Subject) -> list[Finding]:
    """The reference runs the task, its outputs are finite and vary, and the metric can be computed of them."""
    standard = reference(subject)
    if standard.outputs is None:
        return [Finding("reference", "problem", str(standard.problem))]
    outputs, task = standard.outputs, subject.task
    found = [Finding("reference", "fine", f"ONNX Runtime gave outputs for {len(outputs)} samples")]
    for name in outputs.names:
        columns = [outputs.tensor(name, index) for index in range(len(outputs))]
        if any(column.dtype.kind == "f" and not np.isfinite(column).all() for column in columns):
            found.append(Finding("outputs", "problem", f"output {name} has NaN or infinity"))
    if len(outputs) > 1 and not any(varies(outputs, name, by=VARIES) for name in outputs.names):
        found.append(Finding("outputs", "problem", "the outputs hardly depend on the sample"))
    if found[-1].check != "outputs":
        found.append(Finding("outputs", "fine", "finite, and different for different samples"))
    return [*found, _metric(task, outputs, subject.feeds.labels)]


def _metric(task: Task, outputs: TensorSet, labels: Array | None) -> Finding:
    if task.metric.name == "none":
        return Finding("metric", "remark", "none: only drift is judged")
    try:
        decided = decisions(task.metric, outputs)
        reached = None if labels is None else score(task.metric, decided, labels)
    except AccelbenchError as error:
        return Finding("metric", "problem", str(error))
    floor = task.tolerance.min_accuracy
    if reached is None:
        text = "no labels: agreement with the reference is judged, not accuracy"
        return Finding("metric", "problem" if floor is not None else "remark", text)
    if floor is not None and reached.value < floor:
        text = f"the reference reaches {reached.value:.4f}, below the task's own {floor}"
        return Finding("metric", "problem", f"{task.metric.name}: {text}")
    return Finding("metric", "fine", f"{task.metric.name}: the reference reaches {reached.value:.4f}")


def _size(task: Task, folder: Path) -> Iterator[Finding]:
    sizes = {path.name: path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    named = {"task.toml", task.graph, task.dataset.file, *(source.file for source in task.weights)}
    stray = sorted(set(sizes) - named - {"statistics.safetensors"})
    if stray:
        yield Finding("size", "remark", f"the task names none of {', '.join(stray)}")
    total = sum(sizes.values())
    kind: Literal["remark", "fine"] = "remark" if total > LARGE_BYTES else "fine"
    yield Finding("size", kind, f"{total:,} bytes in {len(sizes)} files")


def _spec(value: onnx.ValueInfoProto) -> TensorSpec:
    tensor = value.type.tensor_type
    return TensorSpec(
        value.name,
        onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type).name,
        tuple(dim.dim_param or dim.dim_value for dim in tensor.shape.dim),
    )


def _specs(specs: tuple[TensorSpec, ...]) -> str:
    return ", ".join(f"{spec.name} {spec.dtype} {'×'.join(str(dim) for dim in spec.shape)}" for spec in specs)
