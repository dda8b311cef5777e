import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from accelbench.errors import AccelbenchError
from accelbench.tensors import INDEX, TensorSet, TensorWriter, relative_l2, stack

DTYPES = [np.float32, np.float16, np.float64, np.int64, np.int8, np.uint8, np.bool_]
arrays = st.sampled_from(DTYPES).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
)


@given(st.lists(st.tuples(arrays, arrays), max_size=5))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[object, object]]) -> None:
    folder = tmp_path_factory.mktemp("sets") / "set"
    with TensorWriter(folder) as writer:
        for a, b in pairs:
            writer.append({"a/odd name": np.asarray(a), "b": np.asarray(b)})
    read = TensorSet(folder)
    assert len(read) == len(pairs)
    for record, (a, b) in zip(read, pairs, strict=True):
        for got, want in ((record["a/odd name"], np.asarray(a)), (record["b"], np.asarray(b))):
            assert got.dtype == want.dtype
            assert got.shape == want.shape
            assert got.tobytes() == want.tobytes()


def test_big_endian_arrays_are_stored_as_little_endian(tmp_path: Path) -> None:
    with TensorWriter(tmp_path / "set") as writer:
        writer.append({"x": np.arange(3, dtype=">f4")})
    assert TensorSet(tmp_path / "set")[0]["x"].tolist() == [0.0, 1.0, 2.0]


def test_the_hash_is_of_the_content(tmp_path: Path) -> None:
    hashes = []
    for position, value in enumerate((1.0, 1.0, 2.0)):
        with TensorWriter(tmp_path / str(position)) as writer:
            writer.append({"x": np.full(3, value, dtype=np.float32)})
        hashes.append(TensorSet(tmp_path / str(position)).sha256())
    assert hashes[0] == hashes[1] != hashes[2]


def test_a_set_of_an_interrupted_writer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), TensorWriter(tmp_path / "set") as writer:
        writer.append({"x": np.zeros(3)})
        raise KeyboardInterrupt
    with pytest.raises(AccelbenchError, match="not a complete tensor set"):
        TensorSet(tmp_path / "set")


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    with TensorWriter(tmp_path / "set") as writer:
        writer.append({"x": np.zeros(3)})
    (tmp_path / "set" / "0.bin").write_bytes(b"\0")
    with pytest.raises(AccelbenchError, match="has 1 bytes, its index says 24"):
        TensorSet(tmp_path / "set")


def test_records_keep_their_names(tmp_path: Path) -> None:
    with pytest.raises(AccelbenchError, match="record 1"), TensorWriter(tmp_path / "set") as writer:
        writer.append({"x": np.zeros(3)})
        writer.append({"y": np.zeros(3)})
    assert not (tmp_path / "set" / INDEX).exists()


def test_stack_makes_the_first_axis() -> None:
    feed = stack([{"x": np.zeros((2, 3))}, {"x": np.ones((2, 3))}])
    assert feed["x"].shape == (2, 2, 3)
    assert feed["x"][1].all()


def test_relative_l2() -> None:
    reference = np.array([3.0, 4.0], np.float32)
    assert relative_l2(np.array([3.0, 4.0]), reference) == 0.0
    assert relative_l2(np.array([3.0, 5.0]), reference) == 0.2
    assert relative_l2(np.array([[3.0, 4.0]]), reference) is None
    assert relative_l2(np.array([np.nan, 4.0]), reference) is None
    assert relative_l2(np.array([3.0, np.inf]), reference) is None
    special = np.array([3.0, 5.0, np.nan, np.inf])
    assert relative_l2(special - [0, 1, 0, 0], special) == 1 / math.hypot(3, 5)
    assert relative_l2(np.array([1e200]), np.array([1e200])) == 0.0
    assert relative_l2(np.array([1e200]), np.array([2e200])) is None
    assert relative_l2(np.array([3.0, 4.0]), np.array([3.0, np.nan])) is None
    assert relative_l2(np.array([3.0, -np.inf]), np.array([3.0, np.inf])) is None
    assert relative_l2(np.zeros(2), np.zeros(2)) == 0.0
    assert relative_l2(np.ones(2), np.zeros(2)) is None
    assert relative_l2(np.array([2], np.int64), np.array([1], np.int64)) == 1.0
