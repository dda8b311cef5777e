"""FLOPs of small graphs are those counted by hand, and of known networks those of the literature."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tests.unit.zoo.realism import model, value, weights

from accelbench.zoo import catalogue
from accelbench.zoo.graph_facts import GraphFacts, graph_facts


def count(
    op: str,
    shapes: list[list[int | str]],
    constants: list[tuple[int, ...]],
    attributes: dict[str, Any] | None = None,
    batch: int = 1,
) -> GraphFacts:
    """The facts of one node with inputs of ``shapes`` followed by initializers of shapes ``constants``."""
    inputs = [value(f"x{i}", shape) for i, shape in enumerate(shapes)]
    tensors = [weights(f"w{i}", *dims) for i, dims in enumerate(constants)]
    names = [v.name for v in inputs] + [t.name for t in tensors]
    node = helper.make_node(op, names, ["y"], "n", **(attributes or {}))
    return graph_facts(model([node], inputs, [value("y", None)], tensors), batch)


CASES = [
    ("Conv", [[1, 3, 8, 8]], [(16, 3, 3, 3)], {}, 2 * 16 * 6 * 6 * 27),
    ("Conv", [[1, 3, 8, 8]], [(16, 3, 3, 3), (16,)], {}, 2 * 16 * 6 * 6 * 27 + 16 * 36),
    ("Conv", [[1, 8, 8, 8]], [(8, 1, 3, 3)], {"group": 8}, 2 * 8 * 36 * 9),
    ("ConvTranspose", [[1, 4, 5, 5]], [(4, 6, 2, 2)], {"strides": [2, 2]}, 2 * 100 * 24),
    ("ConvTranspose", [[1, 4, 5, 5]], [(4, 3, 2, 2), (6,)], {"strides": [2, 2], "group": 2}, 2 * 100 * 12 + 600),
    ("MatMul", [[2, 3, 4, 5]], [(5, 6)], {}, 2 * 24 * 6 * 5),
    ("MatMul", [[7, 4, 5], [7, 5, 6]], [], {}, 2 * 7 * 4 * 6 * 5),
    ("MatMul", [[5]], [(5, 6)], {}, 2 * 30),
    ("MatMul", [[4, 5]], [(5,)], {}, 2 * 20),
    ("MatMul", [[5], [5]], [], {}, 10),
    ("Gemm", [[4, 5]], [(5, 6)], {}, 2 * 120),
    ("Gemm", [[4, 5]], [(6, 5), (6,)], {"transB": 1}, 2 * 120 + 24),
    ("Gemm", [[5, 4]], [(5, 6)], {"transA": 1}, 2 * 120),
    ("LSTM", [[7, 2, 5]], [(1, 16, 5), (1, 16, 4)], {"hidden_size": 4}, 2 * 7 * 2 * 16 * 9),
    ("GRU", [[7, 2, 5]], [(2, 12, 5), (2, 12, 4)], {"hidden_size": 4, "direction": "bidirectional"}, 4 * 14 * 12 * 9),
    ("RNN", [[7, 2, 5]], [(1, 4, 5), (1, 4, 4)], {"hidden_size": 4}, 2 * 7 * 2 * 4 * 9),
    ("Relu", [[2, 3, 4]], [], {}, 24),
    ("Add", [[2, 3], [3]], [], {}, 6),
    ("Softmax", [[2, 3]], [], {}, 6),
    ("Transpose", [[2, 3]], [], {}, 0),
]


@pytest.mark.parametrize(("op", "shapes", "constants", "attributes", "expected"), CASES)
def test_operators(
    op: str,
    shapes: list[list[int | str]],
    constants: list[tuple[int, ...]],
    attributes: dict[str, Any],
    expected: int,
) -> None:
    facts = count(op, shapes, constants, attributes)
    assert facts.by_node == {"n": expected}
    assert facts.flops == expected
    assert facts.unknown == ()
    assert facts.parameters == sum(int(np.prod(dims)) for dims in constants)


@pytest.mark.parametrize("batch", [1, 3])
def test_symbolic_dimensions_are_the_batch(batch: int) -> None:
    assert count("MatMul", [["N", 4]], [(4, 5)], batch=batch).flops == 40 * batch


def test_an_output_whose_symbol_is_no_inputs_follows_from_the_inputs() -> None:
    nodes = [helper.make_node("Concat", ["x", "x"], ["c"], axis=0), helper.make_node("Relu", ["c"], ["y"])]
    facts = graph_facts(model(nodes, [value("x", ["N", 4])], [value("y", ["2*N", 4])]), 3)
    assert facts.flops == 24


def test_an_output_dimension_without_a_name_is_not_the_batch() -> None:
    node = helper.make_node("Relu", ["x"], ["y"])
    assert graph_facts(model([node], [value("x", [7, None])], [value("y", [None, None])]), 3).flops == 21


def test_integer_arithmetic_counts_nothing() -> None:
    kind = TensorProto.INT64
    node = helper.make_node("Add", ["x", "x"], ["y"], "n")
    assert graph_facts(model([node], [value("x", [4], kind)], [value("y", [4], kind)])).by_node == {"n": 0}


def test_comparing_floats_gives_no_float() -> None:
    node = helper.make_node("Greater", ["x", "x"], ["y"], "n")
    assert graph_facts(model([node], [value("x", [4])], [value("y", [4], TensorProto.BOOL)])).by_node == {"n": 0}


def test_nodes_of_unknown_shape_or_work_are_listed() -> None:
    nodes = [
        helper.make_node("NonZero", ["x"], ["places"], "places"),
        helper.make_node("Cast", ["places"], ["floats"], "cast", to=TensorProto.FLOAT),
        helper.make_node("Relu", ["floats"], ["y"], "unknown shape"),
        helper.make_node("Einsum", ["x", "x"], ["z"], "unknown work", equation="ij,ij->i"),
        helper.make_node("Fancy", ["x"], ["w"], "unknown domain", domain="com.example"),
    ]
    made = model(nodes, [value("x", [2, 2])], [value("y", None), value("z", None), value("w", None)])
    made.opset_import.append(helper.make_opsetid("com.example", 1))
    facts = graph_facts(made)
    assert facts.unknown == ("unknown shape", "unknown work", "unknown domain")
    assert facts.flops == 0


def test_nodes_without_or_with_equal_names_are_all_counted() -> None:
    nodes = [
        helper.make_node("Relu", ["x"], ["a"]),
        helper.make_node("Relu", ["a"], ["b"], "twice"),
        helper.make_node("Relu", ["b"], ["y"], "twice"),
    ]
    facts = graph_facts(model(nodes, [value("x", [4])], [value("y", [4])]))
    assert facts.by_node == {"a": 4, "twice": 8}


def test_shapes_that_the_graph_computes_are_followed() -> None:
    """As PyTorch's exporter writes ``x.view(x.shape[0], 2, 2)``: Shape, Squeeze, Reshape to [1], Concat, Reshape."""
    one = numpy_helper.from_array(np.array([-1]), "one")
    rest = numpy_helper.from_array(np.array([2, 2]), "rest")
    nodes = [
        helper.make_node("Shape", ["x"], ["shape"], start=0, end=1),
        helper.make_node("Squeeze", ["shape"], ["size"]),
        helper.make_node("Reshape", ["size", "one"], ["vector"]),
        helper.make_node("Concat", ["vector", "rest"], ["target"], axis=0),
        helper.make_node("Reshape", ["x", "target"], ["view"]),
        helper.make_node("MatMul", ["view", "view"], ["y"], "product"),
    ]
    made = model(nodes, [value("x", ["N", 4])], [value("y", None)], [one, rest])
    before = made.SerializeToString()
    assert graph_facts(made, 5).by_node["product"] == 5 * 16
    assert made.SerializeToString() == before, "the model itself stays as it is"


