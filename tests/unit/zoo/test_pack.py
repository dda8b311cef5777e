"""A user's ONNX file and samples become a task's folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from accelbench.errors import UsageError
from accelbench.model import Task
from accelbench.zoo import catalogue, pack
from accelbench.zoo.feeds import feeds
from accelbench.zoo.materialise import materialise
from accelbench.zoo.subject import from_task

RNG = np.random.default_rng(5)
WEIGHT = RNG.standard_normal((6, 4)).astype(np.float32)
Value = tuple[str, int, tuple[int | str, ...]]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCELBENCH_HOME", str(tmp_path / "home"))


def model(
    path: Path,
    inputs: list[Value],
    outputs: list[Value],
    nodes: list[onnx.NodeProto],
    constants: dict[str, NDArray[Any]],
    **more: Any,
) -> Path:
    taken, given = ([helper.make_tensor_value_info(*value) for value in side] for side in (inputs, outputs))
    held = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = helper.make_graph(nodes, "g", taken, given, initializer=held, doc_string="made by somebody")
    onnx.save_model(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]), path, **more)
    return path


def gemm(path: Path, first: int | str = "n", **more: Any) -> Path:
    node = helper.make_node("Gemm", ["x", "w", "b"], ["y"], doc_string="/a/path.py")
    node.metadata_props.add(key="pkg.torch.onnx.stack_trace", value="File /a/path.py")
    constants: dict[str, NDArray[Any]] = {"w": WEIGHT, "b": np.ones(4, np.float32)}
    values: list[Value] = [("x", TensorProto.FLOAT, (first, 6)), ("y", TensorProto.FLOAT, (first, 4))]
    return model(path, values[:1], values[1:], [node], constants, **more)


def saved(path: Path, **arrays: NDArray[Any]) -> Path:
    np.savez(path, allow_pickle=False, **arrays)
    return path


def packed(file: Path, data: Path, folder: Path) -> Task:
    folder.mkdir()
    task = pack.pack(file, data, folder, name="mine", title="Mine", domain="any", source="here")
    pack.write(task, folder)
    assert catalogue.load(folder) == task
    return task


X = RNG.standard_normal((5, 6)).astype(np.float32)


def test_a_model_with_a_batch(tmp_path: Path) -> None:
    task = packed(gemm(tmp_path / "m.onnx"), saved(tmp_path / "d.npz", x=X, labels=np.arange(5)), tmp_path / "t")
    assert (task.tier, task.batched, task.dataset.count) == ("user", True, 5)
    assert [spec.shape for spec in (*task.inputs, *task.outputs)] == [("batch", 6), ("batch", 4)]
    found = feeds(task, tmp_path / "t")
    assert found.labels is not None
    assert found.labels.tolist() == [0, 1, 2, 3, 4]
    whole = onnx.load(str(materialise(task, tmp_path / "t", batch=3).path))
    assert [dim.dim_value for dim in whole.graph.input[0].type.tensor_type.shape.dim] == [3, 6]
    assert (numpy_helper.to_array(whole.graph.initializer[0]) == WEIGHT).all()
    onnx.checker.check_model(whole, full_check=True)


def test_the_graph_has_no_weights_and_says_nothing_of_its_maker(tmp_path: Path) -> None:
    task = packed(gemm(tmp_path / "m.onnx"), saved(tmp_path / "d.npz", x=X), tmp_path / "t")
    text = catalogue.graph(task, tmp_path / "t").SerializeToString()
    assert not any(word in text for word in (b"path.py", b"somebody", WEIGHT.tobytes()[:16]))


def test_the_folder_is_all_that_is_needed(tmp_path: Path) -> None:
    packed(gemm(tmp_path / "m.onnx"), saved(tmp_path / "d.npz", x=X), tmp_path / "t")
    moved = (tmp_path / "t").rename(tmp_path / "elsewhere")
    subject = from_task(catalogue.load(moved), None, folder=moved)
    assert subject.model(1).weights.kind == "shipped"
    assert subject.roster is None
    assert subject.facts.parameters == 28
    assert subject.calibration.sha256 != subject.feeds.sha256


def test_packing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        packed(gemm(tmp_path / "m.onnx"), saved(tmp_path / "d.npz", x=X), tmp_path / name)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


def test_weights_beside_the_model_are_taken_in(tmp_path: Path) -> None:
    file = gemm(tmp_path / "m.onnx", save_as_external_data=True, location="w.bin", size_threshold=0)
    task = packed(file, saved(tmp_path / "d.npz", x=X), tmp_path / "t")
    (tmp_path / "w.bin").unlink()
    whole = onnx.load(str(materialise(task, tmp_path / "t", batch=1).path))
    assert (numpy_helper.to_array(whole.graph.initializer[0]) == WEIGHT).all()


@pytest.mark.parametrize("shape", [(5, 1, 6), (5, 6)])
def test_a_model_for_one_sample_takes_rows_with_and_without_their_own_axis(
    tmp_path: Path, shape: tuple[int, ...]
) -> None:
    task = packed(gemm(tmp_path / "m.onnx", 1), saved(tmp_path / "d.npz", x=X.reshape(shape)), tmp_path / "t")
    assert (task.batched, task.inputs[0].shape, task.dataset.count) == (False, (1, 6), 5)


def test_samples_fix_what_the_model_leaves_open(tmp_path: Path) -> None:
    nodes = [helper.make_node("Relu", ["x"], ["y"])]
    values: list[Value] = [(name, TensorProto.FLOAT, ("n", "length", 2)) for name in "xy"]
    file = model(tmp_path / "m.onnx", values[:1], values[1:], nodes, {})
    task = packed(file, saved(tmp_path / "d.npz", x=np.ones((3, 7, 2), np.float32)), tmp_path / "t")
    assert [spec.shape for spec in (*task.inputs, *task.outputs)] == [("batch", 7, 2), ("batch", 7, 2)]
    assert [source.kind for source in task.weights] == ["local"], "there are none to ship"


def test_what_shapes_follow_from_stays_in_the_graph(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Resize", ["x", "", "scales"], ["big"]),
        helper.make_node("Gather", ["table", "i"], ["rows"]),
        helper.make_node("Reshape", ["rows", "shape"], ["out"]),
    ]
    constants: dict[str, NDArray[Any]] = {
        "scales": np.array([1, 1, 2, 2], np.float32),
        "table": np.arange(600, dtype=np.int64),
        "shape": np.array([-1, 1]),
    }
    inputs: list[Value] = [("x", TensorProto.FLOAT, (1, 1, 4, 4)), ("i", TensorProto.INT64, (3,))]
    outputs: list[Value] = [("big", TensorProto.FLOAT, (1, 1, 8, 8)), ("out", TensorProto.INT64, (3, 1))]
    data = saved(tmp_path / "d.npz", x=np.ones((2, 1, 1, 4, 4), np.float32), i=np.arange(6).reshape(2, 3))
    task = packed(model(tmp_path / "m.onnx", inputs, outputs, nodes, constants), data, tmp_path / "t")
    held = catalogue.graph(task, tmp_path / "t").graph.initializer
    outside = [tensor.name for tensor in held if tensor.data_location == TensorProto.EXTERNAL]
    assert outside == ["table"]


@pytest.mark.parametrize(
    ("arrays", "complaint"),
    [
        ({"y": X}, "has arrays for y; the model's inputs are x"),
        ({"x": X, "y": X}, "has arrays for x, y; the model's inputs are x"),
        ({"x": X, "labels": np.arange(4)}, "as many rows in every array"),
        ({"x": X[:0]}, "as many rows in every array"),
        ({"x": X.astype(np.float64)}, r"x is float64 of shape \(5, 6\); the model takes float32 of shape \(N, 6\)"),
        ({"x": X[:, :3]}, r"x is float32 of shape \(5, 3\)"),
        ({"x": X[:, :, None]}, r"x is float32 of shape \(5, 6, 1\)"),
    ],
)
def test_samples_that_do_not_fit(tmp_path: Path, arrays: dict[str, NDArray[Any]], complaint: str) -> None:
    file, data = gemm(tmp_path / "m.onnx"), saved(tmp_path / "d.npz", **arrays)
    with pytest.raises(UsageError, match=complaint):
        packed(file, data, tmp_path / "t")


@pytest.mark.parametrize(
    ("text", "name"), [("My Model v2", "my-model-v2"), ("org/Some_Net-1.5", "org-some-net-1.5"), ("…", "task")]
)
def test_names(text: str, name: str) -> None:
    assert pack.name_of(text) == name
