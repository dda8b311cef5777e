"""A complete ONNX model on disk from a task's graph and its weights.

``$ACCELBENCH_HOME/models/<key>/`` holds ``weights.bin``, ``manifest.json``, and one ``<graph>-batch-N.onnx`` per graph
and batch that refers to the weights. The key names the weights and where each of them lies, so a folder never changes
once it is there; it only gains batches, and graphs of tasks with the same weights, as prefill and decode of one model.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import onnx
import pydantic

from accelbench import paths
from accelbench.errors import AccelbenchError, UsageError
from accelbench.model import STRICT, Artifact, Dim, Task, TensorSpec, Weights
from accelbench.zoo.download import Progress
from accelbench.zoo.room import expect_disk, expect_memory
from accelbench.zoo.weights import Slot, Source, choose, file_sha256, graph_bytes

WEIGHTS = "weights.bin"
MANIFEST = "manifest.json"
BATCH = "batch"
PROBES = 64
PROBE_BYTES = 4096


@dataclass(frozen=True)
class Model:
    """A model file that any stack can read: fixed shapes, all weights, its identity and where its weights came from."""

    path: Path
    source: Artifact
    weights: Weights
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]


@dataclass(frozen=True)
class Manifest:
    """What ``weights.bin`` must be: ``probe`` is a hash over samples of it, ``weights.sha256`` over all tensors."""

    __pydantic_config__ = STRICT

    weights: Weights
    size_bytes: int
    probe: str
    file_sha256: str


def materialise(
    task: Task,
    folder: Path,
    *,
    batch: int,
    weights_file: Path | None = None,
    download: bool = False,
    verify: bool = False,
    progress: Progress | None = None,
) -> Model:
    """The task's model with its first axis fixed to ``batch``, from the cache or newly made.

    ``folder`` is the task's; ``weights_file`` and ``download`` choose the weights as ``weights.choose`` says. A cached
    file that is broken is made anew: its size and samples are checked always, every byte with ``verify``. Raises
    UsageError for a corrupted task, weights that do not fit, or a batch that the task does not have; TooLarge, before
    anything is written, where this machine cannot hold the task.
    """
    if batch < 1 or (batch != 1 and not task.batched):
        raise UsageError(f"task {task.id} cannot have batch {batch}: ask for {'1 or more' if task.batched else '1'}")
    graph = onnx.load_from_string(graph_bytes(task, folder))
    wanted, places = slots(graph), _places(graph)
    size = max((offset + length for offset, length in places.values()), default=0)
    expect_memory(task, size)
    source = choose(task, folder, wanted, file=weights_file, download=download, progress=progress)
    layout = [[slot.name, slot.dtype, slot.shape, places[slot.name]] for slot in wanted]
    key = hashlib.sha256(json.dumps([layout, source.key]).encode()).hexdigest()[:24]
    home = paths.home() / "models" / key
    manifest = _cached(home, verify)
    if manifest is None:
        expect_disk(task, size, home)
        manifest = _build(home, graph, source)
    path, digest = _batch_file(home, graph, batch, task)
    artifact = Artifact(
        name=task.id,
        sha256=hashlib.sha256(f"{digest} {manifest.weights.sha256}".encode()).hexdigest(),
        format="onnx",
        size_bytes=path.stat().st_size + manifest.size_bytes,
        maker="accelbench",
        precision="fp32",
        options={"batch": str(batch), "weights": manifest.weights.kind},
    )
    fixed = tuple(_fixed(spec, batch) for spec in task.inputs), tuple(_fixed(spec, batch) for spec in task.outputs)
    return Model(path, artifact, manifest.weights, *fixed)


def slots(graph: onnx.ModelProto) -> list[Slot]:
    """The initializers that want data, in the graph's order."""
    return [
        Slot(tensor.name, onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).name, tuple(tensor.dims))
        for tensor in graph.graph.initializer
        if tensor.data_location == onnx.TensorProto.EXTERNAL
    ]


