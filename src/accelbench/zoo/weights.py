"""Where a task's weights come from: shipped with it, a local file, a pinned revision on the hub, a pinned package, or
seeded.

Every source gives the same thing: a ``Tensors`` of named arrays that fit the graph's initializers.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pydantic
import safetensors
from numpy.typing import NDArray

from accelbench.errors import NoWeights, UsageError
from accelbench.model import STRICT, Task, WeightSource
from accelbench.zoo import hub, package, seeded
from accelbench.zoo.download import Progress

AGAIN = "get the task again, which for a shipped one is: reinstall accelbench"
Array = NDArray[Any]
Kind = Literal["local", "shipped", "hub", "package", "seeded"]


@dataclass(frozen=True)
class Slot:
    """An initializer that wants data: its name, NumPy dtype name and shape."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def count(self) -> int:
        return math.prod(self.shape)


@dataclass(frozen=True)
class Source:
    """Weights that are there. ``key`` names their content before any tensor is made; ``pieces`` yields a slot's values
    in row-major order as flat arrays of the slot's dtype; ``detail`` says in words where they come from."""

    kind: Kind
    key: str
    detail: str
    pieces: Callable[[Slot], Iterator[Array]]


@dataclass(frozen=True)
class MomentsFile:
    """``moments.json``: how each tensor is drawn, and the hash of the file with the stored ones."""

    __pydantic_config__ = STRICT

    statistics_sha256: str | None
    tensors: Mapping[str, seeded.Moments]


def choose(
    task: Task,
    folder: Path,
    slots: list[Slot],
    *,
    file: Path | None = None,
    download: bool = False,
    progress: Progress | None = None,
) -> Source:
    """The first source in the task's order that is there.

    A local file counts when the user names one (``file``), what has to be downloaded when the user asks for it
    (``download``), or, for a package, did so before; what the user names is used whatever the order. ``folder`` is the
    task's. Raises UsageError for weights that are missing, corrupted or do not fit.
    """
    if file is not None:
        return local(file, slots)
    for source in task.weights:
        if source.kind == "hub" and download:
            return from_hub(source, slots, progress)
        if source.kind == "package" and (download or package.find(source)):
            return from_package(source, slots)
        if source.kind == "shipped" and not download:
            return shipped(source, folder, slots)
        if source.kind == "seeded" and not download:
            return from_seed(source, folder, slots)
    if download:
        raise UsageError(f"task {task.id} names no weights on the hub: name a safetensors file with --weights FILE")
    for source in task.weights:
        if source.kind == "package":
            raise NoWeights(
                f"task {task.id} has its weights in the package {source.repo} {source.revision}: get them with "
                f"'accelbench zoo fetch {task.id} --weights package', or name a safetensors file with --weights FILE"
            )
    raise NoWeights(f"task {task.id} has no weights of its own: name a safetensors file with --weights FILE")


def local(path: Path, slots: list[Slot]) -> Source:
    """Weights from a safetensors file that the user names."""
    return _safetensors("local", path, slots, path.name)


def shipped(source: WeightSource, folder: Path, slots: list[Slot]) -> Source:
    """Weights that lie beside the task, checked against its checksum."""
    path = folder / str(source.file)
    checked(path, source.sha256)
    return _safetensors("shipped", path, slots, f"shipped with the task, {path.name}")


def from_hub(source: WeightSource, slots: list[Slot], progress: Progress | None) -> Source:
    """Weights from a pinned revision on the hub, downloaded once and checked against the task's checksum."""
    path = hub.fetch(source, progress)
    return _safetensors("hub", path, slots, f"{source.repo}@{source.revision}/{source.file}")


def from_package(source: WeightSource, slots: list[Slot]) -> Source:
    """Weights from a pinned package of the Python index, fetched once and checked against the task's checksum."""
    path = package.fetch(source)
    return _safetensors("package", path, slots, f"package {source.repo} {source.revision}, {source.file}")


def from_seed(source: WeightSource, folder: Path, slots: list[Slot]) -> Source:
    """Weights drawn from the task's seed with the task's moments; what was measured instead of drawn is stored."""
    path = folder / str(source.file)
    checked(path, source.sha256)
    try:
        moments = pydantic.TypeAdapter(MomentsFile).validate_json(path.read_bytes())
    except pydantic.ValidationError as error:
        raise UsageError(f"{path} is not a file of moments ({error.errors()[0]['msg']})") from error
    lost = [slot.name for slot in slots if slot.name not in moments.tensors]
    if lost:
        raise UsageError(f"{path} has no moments for {lost[0]}: {AGAIN}")
    stored: dict[str, Array] = {}
    if moments.statistics_sha256:
        statistics = path.with_name("statistics.safetensors")
        checked(statistics, moments.statistics_sha256)
        with safetensors.safe_open(statistics, "numpy") as tensors:
            stored = {name: tensors.get_tensor(name) for name in tensors.keys()}  # noqa: SIM118
    seed = source.seed or 0

    def pieces(slot: Slot) -> Iterator[Array]:
        if moments.tensors[slot.name].kind == "stored":
            return iter([stored[slot.name].astype(slot.dtype).reshape(-1)])
        drawn = seeded.chunks(slot.name, slot.count, moments.tensors[slot.name], seed)
        return (piece.astype(slot.dtype, copy=False) for piece in drawn)

    key = _digest(["seeded", seeded.TRANSFORM, seed, source.sha256])
    return Source("seeded", key, f"drawn from seed {seed}", pieces)