@pytest.mark.parametrize("batch", [1, 3])
def test_repeats_that_the_graph_computes_are_followed(batch: int) -> None:
    """As PyTorch's exporter writes ``w.repeat(x.shape[0], 1, 1)``."""
    one = numpy_helper.from_array(np.array([1]), "one")
    flat = numpy_helper.from_array(np.array([-1]), "flat")
    nodes = [
        helper.make_node("Shape", ["x"], ["rows"], start=0, end=1),
        helper.make_node("Squeeze", ["rows"], ["size"]),
        helper.make_node("Reshape", ["size", "flat"], ["vector"]),
        helper.make_node("Concat", ["vector", "one", "one"], ["repeats"], axis=0),
        helper.make_node("Tile", ["w", "repeats"], ["tiled"]),
        helper.make_node("MatMul", ["x", "tiled"], ["y"], name="product"),
    ]
    graph = model(
        nodes, [value("x", ["batch", 4, 8])], [value("y", None)], [weights("w", 1, 8, 5), one, flat], opset=20
    )
    facts = graph_facts(graph, batch)
    assert facts.unknown == ()
    assert (facts.by_node["product"], facts.flops) == (2 * batch * 4 * 5 * 8, 2 * batch * 4 * 5 * 8)
    assert set(facts.by_node) == {"rows", "size", "vector", "repeats", "tiled", "product"}


def test_external_and_sparse_data_need_not_be_there() -> None:
    tensor = weights("w", 4, 5)
    onnx.external_data_helper.set_external_data(tensor, "missing.bin")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    node = helper.make_node("MatMul", ["x", "w"], ["y"], "n")
    assert graph_facts(model([node], [value("x", [1, 4])], [value("y", [1, 5])], [tensor])).flops == 40


@pytest.mark.parametrize(
    ("name", "flops", "parameters"),
    [
        ("resnet50", 8.2e9, 25.6e6),  # 4.1 G multiply-adds (He et al. 2016, counted with the 3×3's stride)
        ("bert-base", 70.8e9, 109e6),  # 110 M (Devlin et al. 2018) with the pooler, which this head has not
    ],
)
def test_networks_of_the_literature(name: str, flops: float, parameters: float) -> None:
    facts = graph_facts(catalogue.graph(catalogue.find(name)))
    assert facts.flops == pytest.approx(flops, rel=0.02)
    assert facts.parameters == pytest.approx(parameters, rel=0.02)
    assert facts.unknown == ()
