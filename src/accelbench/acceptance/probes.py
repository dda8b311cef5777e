"""A small network for the parts of the test that need any model at all, what it should answer, and models and feeds
that nothing should take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from accelbench.model import TensorSpec
from accelbench.tensors import Array, Record

OPSET, IR = 17, 8
SIDE, CHANNELS, WIDTH, CLASSES = 16, 3, 8, 10
SEED = 20_26

Dim = int | str


def network(batch: Dim) -> onnx.ModelProto:
    """Two convolutions, a pooling and a linear layer, for pictures ``x`` [batch, 3, 16, 16]: ``features``
    [batch, 8, 16, 16] and ``scores`` [batch, 10], float32. The batch may be a name."""
    draws = np.random.default_rng(SEED)

    def weight(name: str, *shape: int) -> TensorProto:
        values = draws.normal(size=shape) * np.sqrt(2 / np.prod(shape[1:]))
        return numpy_helper.from_array(values.astype(np.float32), name)

    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["c1"], name="conv1", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c1"], ["r1"], name="relu1"),
        helper.make_node("Conv", ["r1", "w2"], ["c2"], name="conv2", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c2"], ["features"], name="relu2"),
        helper.make_node("GlobalAveragePool", ["features"], ["pooled"], name="pool"),
        helper.make_node("Flatten", ["pooled"], ["flat"], name="flatten"),
        helper.make_node("Gemm", ["flat", "w3"], ["scores"], name="gemm", transB=1),
    ]
    weights = [
        weight("w1", WIDTH, CHANNELS, 3, 3),
        weight("w2", WIDTH, WIDTH, 3, 3),
        weight("w3", CLASSES, WIDTH),
    ]
    return _model("probe", nodes, inputs(batch), outputs(batch), weights)


def inputs(batch: Dim) -> tuple[TensorSpec, ...]:
    return (TensorSpec("x", "float32", (batch, CHANNELS, SIDE, SIDE)),)


def outputs(batch: Dim) -> tuple[TensorSpec, ...]:
    return (
        TensorSpec("features", "float32", (batch, WIDTH, SIDE, SIDE)),
        TensorSpec("scores", "float32", (batch, CLASSES)),
    )


def samples(count: int) -> list[dict[str, Array]]:
    """Different pictures, one record each, without a batch."""
    draws = np.random.default_rng(SEED + 1)
    return [{"x": draws.normal(size=(CHANNELS, SIDE, SIDE)).astype(np.float32)} for _ in range(count)]


def expected(records: list[dict[str, Array]]) -> list[Record]:
    """What the network answers to samples, by the reference evaluator of ONNX in float32."""
    evaluator = ReferenceEvaluator(network(1))
    names = [spec.name for spec in outputs(1)]
    return [
        {
            name: np.asarray(value)[0]
            for name, value in zip(names, evaluator.run(None, {"x": record["x"][None]}), strict=True)
        }
        for record in records
    ]


def bad_models() -> Mapping[str, bytes]:
    """Files that are no model that can be run, each with what is wrong with it."""
    whole = network(1).SerializeToString()
    unknown, empty, mixed = network(1), network(1), network(1)
    unknown.graph.node[1].op_type = "NoSuchOperator"
    del empty.graph.node[:]
    mixed.graph.initializer.append(numpy_helper.from_array(np.ones(1, np.int64), "one"))
    mixed.graph.node[3].CopyFrom(helper.make_node("Add", ["c2", "one"], ["features"], name="mixed"))
    return {
        "a file that ends in the middle": whole[: len(whole) // 2],
        "an operator that does not exist": unknown.SerializeToString(),
        "a graph without nodes": empty.SerializeToString(),
        "a sum of float32 and int64": mixed.SerializeToString(),
    }


@dataclass(frozen=True)
class BadFeed:
    """A feed for a batch of 1 that is not the network's."""

    what: str
    make: Callable[[Record], Record]


BAD_FEEDS = (
    BadFeed("a wrong shape", lambda feed: {"x": feed["x"][..., : SIDE // 2].copy()}),
    BadFeed("a dimension too many", lambda feed: {"x": feed["x"][None]}),
    BadFeed("a larger batch", lambda feed: {"x": np.concatenate([feed["x"]] * 2)}),
    BadFeed("a wrong type", lambda feed: {"x": feed["x"].astype(np.float64)}),
    BadFeed("integers", lambda feed: {"x": feed["x"].astype(np.int32)}),
    BadFeed("a wrong name", lambda feed: {"z": feed["x"]}),
)


def _model(
    name: str,
    nodes: list[onnx.NodeProto],
    given: tuple[TensorSpec, ...],
    wanted: tuple[TensorSpec, ...],
    weights: list[TensorProto] | None = None,
) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes, name, [_value(spec) for spec in given], [_value(spec) for spec in wanted], weights or []
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)


def _value(spec: TensorSpec) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(
        spec.name, helper.np_dtype_to_tensor_dtype(np.dtype(spec.dtype)), list(spec.shape)
    )
