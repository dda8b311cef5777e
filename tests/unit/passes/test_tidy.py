"""Nodes get in order and unused domains leave, whatever a tool wrote."""

from __future__ import annotations

from random import Random

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from accelbench.passes.tidy import tidy


def value(name: str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, [2])


def model(nodes: list[onnx.NodeProto], outputs: list[str], domains: tuple[str, ...] = ("",)) -> onnx.ModelProto:
    flag = helper.make_tensor_value_info("flag", TensorProto.BOOL, [])
    graph = helper.make_graph(nodes, "g", [value("x"), flag], [value(name) for name in outputs])
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid(domain, 1 + 20 * (not domain)) for domain in domains]
    )


def names(graph: onnx.GraphProto) -> list[str]:
    return [node.output[0] for node in graph.node]


@given(st.lists(st.sets(st.integers(0, 30), max_size=3), min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_any_order_becomes_one_that_onnx_takes(reads: list[set[int]], random: Random) -> None:
    """Node k reads from nodes before it; they are written down in any order."""
    nodes = [
        helper.make_node("Sum", ["x", *(f"t{before % number}" for before in sorted(wanted) if number)], [f"t{number}"])
        for number, wanted in enumerate(reads)
    ]
    random.shuffle(nodes)
    made = tidy(model(nodes, ["t0"]))
    assert sorted(names(made.graph)) == sorted(f"t{number}" for number in range(len(reads)))
    onnx.checker.check_model(made)


def test_what_is_in_order_stays_as_it_is() -> None:
    before = model([helper.make_node("Relu", ["x"], ["b"]), helper.make_node("Relu", ["x"], ["a"])], ["a", "b"])
    after = onnx.ModelProto.FromString(before.SerializeToString())
    assert tidy(after) == before


def test_a_node_waits_for_what_its_graphs_read() -> None:
    """The branches read a tensor of the graph around, one of them as its output, and are sorted themselves."""
    late = [helper.make_node("Relu", ["inner"], ["then"]), helper.make_node("Neg", ["made"], ["inner"])]
    branches = {
        "then_branch": helper.make_graph(late, "yes", [], [value("then")]),
        "else_branch": helper.make_graph([], "no", [], [value("other")]),
    }
    chosen = helper.make_node("If", ["flag"], ["y"], **branches)
    made = tidy(
        model([chosen, helper.make_node("Neg", ["x"], ["made"]), helper.make_node("Abs", ["x"], ["other"])], ["y"])
    )
    assert names(made.graph) == ["made", "other", "y"]
    then = next(each.g for each in made.graph.node[2].attribute if each.name == "then_branch")
    assert names(then) == ["inner", "then"]


def test_nodes_that_wait_for_one_another_are_an_error() -> None:
    ring = [helper.make_node("Relu", ["b"], ["a"]), helper.make_node("Relu", ["a"], ["b"])]
    with pytest.raises(ValueError, match="2 nodes of the graph wait for one another"):
        tidy(model(ring, ["a"]))


def test_domains_that_no_node_is_of_leave_and_those_in_graphs_stay() -> None:
    inner = helper.make_graph([helper.make_node("Mine", ["x"], ["z"], domain="mine")], "yes", [], [value("z")])
    other = helper.make_graph([helper.make_node("Relu", ["x"], ["w"])], "no", [], [value("w")])
    chosen = helper.make_node("If", ["flag"], ["y"], then_branch=inner, else_branch=other)
    made = tidy(model([chosen], ["y"], ("ai.onnx.preview", "", "mine", "com.microsoft")))
    assert [each.domain for each in made.opset_import] == ["", "mine"]
