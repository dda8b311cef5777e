"""The tier of operators: small files, and FLOPs as counted by hand."""

from __future__ import annotations

import math

import onnx
import pytest

from accelbench.model import Task
from accelbench.zoo import catalogue
from accelbench.zoo.graph_facts import GATES, PRODUCTS, graph_facts

TASKS = {task.id: task for task in catalogue.tasks().values() if task.id.startswith("op-")}


def attention(queries: int, keys: int, width: int, heads_width: int) -> int:
    """Projections of queries and of the result, of keys and values (``heads_width`` wide together), and the products of
    queries with keys and of weights with values, which every head has whether its keys are shared or not."""
    return 2 * (2 * queries * width**2 + 2 * keys * width * heads_width + 2 * queries * keys * width)


PRODUCTS_BY_HAND = {
    **{f"op-encoder-{n}": attention(n, n, 768, 768) + 2 * n * 2 * 768 * 3072 for n in (128, 512, 2048)},
    **{f"op-decoder-{n}": attention(n, n, 896, 128) + 2 * n * 3 * 896 * 4864 for n in (128, 512, 2048)},
    "op-attention-mha": attention(512, 512, 1024, 1024),
    "op-attention-causal": attention(512, 512, 1024, 1024),
    "op-attention-gqa": attention(512, 512, 1024, 256),
    "op-attention-mqa": attention(512, 512, 1024, 64),
    "op-attention-sliding": attention(1024, 1024, 1024, 256),
    "op-attention-cross": attention(128, 1500, 1024, 1024),
    "op-conv-3x3": 28 * 28 * 128 * (2 * 9 * 128 + 1),
    "op-conv-grouped": 56 * 56 * 128 * (2 * 9 * 4 + 1),
    "op-conv-depthwise": 28 * 28 * 144 * (2 * 9 + 1),
    "op-conv-depthwise-7x7": 56 * 56 * 96 * (2 * 49 + 1),
    "op-conv-pointwise": 28 * 28 * 512 * (2 * 256 + 1),
    "op-lstm": 2 * 100 * 4 * 512 * (256 + 512),
    "op-lstm-bidirectional": 2 * 2 * 100 * 4 * 320 * (256 + 320),
    "op-gru": 2 * 100 * 3 * 512 * (256 + 512),
    "op-mlp-gelu": 2 * 512 * 2 * 768 * 3072,
    "op-mlp-swiglu": 2 * 256 * 3 * 1024 * 2816,
    "op-softmax-vocabulary": 2 * 8 * 1024 * 32000,
    "op-embedding-bag": 0,
    **{
        f"op-gemm-{a}x{b}-{phase}": 2 * steps * a * b
        for a, b in ((4096, 6144), (4096, 14336), (14336, 4096))
        for phase, steps in (("prefill", 512), ("decode", 1))
    },
    **{f"op-norm-{kind}": 0 for kind in ("layer", "rms", "group", "batch", "instance")},
}
"""FLOPs of convolutions with their biases, matrix products and recurrent layers."""


@pytest.fixture(params=PRODUCTS_BY_HAND)
def task(request: pytest.FixtureRequest) -> Task:
    return TASKS[request.param]


def test_products_are_counted_as_by_hand(task: Task) -> None:
    graph = catalogue.graph(task)
    facts = graph_facts(graph)
    names = {n.name or n.output[0] for n in graph.graph.node if n.op_type in PRODUCTS or n.op_type in GATES}
    assert sum(facts.by_node[name] for name in names) == PRODUCTS_BY_HAND[task.id]
    assert facts.unknown == ()
    assert facts.flops > 0


def test_elementwise_operators_are_counted_by_their_outputs() -> None:
    counts = {
        "op-norm-layer": 256 * 1024,
        "op-norm-batch": 64 * 56 * 56,
        "op-norm-instance": 64 * 64 * 64,
        "op-softmax-vocabulary": 2 * 8 * 1024 * 32000 + 8 * 32000,
        "op-embedding-bag": 64 * 32 * 64 + 64 * 64,
    }
    for name, expected in counts.items():
        assert graph_facts(catalogue.graph(TASKS[name])).flops == expected, name


def test_the_tier_is_what_is_counted_here() -> None:
    assert set(TASKS) == set(PRODUCTS_BY_HAND)
    assert {task.tier for task in TASKS.values()} == {"op"}


def test_files_are_small(task: Task) -> None:
    files = list(catalogue.folder(task).iterdir())
    assert {path.name for path in files} == {"task.toml", "graph.onnx.gz", "moments.json"}
    assert sum(path.stat().st_size for path in files) < 10_000


def test_weights_are_drawn_and_standard_operators_read_them(task: Task) -> None:
    graph = catalogue.graph(task)
    assert {entry.domain for entry in graph.opset_import} <= {"", "ai.onnx"}
    external = [t for t in graph.graph.initializer if t.data_location == onnx.TensorProto.EXTERNAL]
    inline = sum(math.prod(t.dims) for t in graph.graph.initializer) - sum(math.prod(t.dims) for t in external)
    assert external
    assert inline < 200


def test_operators_are_the_ones_in_the_name() -> None:
    ops = {name: {node.op_type for node in catalogue.graph(task).graph.node} for name, task in TASKS.items()}
    expected = {
        "op-lstm": "LSTM", "op-lstm-bidirectional": "LSTM", "op-gru": "GRU", "op-norm-layer": "LayerNormalization",
        "op-norm-batch": "BatchNormalization", "op-norm-instance": "InstanceNormalization", "op-mlp-gelu": "Gelu",
        "op-softmax-vocabulary": "Softmax", "op-embedding-bag": "Gather", "op-norm-group": "InstanceNormalization",
    }  # fmt: skip
    assert {name: op for name, op in expected.items() if op not in ops[name]} == {}
