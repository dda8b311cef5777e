"""A complete model appears whole, is found again quickly, and is made anew when it is broken."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnx
import pytest
import safetensors.numpy
from onnx import TensorProto, helper, numpy_helper
from onnx.external_data_helper import set_external_data

from accelbench.errors import UsageError
from accelbench.model import Dataset, Metric, Task, TensorSpec, Tolerance, WeightSource
from accelbench.zoo import materialise as module
from accelbench.zoo.materialise import Model, materialise

W = np.arange(6, dtype=np.float32).reshape(3, 2)
B = np.array([10, 20], np.float32)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ACCELBENCH_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def bare_graph() -> bytes:
    """y[batch,2] = x[batch,3] · w + b, with the data of w and b in weights.bin."""
    graph = helper.make_graph(
        [helper.make_node("Gemm", ["x", "w", "b"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 2])],
        [numpy_helper.from_array(W, "w"), numpy_helper.from_array(B, "b")],
    )
    for tensor, offset in zip(graph.initializer, (0, 64), strict=True):
        length = len(tensor.raw_data)
        set_external_data(tensor, "weights.bin", offset, length)
        tensor.ClearField("raw_data")
    data: bytes = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10
    ).SerializeToString()
    return data


def make_task(folder: Path, batched: bool = True) -> Task:
    folder.mkdir(exist_ok=True)
    graph, weights = bare_graph(), safetensors.numpy.save({"w": W, "b": B})
    (folder / "graph.onnx").write_bytes(graph)
    (folder / "weights.safetensors").write_bytes(weights)
    return Task(
        id="gemm", version=1, title="t", tier="smoke", domain="any", graph="graph.onnx",
        graph_sha256=hashlib.sha256(graph).hexdigest(),
        weights=(WeightSource("shipped", "weights.safetensors", hashlib.sha256(weights).hexdigest()),),
        batched=batched, inputs=(TensorSpec("x", "float32", ("batch", 3)),),
        outputs=(TensorSpec("y", "float32", ("batch", 2)),), dataset=Dataset("digits", 1), metric=Metric("none"),
        tolerance=Tolerance(),
    )  # fmt: skip


def loaded(model: Model) -> dict[str, np.ndarray]:
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(model.path).graph.initializer}


def test_model_is_complete_and_fixed_to_the_batch(tmp_path: Path) -> None:
    model = materialise(make_task(tmp_path / "task"), tmp_path / "task", batch=4)
    onnx.checker.check_model(model.path)
    tensors = loaded(model)
    np.testing.assert_array_equal(tensors["w"], W)
    np.testing.assert_array_equal(tensors["b"], B)
    assert model.inputs == (TensorSpec("x", "float32", (4, 3)),)
    assert model.outputs == (TensorSpec("y", "float32", (4, 2)),)
    dims = [dim.dim_value for dim in onnx.load(model.path).graph.input[0].type.tensor_type.shape.dim]
    assert dims == [4, 3]
    assert (model.weights.kind, model.weights.parameters) == ("shipped", 8)
    assert model.source.size_bytes == model.path.stat().st_size + 64 + 8


def test_batches_share_their_weights(tmp_path: Path) -> None:
    task = make_task(tmp_path / "task")
    one, eight = (materialise(task, tmp_path / "task", batch=n) for n in (1, 8))
    assert one.path.parent == eight.path.parent
    assert one.weights == eight.weights
    assert one.source.sha256 != eight.source.sha256


def test_second_call_makes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = make_task(tmp_path / "task")
    first = materialise(task, tmp_path / "task", batch=1)
    monkeypatch.setattr(module, "_build", lambda *_: pytest.fail("built again"))
    assert materialise(task, tmp_path / "task", batch=1, verify=True) == first


@pytest.mark.parametrize("damage", ["cut", "flip", "manifest", "graph"])
def test_broken_cache_is_made_anew(tmp_path: Path, damage: str) -> None:
    task = make_task(tmp_path / "task")
    first = materialise(task, tmp_path / "task", batch=1)
    weights = first.path.parent / "weights.bin"
    if damage == "cut":
        weights.write_bytes(weights.read_bytes()[:-1])
    elif damage == "flip":
        weights.write_bytes(b"\xff" + weights.read_bytes()[1:])
    elif damage == "manifest":
        (first.path.parent / "manifest.json").write_text("{}")
    else:
        first.path.write_bytes(b"")
    again = materialise(task, tmp_path / "task", batch=1)
    assert again == first
    np.testing.assert_array_equal(loaded(again)["w"], W)


def test_verify_sees_what_samples_miss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PROBES", 2)
    monkeypatch.setattr(module, "PROBE_BYTES", 1)
    task = make_task(tmp_path / "task")
    path = materialise(task, tmp_path / "task", batch=1).path.parent / "weights.bin"
    sound = path.read_bytes()
    broken = sound[:5] + b"\xff" + sound[6:]
    path.write_bytes(broken)
    materialise(task, tmp_path / "task", batch=1)
    assert path.read_bytes() == broken
    materialise(task, tmp_path / "task", batch=1, verify=True)
    assert path.read_bytes() == sound


def test_other_weights_are_another_model(tmp_path: Path) -> None:
    task = make_task(tmp_path / "task")
    own = materialise(task, tmp_path / "task", batch=1)
    mine = tmp_path / "mine.safetensors"
    mine.write_bytes(safetensors.numpy.save({"w": 2 * W, "b": B}))
    other = materialise(task, tmp_path / "task", batch=1, weights_file=mine)
    assert other.weights.kind == "local"
    assert other.weights.sha256 != own.weights.sha256
    assert other.source.sha256 != own.source.sha256
    np.testing.assert_array_equal(loaded(own)["w"], W)
    np.testing.assert_array_equal(loaded(other)["w"], 2 * W)


def test_bad_batch_and_bad_weights_leave_nothing(tmp_path: Path, home: Path) -> None:
    folder = tmp_path / "task"
    with pytest.raises(UsageError, match="cannot have batch 0"):
        materialise(make_task(folder), folder, batch=0)
    with pytest.raises(UsageError, match="cannot have batch 2: ask for 1"):
        materialise(make_task(folder, batched=False), folder, batch=2)
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(safetensors.numpy.save({"w": W}))
    with pytest.raises(UsageError, match="has no tensor b"):
        materialise(make_task(folder), folder, batch=1, weights_file=bad)
    assert not home.exists()
