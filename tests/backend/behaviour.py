"""What a subject's outputs and inner values are, and how far lower precisions move the outputs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx

from accelbench.envs.spec import BackendSpec
from accelbench.envs.worker import Worker
from accelbench.model import Target
from accelbench.tensors import TensorSet, TensorWriter
from accelbench.worker.jobs import Job
from accelbench.zoo.graph_facts import GATES, PRODUCTS
from accelbench.zoo.subject import Subject

PROBED = (
    *PRODUCTS, *GATES, "LayerNormalization", "BatchNormalization", "InstanceNormalization", "Relu", "Gelu", "Einsum",
)  # fmt: skip
"""Operators whose outputs are activations, and not shares, masks or angles."""

DEPTHS = 12


@dataclass(frozen=True)
class Probe:
    """A subject in float32: its feeds, and for each of them its ``outputs`` and the ``inner`` values named so."""

    subject: Subject
    feeds: Path
    tensors: TensorSet
    outputs: tuple[str, ...]
    inner: tuple[str, ...]


def probe(subject: Subject, samples: int, spec: BackendSpec, folder: Path) -> Probe:
    """Run the first samples of a subject in float32 and keep what ``DEPTHS`` nodes gave, spread over its depth.
    ``folder`` is new."""
    folder.mkdir()
    feeds = folder / "feeds"
    with TensorWriter(feeds) as writer:
        for record in TensorSet(subject.feeds.path)[:samples]:
            writer.append(dict(record))
    names = tuple(output.name for output in subject.task.outputs)
    with _with_inner_outputs(subject, names) as (path, inner):
        found = _outputs(subject, feeds, spec, "fp32", folder / "fp32", path)
    return Probe(subject, feeds, found, names, inner)


def drift(reference: Probe, spec: BackendSpec, precision: str, folder: Path) -> float:
    """The relative L2 of the worst output against float32; infinite where a value is no number. Raises what a worker
    raises. ``folder`` is new."""
    path = reference.subject.model(1).path
    found = _outputs(reference.subject, reference.feeds, spec, precision, folder, path)
    worst = 0.0
    for name in reference.outputs:
        ours, theirs = (stacked(tensors, name) for tensors in (found, reference.tensors))
        if not np.isfinite(ours).all():
            return math.inf
        worst = max(worst, float(np.linalg.norm(ours - theirs) / np.linalg.norm(theirs)))
    return worst


def stacked(tensors: TensorSet, name: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """All samples of an output in float64."""
    return np.stack([record[name] for record in tensors]).astype(np.float64)


def rms(tensors: TensorSet, name: str) -> float:
    """The root mean square of all values; NaN or infinite where one is."""
    return math.sqrt(float(np.square(stacked(tensors, name)).mean()))


@contextmanager
def _with_inner_outputs(subject: Subject, names: Sequence[str]) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """The subject's file with more outputs, beside its weights, which are found there; gone afterwards."""
    path = subject.model(1).path
    model = onnx.load(path, load_external_data=False)
    angles = _angles(model.graph)
    nodes = [n.output[0] for n in model.graph.node if n.op_type in PROBED and n.output[0] not in angles]
    chosen = [nodes[round(place)] for place in np.linspace(0, len(nodes) - 1, DEPTHS)] if nodes else []
    inner = tuple(name for name in dict.fromkeys(chosen) if name not in names)
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in inner)
    target = path.with_name(f"inner-{path.name}")
    onnx.save_model(model, target)
    try:
        yield target, inner
    finally:
        target.unlink()


def _angles(graph: onnx.GraphProto) -> set[str]:
    """Values that only become angles: positions times frequencies."""
    found = {node.input[0] for node in graph.node if node.op_type in ("Cos", "Sin")}
    for node in reversed(graph.node):
        if node.op_type in ("Transpose", "Concat", "Unsqueeze", "Reshape", "Mul") and node.output[0] in found:
            found.update(node.input)
    return found


def _outputs(subject: Subject, feeds: Path, spec: BackendSpec, precision: str, work: Path, path: Path) -> TensorSet:
    source = subject.model(1)
    work.mkdir()
    with Worker(spec, work.with_suffix(".logs")) as worker:
        job = Job(
            model=str(path),
            inputs=source.inputs,
            outputs=source.outputs,
            target=Target(spec.name, worker.devices()[0].id, precision, spec.options({})),
            batch=1,
            batched=subject.task.batched,
            purpose=None,
            work=str(work),
        )
        worker.load(worker.compile(job).compiled, job)
        worker.infer(feeds, work.with_suffix(".out"), batch=1, batched=subject.task.batched)
    return TensorSet(work.with_suffix(".out"))
