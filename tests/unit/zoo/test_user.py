"""A user's ONNX file becomes a task, or one line says why not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from tests.unit.zoo.realism import model, save, value, weights

from accelbench.errors import UsageError
from accelbench.zoo.user import external_files, read


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ACCELBENCH_HOME", str(tmp_path / "home"))
    return tmp_path


def linear(first: int | str = "N", out: int | str | None = None, width: int | str = 4) -> onnx.ModelProto:
    node = helper.make_node("MatMul", ["x", "w"], ["y"], "n")
    output = value("y", [first if out is None else out, 5])
    return model([node], [value("x", [first, width])], [output], [weights("w", 4, 5)])


def external(path: Path, location: str) -> onnx.ModelProto:
    """``linear`` with its weights in another file, which is not written."""
    made = linear()
    tensor = made.graph.initializer[0]
    onnx.external_data_helper.set_external_data(tensor, location)
    (path / "data").write_bytes(tensor.raw_data)
    tensor.ClearField("raw_data")
    return made


def refused(path: Path, **shapes: tuple[int, ...]) -> str:
    with pytest.raises(UsageError) as caught:
        read(path, shapes, False)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_shared_first_symbol_is_the_batch(tmp_path: Path) -> None:
    given = read(save(linear(), tmp_path / "m.onnx"), {}, False)
    assert given.task.batched
    assert given.task.inputs[0].shape == ("batch", 4)
    assert given.task.outputs[0].shape == ("batch", 5)
    assert (given.task.id, given.task.tier) == ("m", "user")


@settings(deadline=None, max_examples=10)
@given(batch=st.integers(1, 64))
def test_the_written_model_has_the_batch_fixed(tmp_path_factory: pytest.TempPathFactory, batch: int) -> None:
    folder = tmp_path_factory.mktemp("batch")
    written = read(save(linear(), folder / "m.onnx"), {}, False).model(batch)
    onnx.checker.check_model(str(written.path), full_check=True)
    proto = onnx.load(written.path)
    for tensor in (*proto.graph.input, *proto.graph.output):
        assert tensor.type.tensor_type.shape.dim[0].dim_value == batch
    assert written.inputs[0].shape == (batch, 4)
    assert written.outputs[0].shape == (batch, 5)
    assert written.weights.parameters == 20


def test_without_a_batch_dimension_the_batch_is_one(tmp_path: Path) -> None:
    given = read(save(linear(1), tmp_path / "m.onnx"), {}, False)
    assert not given.task.batched
    assert given.model(1).outputs[0].shape == (1, 5)
    with pytest.raises(UsageError, match="its batch can only be 1, not 2"):
        given.model(2)


def test_open_dimensions_need_a_shape(tmp_path: Path) -> None:
    path = save(linear("A", out="B"), tmp_path / "m.onnx")
    assert "input x of" in refused(path)
    assert "--shape x:1,4" in refused(path)
    given = read(path, {"x": (3, 4)}, False)
    assert given.task.inputs[0].shape == (3, 4)
    assert given.task.outputs[0].shape == (3, 5), "the outputs' shapes follow"
    assert [d.dim_value for d in given.fixed().graph.input[0].type.tensor_type.shape.dim] == [3, 4]


def test_a_symbol_has_one_size_in_all_inputs(tmp_path: Path) -> None:
    nodes = [helper.make_node("Mul", ["x", "mask"], ["m"]), helper.make_node("Add", ["m", "bias"], ["y"])]
    inputs = [value("x", ["N", "T"]), value("mask", ["N", "T"]), value("bias", []), value("other", ["K"])]
    path = save(model(nodes, inputs, [value("y", ["N", "T"])], []), tmp_path / "m.onnx")
    assert "has the open shape (N, T): give one with --shape x:1,1 --shape other:1" in refused(path)
    assert refused(path, x=(2, 3)).endswith("has the open shape (K): give one with --shape other:1")
    task = read(path, {"mask": (2, 3), "other": (4,)}, False).task
    assert [spec.shape for spec in task.inputs] == [(2, 3), (2, 3), (), (4,)]
    assert task.outputs[0].shape == (2, 3)
    apart = read(path, {"mask": (2, 3), "x": (1, 3), "other": (4,)}, False).task
    assert [spec.shape for spec in apart.inputs[:2]] == [(1, 3), (2, 3)]


def test_an_output_without_a_rank_gets_the_one_that_follows(tmp_path: Path) -> None:
    made = linear()
    made.graph.output[0].type.tensor_type.ClearField("shape")
    task = read(save(made, tmp_path / "m.onnx"), {}, False).task
    assert (task.batched, task.outputs[0].shape) == (True, ("batch", 5))


def test_a_shape_must_fit(tmp_path: Path) -> None:
    path = save(linear("A", out="B"), tmp_path / "m.onnx")
    assert "does not fit" in refused(path, x=(3, 5))
    assert "does not fit" in refused(path, x=(3,))
    assert "no such input; it has x" in refused(path, z=(3, 4))


def test_an_input_of_unknown_rank_is_refused(tmp_path: Path) -> None:
    node = helper.make_node("Relu", ["x"], ["y"])
    path = save(model([node], [value("x", None)], [value("y", None)]), tmp_path / "m.onnx")
    assert "'shape'" in refused(path)


@pytest.mark.parametrize("content", [b"", b"hello, this is no model", bytes(range(256))])
def test_a_file_that_is_not_onnx(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    assert "m.onnx is not an ONNX model" in refused(path)


@settings(deadline=None, max_examples=40)
@given(share=st.floats(0, 0.999))
def test_a_truncated_file_is_one_line(tmp_path_factory: pytest.TempPathFactory, share: float) -> None:
    path = tmp_path_factory.mktemp("cut") / "m.onnx"
    data = linear().SerializeToString()
    path.write_bytes(data[: int(len(data) * share)])
    assert str(path) in refused(path)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    assert "there is no such file" in refused(tmp_path / "no.onnx")
    assert "cannot be read" in refused(tmp_path)


def test_a_newer_format_says_so(tmp_path: Path) -> None:
    made = linear()
    made.ir_version = 999
    assert "IR version 999" in refused(save(made, tmp_path / "m.onnx"))


def test_a_newer_operator_set_is_left_to_the_stacks(tmp_path: Path) -> None:
    made = linear()
    made.opset_import[0].version = 999
    assert read(save(made, tmp_path / "m.onnx"), {}, False).task.batched


def test_an_unknown_operator_is_named(tmp_path: Path) -> None:
    made = linear()
    made.graph.node[0].op_type = "Fancy"
    assert "Fancy" in refused(save(made, tmp_path / "m.onnx"))


def test_initializers_listed_as_inputs_are_none(tmp_path: Path) -> None:
    made = linear()
    made.ir_version = 3
    made.opset_import[0].version = 8
    made.graph.input.append(value("w", [4, 5]))
    given = read(save(made, tmp_path / "m.onnx"), {}, False)
    assert [spec.name for spec in given.task.inputs] == ["x"]
    onnx.checker.check_model(str(given.model(2).path))


@pytest.mark.parametrize(("kind", "word"), [(TensorProto.STRING, "STRING"), (TensorProto.BFLOAT16, "BFLOAT16")])
def test_inputs_that_numpy_has_not_are_refused(tmp_path: Path, kind: int, word: str) -> None:
    node = helper.make_node("Identity", ["x"], ["y"])
    path = save(model([node], [value("x", [1], kind)], [value("y", [1], kind)]), tmp_path / "m.onnx")
    assert f"is {word}" in refused(path)


def test_a_model_without_inputs_is_refused(tmp_path: Path) -> None:
    node = helper.make_node("Constant", [], ["y"], value=weights("v", 3))
    assert "has no inputs" in refused(save(model([node], [], [value("y", [3])]), tmp_path / "m.onnx"))


def test_a_scalar_output(tmp_path: Path) -> None:
    node = helper.make_node("ReduceSum", ["x"], ["y"], keepdims=0)
    given = read(save(model([node], [value("x", [3])], [value("y", [])]), tmp_path / "m.onnx"), {}, False)
    assert given.model(1).outputs[0].shape == ()


def test_the_cache_is_used_again_until_the_file_changes(tmp_path: Path) -> None:
    path = save(linear(), tmp_path / "m.onnx")
    first = read(path, {}, False).model(2)
    stamp = first.path.stat().st_mtime_ns
    again = read(path, {}, False).model(2)
    assert (again.path, again.path.stat().st_mtime_ns) == (first.path, stamp)
    assert again.source == first.source
    changed = linear()
    changed.graph.initializer[0].CopyFrom(numpy_helper.from_array(np.ones((4, 5), np.float32), "w"))
    save(changed, path)
    other = read(path, {}, False).model(2)
    assert other.path != first.path
    assert other.weights.sha256 != first.weights.sha256
    assert other.source.sha256 != first.source.sha256


def test_seeded_weights_are_others_and_have_a_place_of_their_own(tmp_path: Path) -> None:
    path = save(linear(), tmp_path / "m.onnx")
    own, drawn = read(path, {}, False).model(1), read(path, {}, True).model(1)
    assert own.path != drawn.path
    assert (own.weights.kind, drawn.weights.kind) == ("model", "seeded")
    first, second = (numpy_helper.to_array(onnx.load(m.path).graph.initializer[0]) for m in (own, drawn))
    assert not (first == second).any()


@pytest.mark.parametrize("location", ["data", "sub/data"])
def test_external_data_goes_along(tmp_path: Path, location: str) -> None:
    made = external(tmp_path, location)
    if location != "data":
        (tmp_path / "sub").mkdir()
        (tmp_path / "data").rename(tmp_path / location)
    path = save(made, tmp_path / "m.onnx")
    written = read(path, {}, False).model(2)
    onnx.checker.check_model(str(written.path))
    assert (numpy_helper.to_array(onnx.load(written.path).graph.initializer[0]).ravel()[1]) == np.float32(0.01)
    before = written.path
    (tmp_path / location).write_bytes(bytes(80))
    assert read(path, {}, False).model(2).path != before, "a change of the data is a change of the model"


def test_external_data_that_is_missing_or_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    path = save(external(tmp_path, "lost"), folder / "m.onnx")
    assert "external data lost of tensor w is missing" in refused(path)
    path = save(external(tmp_path, "../data"), folder / "m.onnx")
    assert "lies outside of" in refused(path)


def test_external_data_in_bodies_and_constants_is_seen(tmp_path: Path) -> None:
    tensors = [external(tmp_path, "data").graph.initializer[0] for _ in range(3)]
    for tensor, location in zip(tensors, "abc", strict=True):
        tensor.external_data[0].value = location
        (tmp_path / location).write_bytes((tmp_path / "data").read_bytes())
    body = helper.make_graph([helper.make_node("Identity", ["t"], ["z"])], "body", [], [value("z", [4, 5])])
    tensors[0].name = "t"
    body.initializer.append(tensors[0])
    other = helper.make_graph(
        [helper.make_node("Constant", [], ["z"], value=tensors[1])], "other", [], [value("z", [4, 5])]
    )
    node = helper.make_node("If", ["x"], ["y"], then_branch=body, else_branch=other)
    made = model([node], [value("x", [], TensorProto.BOOL)], [value("y", [4, 5])])
    function = helper.make_function(
        "local",
        "F",
        [],
        ["o"],
        [helper.make_node("Constant", [], ["o"], value=tensors[2])],
        [helper.make_opsetid("", 17)],
    )
    made.functions.append(function)
    made.opset_import.append(helper.make_opsetid("local", 1))
    assert [path.name for path in external_files(made, tmp_path)] == ["a", "b", "c"]
    given = read(save(made, tmp_path / "m.onnx"), {}, False)
    assert sorted(p.name for p in given.model(1).path.parent.iterdir()) == ["a", "b", "c", "model.onnx"]
    (tmp_path / "a").unlink()
    assert "external data a of tensor t is missing" in refused(tmp_path / "m.onnx")


def test_sparse_weights_are_no_inputs(tmp_path: Path) -> None:
    values = helper.make_tensor("w", TensorProto.FLOAT, [2], [1.0, 2.0])
    indices = helper.make_tensor("w_indices", TensorProto.INT64, [2], [0, 7])
    made = linear()
    del made.graph.initializer[:]
    made.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [4, 5]))
    made.graph.input.append(value("w", [4, 5]))
    given = read(save(made, tmp_path / "m.onnx"), {}, False)
    assert [spec.name for spec in given.task.inputs] == ["x"]
    assert given.model(1).path.is_file()
