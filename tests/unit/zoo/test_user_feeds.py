"""Samples for a user's model: the user's own, checked, or drawn to suit each input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from tests.unit.zoo.realism import is_prefix, is_realistic, model, value, weights

from accelbench.errors import UsageError
from accelbench.model import Dataset, Metric, Task, TensorSpec, Tolerance, WeightSource
from accelbench.tensors import Record, TensorSet
from accelbench.zoo.user_feeds import drawn, from_file, id_ranges

EMPTY = helper.make_graph([], "empty", [], [])


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ACCELBENCH_HOME", str(tmp_path / "home"))
    return tmp_path


def task(*inputs: TensorSpec, batched: bool = False, count: int = 8) -> Task:
    return Task(
        id="mine", version=1, title="mine", tier="user", domain="any", graph="mine.onnx", graph_sha256="0" * 64,
        weights=(WeightSource("model"),), batched=batched, inputs=inputs, outputs=(),
        dataset=Dataset("drawn", count), metric=Metric("none"), tolerance=Tolerance(),
    )  # fmt: skip


def samples(*inputs: TensorSpec, seed: int = 0, batched: bool = False) -> list[Record]:
    return list(TensorSet(drawn(task(*inputs, batched=batched), EMPTY, seed).path))


def test_many_samples_or_one_are_taken(tmp_path: Path) -> None:
    spec = TensorSpec("a", "float32", (2, 3))
    np.savez(tmp_path / "one.npz", a=np.ones((2, 3), np.float32))
    np.savez(tmp_path / "many.npz", a=np.arange(24, dtype=np.float32).reshape(4, 2, 3))
    assert from_file(task(spec), tmp_path / "one.npz").count == 1
    many = TensorSet(from_file(task(spec), tmp_path / "many.npz").path)
    assert [record["a"][0, 0] for record in many] == [0, 6, 12, 18]


def test_batched_inputs_have_one_row_per_sample(tmp_path: Path) -> None:
    np.savez(tmp_path / "rows.npz", a=np.ones((5, 3), np.float32))
    found = from_file(task(TensorSpec("a", "float32", ("batch", 3)), batched=True), tmp_path / "rows.npz")
    assert (found.count, TensorSet(found.path)[0]["a"].shape) == (5, (3,))


def test_one_file_is_read_anew_for_another_model(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", a=np.ones(4, np.float32))
    assert from_file(task(TensorSpec("a", "float32", (4,))), tmp_path / "x.npz").count == 1
    assert from_file(task(TensorSpec("a", "float32", ())), tmp_path / "x.npz").count == 4


@pytest.mark.parametrize(
    ("arrays", "complaint"),
    [
        ({"c": np.ones(3)}, r"has the arrays c; the model's inputs are a, b"),
        ({"a": np.ones((4, 2, 3), np.float32)}, "has the arrays a; the model's inputs are a, b"),
        (
            {"a": np.ones((4, 2, 3)), "b": np.ones(4, int)},
            r"float64 of shape \(4, 2, 3\); the model takes float32",
        ),
        ({"a": np.ones((4, 3, 2), np.float32), "b": np.ones(4, int)}, r"takes float32 of shape \(N, 2, 3\)"),
        ({"a": np.ones((4, 2, 3), np.float32), "b": np.ones(3, int)}, "as many samples for every input"),
        ({"a": np.ones((0, 2, 3), np.float32), "b": np.ones(0, int)}, "at least one"),
        ({"a": np.array([{}]), "b": np.ones(3, int)}, "is not a readable"),
    ],
)
def test_wrong_arrays_say_what_was_expected(tmp_path: Path, arrays: dict[str, np.ndarray], complaint: str) -> None:
    np.savez(tmp_path / "x.npz", **arrays)  # type: ignore[arg-type]
    wanted = task(TensorSpec("a", "float32", (2, 3)), TensorSpec("b", "int64", ()))
    with pytest.raises(UsageError, match=complaint) as caught:
        from_file(wanted, tmp_path / "x.npz")
    assert "\n" not in str(caught.value)


SPECS = st.builds(
    TensorSpec,
    st.sampled_from(["x", "input_ids", "attention_mask", "token_type_ids", "segments"]),
    st.sampled_from(["float32", "float16", "float64", "int64", "int32", "uint8", "int8", "bool"]),
    st.lists(st.integers(1, 9), max_size=4).map(tuple),
)


@settings(deadline=None, max_examples=60)
@given(SPECS)
def test_drawn_samples_have_the_inputs_type_and_shape(spec: TensorSpec) -> None:
    for record in samples(spec):
        assert (record[spec.name].dtype.name, record[spec.name].shape) == (spec.dtype, spec.shape)
        assert np.isfinite(record[spec.name].astype(np.float64)).all()


@pytest.mark.parametrize(
    "spec",
    [
        TensorSpec("image", "float32", (1, 3, 32, 24)),
        TensorSpec("x", "float32", (5, 7)),
        TensorSpec("ids", "int64", (1, 20)),
        TensorSpec("flags", "bool", (30,)),
        TensorSpec("attention_mask", "int64", (1, 64)),
        TensorSpec("attention_mask", "float32", (1, 64)),
        TensorSpec("token_type_ids", "int64", (1, 64)),
    ],
)
def test_drawn_samples_are_realistic_and_calibration_draws_others(spec: TensorSpec) -> None:
    ids = TensorSpec("more_ids", "int64", (1, 64))
    assert is_realistic([*samples(spec, ids), *samples(spec, ids, seed=1)])


def test_the_batch_is_left_out() -> None:
    assert samples(TensorSpec("x", "float32", ("batch", 4)), batched=True)[0]["x"].shape == (4,)


@pytest.mark.parametrize("dtype", ["int64", "float32", "bool"])
def test_masks_are_prefixes(dtype: str) -> None:
    assert all(is_prefix(record["attention_mask"]) for record in samples(TensorSpec("attention_mask", dtype, (2, 16))))


def test_two_picture_inputs_get_different_pictures() -> None:
    record = samples(TensorSpec("left", "float32", (3, 16, 16)), TensorSpec("right", "float32", (3, 16, 16)))[0]
    assert not (record["left"] == record["right"]).all()


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 300), st.sampled_from(["ids", "token_type_ids", "x"]), st.sampled_from([0, 1, -1]))
def test_ids_stay_below_the_table_that_they_index(rows: int, name: str, axis: int) -> None:
    ids = value(name, [1, 12], TensorProto.INT32)
    dims = (rows, 4) if axis == 0 else (4, rows)
    nodes = [
        helper.make_node("Cast", [name], ["wide"], to=TensorProto.INT64),
        helper.make_node("Reshape", ["wide", "shape"], ["flat"]),
        helper.make_node("Gather", ["table", "flat"], ["y"], axis=axis),
    ]
    graph = model(nodes, [ids], [value("y", None)], [weights("table", *dims)]).graph
    assert id_ranges(graph) == {name: rows}
    feeds = drawn(task(TensorSpec(name, "int32", (1, 12))), graph, 0)
    drawn_ids = np.stack([record[name] for record in TensorSet(feeds.path)])
    assert drawn_ids.min() >= 0
    assert drawn_ids.max() < rows


def test_the_smallest_of_several_tables_counts_and_constants_are_tables() -> None:
    nodes = [
        helper.make_node("Constant", [], ["small"], value=weights("v", 5, 2)),
        helper.make_node("Gather", ["large", "x"], ["y"]),
        helper.make_node("Gather", ["small", "x"], ["z"]),
    ]
    inputs = [value("x", [3], TensorProto.INT64)]
    graph = model(nodes, inputs, [value("y", None), value("z", None)], [weights("large", 50, 2)]).graph
    assert id_ranges(graph) == {"x": 5}


def test_ids_of_a_large_table_span_it() -> None:
    graph = model(
        [helper.make_node("Gather", ["table", "x"], ["y"])],
        [value("x", [1, 64], TensorProto.INT64)],
        [value("y", None)],
        [weights("table", 1000, 1)],
    ).graph
    feeds = drawn(task(TensorSpec("x", "int64", (1, 64))), graph, 0)
    ids = np.stack([record["x"] for record in TensorSet(feeds.path)])
    assert ids.min() < 20
    assert ids.max() > 980


def test_the_same_samples_are_kept_once() -> None:
    spec = TensorSpec("x", "float32", (5,))
    assert drawn(task(spec), EMPTY, 0).path == drawn(task(spec), EMPTY, 0).path
    assert drawn(task(spec), EMPTY, 0).sha256 != drawn(task(spec), EMPTY, 1).sha256