def _places(graph: onnx.ModelProto) -> dict[str, tuple[int, int]]:
    """Offset and length in ``weights.bin`` of every initializer that wants data."""
    found = {}
    for tensor in graph.graph.initializer:
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            entries = {entry.key: entry.value for entry in tensor.external_data}
            found[tensor.name] = int(entries["offset"]), int(entries["length"])
    return found


def _cached(home: Path, verify: bool) -> Manifest | None:
    """The manifest of a cached folder that is sound; a broken folder is removed."""
    try:
        manifest = pydantic.TypeAdapter(Manifest).validate_json((home / MANIFEST).read_bytes())
        path = home / WEIGHTS
        sound = path.stat().st_size == manifest.size_bytes and _probe(path) == manifest.probe
        if sound and (not verify or file_sha256(path) == manifest.file_sha256):
            return manifest
    except (OSError, pydantic.ValidationError):
        pass
    if home.exists():
        with paths.disk_errors(home):
            shutil.rmtree(home)
    return None


def _build(home: Path, graph: onnx.ModelProto, source: Source) -> Manifest:
    with paths.building(home) as temporary:
        path = temporary / WEIGHTS
        with path.open("xb") as handle:
            weights = _write(handle, graph, source)
        manifest = Manifest(weights, path.stat().st_size, _probe(path), file_sha256(path))
        (temporary / MANIFEST).write_bytes(pydantic.TypeAdapter(Manifest).dump_json(manifest))
    return manifest


def _write(handle: BinaryIO, graph: onnx.ModelProto, source: Source) -> Weights:
    """Write every slot at the offset that the graph gives it."""
    places = _places(graph)
    rows: list[list[Any]] = []
    parameters = 0
    for slot in slots(graph):
        offset, length = places[slot.name]
        handle.seek(offset)
        digest, written = hashlib.sha256(), 0
        for piece in source.pieces(slot):
            data = piece.astype(piece.dtype.newbyteorder("<"), copy=False).tobytes()
            digest.update(data)
            written += handle.write(data)
        if written != length:
            raise AccelbenchError(f"tensor {slot.name} has {written} bytes, the graph says {length}")
        rows.append([slot.name, slot.dtype, list(slot.shape), digest.hexdigest()])
        parameters += slot.count
    return Weights(
        source.kind, hashlib.sha256(json.dumps(sorted(rows)).encode()).hexdigest(), parameters, source.detail
    )


def _batch_file(home: Path, graph: onnx.ModelProto, batch: int, task: Task) -> tuple[Path, str]:
    """The ONNX file for one batch and its sha256, written when it is not there or not what it should be."""
    model = onnx.ModelProto()
    model.CopyFrom(graph)
    if task.batched:
        for value in (*model.graph.input, *model.graph.output):
            for dim in value.type.tensor_type.shape.dim:
                if dim.dim_param == BATCH:
                    dim.dim_value = batch
    data = model.SerializeToString(deterministic=True)
    path = home / f"{task.graph_sha256[:12]}-batch-{batch}.onnx"
    if not path.exists() or path.read_bytes() != data:
        with paths.disk_errors(path):
            handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=home)
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(temporary).chmod(0o644)
            Path(temporary).rename(path)
    return path, hashlib.sha256(data).hexdigest()


def _probe(path: Path) -> str:
    """Hash over evenly spaced samples of a file: cheap, and sees truncation, holes and overwriting."""
    digest = hashlib.sha256()
    size = path.stat().st_size
    with path.open("rb") as handle:
        for i in range(PROBES):
            handle.seek(i * max(size - PROBE_BYTES, 0) // (PROBES - 1))
            digest.update(handle.read(PROBE_BYTES))
    return digest.hexdigest()


def _fixed(spec: TensorSpec, batch: int) -> TensorSpec:
    shape: tuple[Dim, ...] = tuple(batch if dim == BATCH else dim for dim in spec.shape)
    return replace(spec, shape=shape)
