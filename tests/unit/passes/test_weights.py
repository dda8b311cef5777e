"""What passes do to a model's weights, exactly."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from accelbench.errors import Unsupported
from accelbench.passes.names import read
from accelbench.passes.weights import (
    BLOCK,
    contents,
    grouped_zeroed,
    in_bfloat16,
    in_int4,
    prune,
    smallest_zeroed,
    weights,
)

Floats = np.ndarray[Any, np.dtype[np.float32]]
MATRICES = arrays(
    np.float32, st.tuples(st.integers(1, 5), st.sampled_from([4, 8, 12])), elements=st.floats(-9, 9, width=32)
)


def model(values: dict[str, Floats], nodes: list[onnx.NodeProto], size: int) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, size])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", "columns"])],
        [numpy_helper.from_array(value, name) for name, value in values.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def product(size: int = 64, width: int = 6) -> onnx.ModelProto:
    rng = np.random.default_rng(0)
    values = {"w": rng.normal(size=(size, width)).astype(np.float32), "b": rng.normal(size=width).astype(np.float32)}
    nodes = [helper.make_node("MatMul", ["x", "w"], ["p"]), helper.make_node("Add", ["p", "b"], ["y"])]
    return model(values, nodes, size)


def stored(proto: onnx.ModelProto, name: str) -> Floats:
    return np.asarray(next(numpy_helper.to_array(t) for t in proto.graph.initializer if t.name == name))


def run(proto: onnx.ModelProto) -> Floats:
    x = np.random.default_rng(1).normal(size=(2, 64)).astype(np.float32)
    (found,) = ReferenceEvaluator(proto).run(None, {"x": x})
    return np.asarray(found)


def test_weights_are_what_products_sum_over() -> None:
    rng = np.random.default_rng(0)
    names: dict[str, Floats] = {
        name: rng.normal(size=shape).astype(np.float32)
        for name, shape in (("m", (4, 4)), ("g", (4, 4)), ("t", (4, 4)), ("bias", (4,)), ("q", (4, 4)), ("s", ()))
    }
    nodes = [
        helper.make_node("MatMul", ["x", "m"], ["a"]),
        helper.make_node("Gemm", ["a", "g", "bias"], ["b"]),
        helper.make_node("Gemm", ["b", "t"], ["c"], transB=1),
        helper.make_node("DequantizeLinear", ["q", "s"], ["d"]),
        helper.make_node("MatMul", ["c", "d"], ["e"]),
        helper.make_node("MatMul", ["e", "c"], ["y"]),
    ]
    assert weights(model(names, nodes, 4).graph) == {"m": -2, "g": 0, "t": 1, "q": -2}


@given(MATRICES, st.floats(0.01, 0.99))
def test_the_share_of_the_smallest_becomes_zero(value: Floats, share: float) -> None:
    before = value.copy()
    pruned = smallest_zeroed(value, share)
    count = int(np.floor(share * value.size))
    gone = (pruned == 0) & (value != 0)
    assert np.array_equal(value, before)
    assert np.count_nonzero(pruned == 0) >= count
    assert np.array_equal(pruned[~gone], value[~gone])
    kept = np.abs(value[~gone & (value != 0)])
    assert not gone.any() or not kept.size or np.abs(value[gone]).max() <= kept.min()


@given(MATRICES, st.integers(0, 1), st.sampled_from([(1, 2), (2, 4), (1, 4)]))
def test_every_group_keeps_its_largest(value: Floats, axis: int, pattern: tuple[int, int]) -> None:
    keep, group = pattern
    pruned = grouped_zeroed(value, axis, keep, group)
    if value.shape[axis] % group:
        assert pruned is None
        return
    assert pruned is not None
    for old, new in zip(
        np.moveaxis(value, axis, -1).reshape(-1, group), np.moveaxis(pruned, axis, -1).reshape(-1, group), strict=True
    ):
        assert np.count_nonzero(new) <= keep
        assert np.isclose(np.abs(new).sum(), np.sort(np.abs(old))[-keep:].sum())
        assert set(new[new != 0]) <= set(old)


def test_pruning_changes_weights_and_nothing_else(tmp_path: Path) -> None:
    proto = product()
    bias = stored(proto, "b")
    prune(proto, read("prune:2:4"))
    assert np.array_equal(stored(proto, "b"), bias)
    onnx.save(proto, tmp_path / "m.onnx")
    found = contents(tmp_path / "m.onnx")
    assert found is not None
    assert (dict(found.values), found.sparsity) == ({"float": 64 * 6}, 0.5)


def test_bfloat16_rounds_to_nearest_even_and_runs(tmp_path: Path) -> None:
    proto = product()
    exact = np.array([1.0, 1.00390625, 1.01171875, -3.0, 1e-3, 65280.0], np.float32)
    value = stored(proto, "w").copy()
    value[0] = exact
    proto.graph.initializer[0].CopyFrom(numpy_helper.from_array(value, "w"))
    before = run(proto)
    in_bfloat16(proto)
    onnx.checker.check_model(proto)
    kept = stored(proto, "w/bfloat16").astype(np.float32)
    assert kept[0].tolist() == [1.0, 1.0, 1.015625, -3.0, pytest.approx(1e-3, rel=2**-8), 65280.0]
    assert np.abs(kept / value - 1).max() <= 2**-8
    onnx.save(proto, tmp_path / "m.onnx")
    found = contents(tmp_path / "m.onnx")
    assert found is not None
    assert dict(found.values) == {"bfloat16": 64 * 6}
    assert 0 < np.linalg.norm(run(proto) - before) / np.linalg.norm(before) < 2**-7


@pytest.mark.parametrize("transposed", [False, True])
def test_int4_keeps_a_scale_for_each_block(tmp_path: Path, transposed: bool) -> None:
    proto = product()
    if transposed:
        value = np.ascontiguousarray(stored(proto, "w").T)
        proto = model({"w": value}, [helper.make_node("Gemm", ["x", "w"], ["y"], transB=1)], 64)
    value, before = stored(proto, "w"), run(proto)
    proto = in_int4(proto)
    onnx.checker.check_model(proto)
    axis = 1 if transposed else 0
    scale = stored(proto, "w/scale")
    whole = stored(proto, "w/int4").astype(np.float32)
    assert scale.shape[axis] == 64 // BLOCK
    assert np.abs(whole).max() == 7
    back = whole * np.repeat(scale, BLOCK, axis)
    assert np.all(np.abs(back - value) <= np.repeat(scale, BLOCK, axis) * 0.5001)
    onnx.save(proto, tmp_path / "m.onnx")
    found = contents(tmp_path / "m.onnx")
    assert found is not None
    assert dict(found.values) == {"int4": 64 * 6}
    assert 0.01 < np.linalg.norm(run(proto) - before) / np.linalg.norm(before) < 0.2


def test_int4_says_where_there_is_nothing_for_it() -> None:
    small = model({"w": np.ones((8, 6), np.float32)}, [helper.make_node("MatMul", ["x", "w"], ["y"])], 8)
    with pytest.raises(Unsupported, match="no matrix product sums over a multiple of 32 constants"):
        in_int4(small)


def test_a_file_without_weights_is_not_counted(tmp_path: Path) -> None:
    onnx.save(model({}, [helper.make_node("Relu", ["x"], ["y"])], 4), tmp_path / "m.onnx")
    assert contents(tmp_path / "m.onnx") is None
