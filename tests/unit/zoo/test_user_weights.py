"""Weights of any ONNX file are found by their use, drawn by name, and keep activations in range."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from accelbench.zoo.user_weights import seed_initializers

LIGHT = sorted((Path(onnx.__file__).parent / "backend" / "test" / "data" / "light").glob("*.onnx"))


def model(nodes: list[onnx.NodeProto], constants: dict[str, np.ndarray], shape: list[int]) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def tensors(proto: onnx.ModelProto) -> dict[str, np.ndarray]:
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in proto.graph.initializer}


def deep() -> onnx.ModelProto:
    """Twelve rectified linear layers whose weights are constants."""
    nodes, value = [], "x"
    for i in range(12):
        nodes.append(helper.make_node("MatMul", [value, f"w{i}"], [f"m{i}"]))
        nodes.append(helper.make_node("Relu", [f"m{i}"], [f"r{i}"]))
        value = f"r{i}"
    nodes.append(helper.make_node("MatMul", [value, "head"], ["y"]))
    constants = {f"w{i}": np.full((64, 64), 0.02, np.float32) for i in range(12)}
    return model(nodes, constants | {"head": np.full((64, 10), 0.02, np.float32)}, [8, 64])


def test_activations_stay_in_range_and_depend_on_the_input() -> None:
    x = np.random.default_rng(0).standard_normal((8, 64)).astype(np.float32)
    outputs = ReferenceEvaluator(seed_initializers(deep(), 0)).run(None, {"x": x})
    y = np.asarray(list(outputs)[0], np.float32)  # noqa: RUF015
    assert 0.2 < float(np.std(y)) < 5
    assert float(np.std(y, axis=0).mean()) > 0.05 * float(np.std(y))


def test_same_seed_same_bytes_other_seed_other_weights() -> None:
    first, again, other = (seed_initializers(deep(), seed) for seed in (0, 0, 1))
    assert first.SerializeToString(deterministic=True) == again.SerializeToString(deterministic=True)
    assert (tensors(first)["w0"] != tensors(other)["w0"]).any()


def test_batch_norm_is_a_sound_one_and_the_given_model_is_untouched() -> None:
    nodes = [helper.make_node("BatchNormalization", ["x", "s", "b", "m", "v"], ["y"])]
    given = model(nodes, {name: np.full(32, 0.02, np.float32) for name in "sbmv"}, [1, 32, 4, 4])
    drawn = tensors(seed_initializers(given, 0))
    assert drawn["v"].min() > 0.5
    assert drawn["s"].min() > 0.5
    assert not drawn["m"].any()
    assert 0 < np.abs(drawn["b"]).max() < 0.3
    assert tensors(given)["v"][0] == np.float32(0.02)


def test_scalars_integers_and_tables_are_left_alone() -> None:
    table = np.linspace(0, 1, 16, dtype=np.float32)
    nodes = [
        helper.make_node("Mul", ["x", "half"], ["a"]),
        helper.make_node("Add", ["a", "table"], ["b"]),
        helper.make_node("Reshape", ["b", "shape"], ["y"]),
    ]
    constants: dict[str, np.ndarray] = {
        "half": np.array(0.5, np.float32),
        "table": table,
        "shape": np.array([4, 8], np.int64),
    }
    drawn = tensors(seed_initializers(model(nodes, constants, [2, 16]), 0))
    assert all((drawn[name] == value).all() for name, value in constants.items())


def test_a_weight_without_its_data_is_drawn() -> None:
    given = model([helper.make_node("Gemm", ["x", "w"], ["y"], transB=1)], {"w": np.ones((5, 16), np.float32)}, [2, 16])
    tensor = given.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    drawn = tensors(seed_initializers(given, 0))["w"]
    assert drawn.shape == (5, 16)
    assert abs(float(drawn.std()) / 0.25 - 1) < 0.3  # 1 / √fan-in


@pytest.mark.parametrize(
    "path", [p for p in LIGHT if "squeezenet" in p.name or "shufflenet" in p.name], ids=lambda path: path.stem
)
def test_whole_models_lose_their_constants(path: Path) -> None:
    drawn = seed_initializers(onnx.load(path), 0)
    onnx.checker.check_model(drawn)
    assert len(drawn.graph.input) == 1
    assert not any(node.op_type == "ConstantOfShape" for node in drawn.graph.node)
    kernels = [t for t in tensors(drawn).values() if t.ndim == 4]
    assert len(kernels) > 20
    assert all(kernel.std() > 0 and np.isfinite(kernel).all() for kernel in kernels)
