"""Cases of the ONNX project as files: what is kept, and why a case is left out."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.backend.test.case.test_case import TestCase as OnnxCase

from accelbench.acceptance import cases
from accelbench.worker.cases import case_of

X = np.array([[1.0, -2.0]], np.float32)


def case(name: str, node: onnx.NodeProto, given: list[Any], wanted: list[Any], **types: Any) -> OnnxCase:
    def value(name: str, array: Any) -> onnx.ValueInfoProto:
        if name in types:
            return helper.make_value_info(name, types[name])
        kind = array.data_type if isinstance(array, TensorProto) else helper.np_dtype_to_tensor_dtype(array.dtype)
        return helper.make_tensor_value_info(name, kind, ["n"] * len(getattr(array, "shape", ())))

    graph = helper.make_graph(
        [node],
        name,
        [value(name, array) for name, array in zip(filter(None, node.input), given, strict=True)],
        [value(name, array) for name, array in zip(node.output, wanted, strict=True)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid(node.domain, 13)])
    return OnnxCase(name, name, None, None, model, [(given, wanted)], "node", 1e-3, 1e-7)


def test_a_case_becomes_a_model_with_the_shapes_of_its_data(tmp_path: Path) -> None:
    node = helper.make_node("Abs", ["x"], ["y"])
    cases.write([case("test_abs", node, [X], [abs(X)])], tmp_path)
    row = json.loads((tmp_path / "index.json").read_text())["test_abs"]
    assert (row["operator"], row["opset"], row["problem"]) == ("Abs", 13, None)
    assert case_of(row).inputs[0].shape == (1, 2)
    model = onnx.load(tmp_path / "test_abs" / "model.onnx")
    assert [dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim] == [1, 2]
    with np.load(tmp_path / "test_abs" / "data.npz") as data:
        assert np.array_equal(data["o0"], abs(X))


def test_scalars_and_protos_are_arrays(tmp_path: Path) -> None:
    node = helper.make_node("Add", ["x", "s"], ["y"])
    given = [numpy_helper.from_array(X), np.float32(1)]
    cases.write([case("test_add", node, given, [X + 1])], tmp_path)
    row = case_of(json.loads((tmp_path / "index.json").read_text())["test_add"])
    assert [spec.shape for spec in row.inputs] == [(1, 2), ()]


def test_an_expanded_case_counts_for_its_operator(tmp_path: Path) -> None:
    whole = case("test_celu", helper.make_node("Celu", ["x"], ["y"]), [X], [X])
    expanded = case("test_celu_expanded", helper.make_node("Max", ["x"], ["y"]), [X], [X])
    foreign = case("test_scaler", helper.make_node("Scaler", ["x"], ["y"], domain="ai.onnx.ml"), [X], [X])
    cases.write([whole, expanded, foreign], tmp_path)
    index = json.loads((tmp_path / "index.json").read_text())
    assert [row["operator"] for row in index.values()] == ["Celu", "Celu", "ai.onnx.ml.Scaler"]


@pytest.mark.parametrize(
    ("node", "given", "types", "text"),
    [
        (
            helper.make_node("Abs", ["x"], ["y"]),
            [np.array(["a"])],
            {},
            "x is of type string, which NumPy does not have",
        ),
        (
            helper.make_node("Identity", ["x"], ["y"]),
            [X],
            {"x": helper.make_sequence_type_proto(helper.make_tensor_type_proto(1, None))},
            "x is of a sequence type",
        ),
        (
            helper.make_node("Identity", ["x"], ["y"]),
            [X],
            {"x": helper.make_tensor_type_proto(TensorProto.BFLOAT16, [1])},
            "x is of type bfloat16, which NumPy does not have",
        ),
        (helper.make_node("Bernoulli", ["x"], ["y"]), [X], {}, "its values are drawn at random"),
        (helper.make_node("Dropout", ["x", "r", "t"], ["y"]), [X, X, X], {}, "its values are drawn at random"),
    ],
)
def test_what_the_contract_cannot_express_is_left_out_with_its_reason(
    tmp_path: Path, node: onnx.NodeProto, given: list[Any], types: dict[str, Any], text: str
) -> None:
    cases.write([case("test_it", node, given, [X], **types)], tmp_path)
    row = json.loads((tmp_path / "index.json").read_text())["test_it"]
    assert row["problem"] == text
    assert [path.name for path in tmp_path.iterdir()] == ["index.json"]