def checked(path: Path, sha256: str | None) -> bytes:
    """The bytes of a file that comes with accelbench. Raises UsageError when it is missing or corrupted."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}): {AGAIN}") from error
    if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
        raise UsageError(f"{path} is corrupted, its checksum is not the task's: {AGAIN}")
    return data


def graph_bytes(task: Task, folder: Path) -> bytes:
    """The task's graph, unpacked and checked against ``task.graph_sha256``."""
    path = folder / task.graph
    data = checked(path, None)
    try:
        graph = gzip.decompress(data) if path.suffix == ".gz" else data
    except (OSError, EOFError) as error:
        raise UsageError(f"{path} is corrupted ({error}): {AGAIN}") from error
    if hashlib.sha256(graph).hexdigest() != task.graph_sha256:
        raise UsageError(f"{path} is corrupted, its checksum is not the task's: {AGAIN}")
    return graph


def _safetensors(kind: Kind, path: Path, slots: list[Slot], detail: str) -> Source:
    """Checks names, shapes and types of every slot before the first byte is used. A hub's index of several files stands
    for all of them; float16 and bfloat16 are taken for float32, which holds their values exactly."""
    files = _shards(path) if path.name.endswith(INDEX) else {}
    for file in sorted(set(files.values()) or {path}):
        try:
            with safetensors.safe_open(file, "numpy") as tensors:
                present = set(tensors.keys())
                for slot in slots:
                    if files.get(slot.name, path) in (file, path):
                        _check(tensors, present, slot, file)
        except FileNotFoundError as error:
            raise UsageError(f"{file} does not exist: name a safetensors file") from error
        except (OSError, safetensors.SafetensorError) as error:
            raise UsageError(f"{file} is not a readable safetensors file ({error}): name another one") from error

    def pieces(slot: Slot) -> Iterator[Array]:
        file = files.get(slot.name, path)
        with safetensors.safe_open(file, "numpy") as tensors:
            if tensors.get_slice(slot.name).get_dtype() == "BF16":
                yield from _widened(file, slot)
            else:
                yield tensors.get_tensor(slot.name).astype(slot.dtype, copy=False).reshape(-1)

    return Source(
        kind, _digest([kind, *(file_sha256(file) for file in sorted({path, *files.values()}))]), detail, pieces
    )


def _check(tensors: Any, present: set[str], slot: Slot, file: Path) -> None:
    if slot.name not in present:
        raise UsageError(f"{file} has no tensor {slot.name}, which the graph needs{_hint(present)}")
    view = tensors.get_slice(slot.name)
    shape, dtype = tuple(view.get_shape()), _DTYPES.get(view.get_dtype(), view.get_dtype())
    if shape != slot.shape or dtype not in (slot.dtype, *(_NARROW if slot.dtype == "float32" else ())):
        raise UsageError(
            f"{file}: tensor {slot.name} is {dtype}{list(shape)}, the graph needs {slot.dtype}{list(slot.shape)}"
        )


def _shards(index: Path) -> dict[str, Path]:
    """The file of each tensor by a hub's index, which lies beside them."""
    try:
        named = json.loads(index.read_bytes())["weight_map"]
        return {name: index.parent / Path(file).name for name, file in named.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{index} is no index of safetensors files ({error}): name another one") from error


def _widened(path: Path, slot: Slot) -> Iterator[Array]:
    """A tensor of bfloat16, which NumPy does not know, as float32: it is the upper half of one."""
    with path.open("rb") as handle:
        size = int.from_bytes(handle.read(8), "little")
        start, _ = json.loads(handle.read(size))[slot.name]["data_offsets"]
    halves = np.memmap(path, "<u2", "r", 8 + size + start, (slot.count,))
    for first in range(0, slot.count, seeded.CHUNK):
        yield (halves[first : first + seeded.CHUNK].astype(np.uint32) << np.uint32(16)).view(np.float32)


def _hint(present: set[str]) -> str:
    return f"; it has {len(present)} others, the first is {min(present)}" if present else "; it is empty"


def file_sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()


_DTYPES = {
    "F64": "float64", "F32": "float32", "F16": "float16", "I64": "int64", "I32": "int32", "I16": "int16",
    "I8": "int8", "U8": "uint8", "BOOL": "bool", "BF16": "bfloat16",
}  # fmt: skip
"""Safetensors' names of types and NumPy's."""

_NARROW = ("float16", "bfloat16")

INDEX = ".safetensors.index.json"
"""How the name of a hub's index of several files ends."""
