"""A user's own MODEL.onnx as a task: read and checked, shapes fixed, weights its own or drawn anew."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError
from onnx import TensorProto, helper
from onnx.external_data_helper import ExternalDataInfo, uses_external_data

from accelbench import paths
from accelbench.errors import UsageError
from accelbench.model import Artifact, Dataset, Dim, Metric, Task, TensorSpec, Tolerance, Weights, WeightSource
from accelbench.zoo.graph_facts import parameters
from accelbench.zoo.materialise import BATCH, Model
from accelbench.zoo.user_weights import seed_initializers

MODEL = "model.onnx"
SEED = 0
SAMPLES = 16

LIMIT_BYTES = 2_000_000_000
"""What one ONNX file can hold (protobuf: 2 GiB) and a little less; larger weights go beside it."""

NUMERIC = frozenset((
    TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BOOL,
    TensorProto.INT8, TensorProto.INT16, TensorProto.INT32, TensorProto.INT64,
    TensorProto.UINT8, TensorProto.UINT16, TensorProto.UINT32, TensorProto.UINT64,
))  # fmt: skip

Dimension = onnx.TensorShapeProto.Dimension
Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class UserModel:
    """An ONNX file and how it shall be used. ``proto`` has no external data loaded; ``seeded``: weights drawn anew."""

    path: Path
    proto: onnx.ModelProto
    task: Task
    seeded: bool

    @cached_property
    def content(self) -> str:
        """The sha256 over the file and its external data."""
        digest = hashlib.sha256(self.path.read_bytes())
        for file in external_files(self.proto, self.path.parent):
            with file.open("rb") as handle:
                digest.update(hashlib.file_digest(handle, "sha256").digest())
        return digest.hexdigest()

    def model(self, batch: int) -> Model:
        """The file with every shape fixed, for ``batch`` samples, in the cache of models.

        Raises UsageError for a batch other than 1 when the graph has no batch dimension.
        """
        if batch != 1 and not self.task.batched:
            raise UsageError(f"{self.path} has no batch dimension, so its batch can only be 1, not {batch}")
        inputs = tuple(_for_batch(spec, batch) for spec in self.task.inputs)
        key = json.dumps([self.content, [spec.shape for spec in inputs], SEED if self.seeded else None])
        folder = paths.home() / "models" / hashlib.sha256(key.encode()).hexdigest()[:24]
        if not folder.is_dir():
            with paths.building(folder) as temporary:
                self._write(temporary, inputs)
        data = (folder / MODEL).read_bytes()
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        weights = Weights(
            kind="seeded" if self.seeded else "model",
            sha256=hashlib.sha256(f"{self.content} {SEED if self.seeded else 'own'}".encode()).hexdigest(),
            parameters=parameters(onnx.ModelProto.FromString(data).graph),
            detail=f"drawn anew from seed {SEED} for {self.path.name}" if self.seeded else f"inside {self.path.name}",
        )
        source = Artifact(
            name=self.path.name,
            sha256=hashlib.sha256(f"{hashlib.sha256(data).hexdigest()} {weights.sha256}".encode()).hexdigest(),
            format="onnx",
            size_bytes=size,
            maker="user",
            options={"batch": str(batch), "weights": weights.kind},
        )
        outputs = self.task.outputs
        if self.task.batched:
            outputs = tuple(_for_batch(spec, batch) for spec in outputs)
        return Model(folder / MODEL, source, weights, inputs, outputs)

    def fixed(self) -> onnx.ModelProto:
        """The graph for one sample, as the file has it, with every shape of its inputs fixed."""
        proto = onnx.ModelProto()
        proto.CopyFrom(self.proto)
        _fix(proto, tuple(_for_batch(spec, 1) for spec in self.task.inputs))
        return proto

    def _write(self, folder: Path, inputs: tuple[TensorSpec, ...]) -> None:
        proto = onnx.ModelProto()
        proto.CopyFrom(self.proto)
        if self.seeded:
            onnx.load_external_data_for_model(proto, str(self.path.parent))
            proto = seed_initializers(proto, SEED)
        else:
            for file in external_files(proto, self.path.parent):
                target = folder / file.relative_to(self.path.parent)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target)
        _fix(proto, inputs)
        onnx.save_model(proto, folder / MODEL, save_as_external_data=proto.ByteSize() > LIMIT_BYTES, location="weights")


def read(path: Path, shapes: Shapes, seeded: bool) -> UserModel:
    """The model at ``path`` as a task. ``shapes`` fixes dynamic inputs, and their symbols wherever they stand; a
    symbolic first dimension that all inputs and outputs share is the batch and needs none.

    Raises UsageError, in one line, for a file that is not a sound ONNX model, a dimension left open, and a shape
    for an input that there is not.
    """
    proto = load(path)
    inputs, outputs = signature(path, proto)
    if not inputs:
        raise UsageError(f"{path} has no inputs, so there is nothing to feed it with")
    for name in shapes:
        if name not in [spec.name for spec in inputs]:
            raise UsageError(f"--shape {name}: {path} has no such input; it has {', '.join(s.name for s in inputs)}")
    batched = not shapes and is_batched((*inputs, *outputs))
    if batched:
        inputs, outputs = tuple(map(_with_batch, inputs)), tuple(map(_with_batch, outputs))
    fixed = _fixed(path, inputs, shapes)
    _refuse_open(path, fixed, batched)
    task = Task(
        id=re.sub(r"[^\w.-]+", "-", path.stem) or "model",
        version=1,
        title=path.name,
        tier="user",
        domain="any",
        graph=path.name,
        graph_sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        weights=(WeightSource("seeded", seed=SEED) if seeded else WeightSource("model"),),
        batched=batched,
        inputs=fixed,
        outputs=outputs if batched else inferred(path, proto, fixed),
        dataset=Dataset("drawn", SAMPLES, SEED),
        metric=Metric("none"),
        tolerance=Tolerance(),
        source="given by path",
    )
    return UserModel(path, proto, task, seeded)


def external_files(proto: onnx.ModelProto, folder: Path) -> list[Path]:
    """The files beside the model that hold its external data, wherever in it. Raises UsageError for one that is
    missing or lies outside ``folder``."""
    found = {}
    for tensor in (*_tensors(proto.graph), *(t for f in proto.functions for node in f.node for t in _attached(node))):
        if uses_external_data(tensor):
            location = ExternalDataInfo(tensor).location
            file = (folder / location).resolve()
            if not file.is_relative_to(folder.resolve()):
                raise UsageError(f"external data {location} of tensor {tensor.name} lies outside of {folder}")
            if not file.is_file():
                raise UsageError(f"external data {location} of tensor {tensor.name} is missing: put it into {folder}")
            found[location] = folder / location
    return [found[name] for name in sorted(found)]


def _tensors(graph: onnx.GraphProto) -> Iterator[TensorProto]:
    """Every constant of a graph and of the bodies in it."""
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in graph.node:
        yield from _attached(node)


def _attached(node: onnx.NodeProto) -> Iterator[TensorProto]:
    for attribute in node.attribute:
        yield from (attribute.t, *attribute.tensors, attribute.sparse_tensor.values, attribute.sparse_tensor.indices)
        for body in (attribute.g, *attribute.graphs):
            yield from _tensors(body)


def load(path: Path) -> onnx.ModelProto:
    """The file as it is, its external data not loaded but there. Raises UsageError where it is no sound ONNX model."""
    try:
        proto: onnx.ModelProto = onnx.ModelProto.FromString(path.read_bytes())
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such file (tasks of the zoo have no / and no .onnx)") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror})") from error
    except DecodeError:
        raise UsageError(f"{path} is not an ONNX model, or it is cut off: export or copy it again") from None
    if not proto.graph.node:
        raise UsageError(f"{path} is not an ONNX model, or an empty one: it has no graph")
    if proto.ir_version > onnx.IR_VERSION:
        raise UsageError(
            f"{path} has ONNX's IR version {proto.ir_version}, the installed onnx {onnx.__version__} knows "
            f"{onnx.IR_VERSION} at most: upgrade onnx, or export the model for an older version"
        )
    external = external_files(proto, path.parent)
    try:
        told = _tell_ranks(proto)
        onnx.checker.check_model(proto if told and not external else str(path))
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError, ValueError) as error:
        first = " ".join(str(error).split())
        raise UsageError(f"{path} is not a sound ONNX model: {first[:300]}") from None
    return proto


def _tell_ranks(proto: onnx.ModelProto) -> bool:
    """Give outputs without a rank the one that follows from the graph, which ONNX demands and tools forget. Returns
    whether there were any."""
    silent = [value for value in proto.graph.output if not value.type.tensor_type.HasField("shape")]
    if silent:
        known = {value.name: value for value in onnx.shape_inference.infer_shapes(proto).graph.output}
        for value in silent:
            value.CopyFrom(known[value.name])
    return bool(silent)


def signature(path: Path, proto: onnx.ModelProto) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    """Inputs that have to be fed, and outputs; a dimension without a name gets one. UsageError for types that NumPy
    has not."""
    given = {tensor.name for tensor in proto.graph.initializer}
    given |= {tensor.values.name for tensor in proto.graph.sparse_initializer}
    inputs = tuple(_spec(path, value) for value in proto.graph.input if value.name not in given)
    return inputs, tuple(_spec(path, value) for value in proto.graph.output)


def _spec(path: Path, value: onnx.ValueInfoProto) -> TensorSpec:
    tensor = value.type.tensor_type
    if not value.type.HasField("tensor_type") or tensor.elem_type not in NUMERIC:
        kind = TensorProto.DataType.Name(tensor.elem_type) if value.type.HasField("tensor_type") else "no tensor"
        raise UsageError(f"{value.name} of {path} is {kind}: accelbench takes tensors of NumPy's real types and bool")
    dims: list[Dim] = [
        dim.dim_value if dim.HasField("dim_value") else dim.dim_param or f"{value.name}_{position}"
        for position, dim in enumerate(tensor.shape.dim)
    ]
    return TensorSpec(value.name, helper.tensor_dtype_to_np_dtype(tensor.elem_type).name, tuple(dims))


def is_batched(specs: tuple[TensorSpec, ...]) -> bool:
    """Whether the first dimension of all is one and the same symbol."""
    firsts = {spec.shape[0] if spec.shape else 0 for spec in specs}
    return len(firsts) == 1 and isinstance(firsts.pop(), str)


def _with_batch(spec: TensorSpec) -> TensorSpec:
    return replace(spec, shape=(BATCH, *spec.shape[1:]))


def _for_batch(spec: TensorSpec, batch: int) -> TensorSpec:
    return replace(spec, shape=tuple(batch if dim == BATCH else dim for dim in spec.shape))


def _fixed(path: Path, inputs: tuple[TensorSpec, ...], shapes: Shapes) -> tuple[TensorSpec, ...]:
    """The inputs with ``--shape`` applied, to the symbols of others too."""
    sizes: dict[Dim, int] = {}
    for spec in inputs:
        if spec.name in shapes:
            asked = shapes[spec.name]
            clash = len(asked) != len(spec.shape) or any(
                isinstance(dim, int) and dim != wanted for dim, wanted in zip(spec.shape, asked, strict=True)
            )
            if clash:
                given, own = ",".join(map(str, asked)), ", ".join(map(str, spec.shape))
                raise UsageError(f"--shape {spec.name}:{given} does not fit {path}, which has ({own})")
            sizes = {**dict(zip(spec.shape, asked, strict=True)), **sizes}
    return tuple(
        replace(spec, shape=shapes.get(spec.name, tuple(sizes.get(dim, dim) for dim in spec.shape))) for spec in inputs
    )


def _refuse_open(path: Path, inputs: tuple[TensorSpec, ...], batched: bool) -> None:
    """UsageError with the ``--shape`` of each input whose symbols no other one tells; the batch may stay open."""
    wanted: dict[str, str] = {}
    told: set[Dim] = set()
    for spec in inputs:
        if any(_is_open(dim) and dim not in told for dim in spec.shape[1 if batched else 0 :]):
            wanted[spec.name] = ",".join("1" if _is_open(dim) else str(dim) for dim in spec.shape)
            told.update(dim for dim in spec.shape if isinstance(dim, str))
    if wanted:
        first = next(spec for spec in inputs if spec.name in wanted)
        own, flags = (
            ", ".join(map(str, first.shape)),
            " ".join(f"--shape {name}:{dims}" for name, dims in wanted.items()),
        )
        raise UsageError(f"input {first.name} of {path} has the open shape ({own}): give one with {flags}")


def _is_open(dim: Dim) -> bool:
    return isinstance(dim, str) or dim < 1


def inferred(path: Path, proto: onnx.ModelProto, inputs: tuple[TensorSpec, ...]) -> tuple[TensorSpec, ...]:
    """The outputs with the shapes that follow from the inputs', as far as they do."""
    fixed = onnx.ModelProto()
    fixed.CopyFrom(proto)
    _fix(fixed, inputs)
    return signature(path, onnx.shape_inference.infer_shapes(fixed, data_prop=True))[1]


def _fix(proto: onnx.ModelProto, inputs: tuple[TensorSpec, ...]) -> None:
    """Give the inputs their fixed shapes, and the outputs' symbols the sizes that they have there; what was known of
    the shapes between may contradict them and goes."""
    shapes = {spec.name: spec.shape for spec in inputs}
    sizes: dict[str, int] = {}
    for value in proto.graph.input:
        if value.name in shapes:
            shape = value.type.tensor_type.shape
            symbols = [dim.dim_param for dim in shape.dim]
            sizes.update((symbol, int(size)) for symbol, size in zip(symbols, shapes[value.name], strict=False))
            del shape.dim[:]
            shape.dim.extend(Dimension(dim_value=int(size)) for size in shapes[value.name])
    for value in proto.graph.output:
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param in sizes and dim.dim_param:
                dim.dim_value = sizes[dim.dim_param]
            elif dim.dim_param:  # follows from the inputs
                dim.Clear()
    del proto.graph.value_info[:]
