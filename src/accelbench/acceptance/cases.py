"""The ONNX project's own node cases, made once per version of the package and kept as files that a worker reads."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from accelbench import paths
from accelbench.model import TensorSpec
from accelbench.tensors import Array
from accelbench.worker.cases import DATA, INDEX, MODEL, Case

FORMAT = 1
"""Part of the kept folder's name: goes up when what is written here changes."""

SEED = 0
"""Some cases are drawn from NumPy's global generator."""

EXPANDED = "_expanded"
"""Follows the name of a case in that of its twin, whose one node is replaced by the operator's function body."""

NUMPY_KINDS = "biufc"

RANDOM = ("Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike")
"""And Dropout in training. The schemas' own mark of non-determinism is on operators like SpaceToDepth too."""


@dataclass(frozen=True)
class NodeCase:
    """A case as the host knows it. ``problem`` says why the contract has no way for it, if so."""

    name: str
    operator: str
    opset: int
    problem: str | None


def node_cases() -> tuple[Path, tuple[NodeCase, ...]]:
    """The folder of all cases, as ``worker.cases`` reads it, and what is in it, by name. It is made when it is not
    there, which takes some 20 s. Raises UsageError where it cannot be written."""
    folder = paths.home() / "cases" / f"onnx-{onnx.__version__}-{FORMAT}"
    if not folder.is_dir():
        with paths.building(folder) as temporary:
            write(_collected(), temporary)
    index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    return folder, tuple(
        NodeCase(name, row["operator"], row["opset"], row["problem"]) for name, row in sorted(index.items())
    )


def write(collected: Sequence[Any], folder: Path) -> None:
    """Write cases of ``onnx.backend.test.case`` into the empty ``folder``."""
    nodes = {case.name: case for case in collected}
    index: dict[str, dict[str, Any]] = {}
    for case in collected:
        base = nodes.get(case.name.partition(EXPANDED)[0], case).model
        domain = base.graph.node[0].domain
        row: dict[str, Any] = {
            "operator": f"{domain}.{base.graph.node[0].op_type}" if domain else base.graph.node[0].op_type,
            "opset": next((entry.version for entry in base.opset_import if entry.domain == domain), 1),
            "problem": _problem(base.graph.node[0], case.model),
        }
        if row["problem"] is None:
            row.update(asdict(_written(case, folder / case.name)))
        index[case.name] = row
    (folder / INDEX).write_text(json.dumps(index), encoding="utf-8")


def _collected() -> Sequence[Any]:
    from onnx.backend.test.case.node import collect_testcases

    kept = np.random.get_state()
    np.random.seed(SEED)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found: Sequence[Any] = collect_testcases(None)
            return found
    finally:
        np.random.set_state(kept)


def _problem(node: onnx.NodeProto, model: onnx.ModelProto) -> str | None:
    """Why a case has no form in the contract, whose tensors are arrays of NumPy's own types, or no one answer."""
    for value in (*model.graph.input, *model.graph.output):
        kind = value.type.WhichOneof("value")
        if kind != "tensor_type":
            return f"{value.name} is of a {str(kind).removesuffix('_type')} type"
        dtype = onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
        if dtype.kind not in NUMPY_KINDS or dtype.isbuiltin != 1:
            name = onnx.TensorProto.DataType.Name(value.type.tensor_type.elem_type)
            return f"{value.name} is of type {name.lower()}, which NumPy does not have"
    if node.op_type in RANDOM or (node.op_type == "Dropout" and len(node.input) == 3):
        return "its values are drawn at random"
    return None


def _written(case: Any, folder: Path) -> Case:
    """Write the model, with the shapes that its data have, and the data."""
    folder.mkdir()
    ((given, wanted),) = case.data_sets
    graph = case.model.graph
    inputs = [_array(value) for value in given]
    outputs = [_array(value) for value in wanted]
    for value, array in zip(graph.input, inputs, strict=True):
        value.type.tensor_type.shape.CopyFrom(
            onnx.helper.make_tensor_type_proto(value.type.tensor_type.elem_type, array.shape).tensor_type.shape
        )
    (folder / MODEL).write_bytes(case.model.SerializeToString())
    arrays = {f"i{i}": array for i, array in enumerate(inputs)} | {f"o{i}": array for i, array in enumerate(outputs)}
    np.savez(folder / DATA, allow_pickle=False, **arrays)
    return Case(
        inputs=tuple(_spec(value.name, array) for value, array in zip(graph.input, inputs, strict=True)),
        outputs=tuple(_spec(value.name, array) for value, array in zip(graph.output, outputs, strict=True)),
        rtol=case.rtol,
        atol=case.atol,
    )


def _array(value: Any) -> Array:
    if isinstance(value, onnx.TensorProto):
        return onnx.numpy_helper.to_array(value)
    return np.asarray(value)


def _spec(name: str, array: Array) -> TensorSpec:
    return TensorSpec(name, array.dtype.name, array.shape)
