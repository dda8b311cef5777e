"""A user's file of arrays is read, or one line says why not."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelbench.errors import UsageError
from accelbench.zoo import npz


def refused(path: Path) -> str:
    with pytest.raises(UsageError) as caught:
        npz.read(path, "yours")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_arrays_by_name_and_the_files_hash(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "x.npz", a=np.arange(3), b=np.ones((2, 2), np.float16))
    arrays, digest = npz.read(tmp_path / "x.npz", "yours")
    assert {name: (array.dtype.name, array.shape) for name, array in arrays.items()} == {
        "a": ("int64", (3,)),
        "b": ("float16", (2, 2)),
    }
    assert digest == hashlib.sha256((tmp_path / "x.npz").read_bytes()).hexdigest()


@pytest.mark.parametrize("kind", ["missing", "folder", "empty", "text", "objects", "truncated"])
def test_a_file_that_is_no_npz(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.npz"
    if kind == "folder":
        path.mkdir()
    elif kind == "objects":
        np.savez(path, x=np.array([{}], dtype=object))
    elif kind == "truncated":
        np.savez(path, a=np.ones(100))
        path.write_bytes(path.read_bytes()[:200])
    elif kind != "missing":
        path.write_bytes(b"" if kind == "empty" else b"no arrays")
    assert refused(path).startswith("yours is not a readable .npz file (")


def test_one_array_has_no_name(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.ones(3))
    assert refused(tmp_path / "x.npy").startswith("yours is one array without a name")


@settings(deadline=None, max_examples=200)
@given(place=st.integers(0, 500), value=st.integers(0, 255), packed=st.booleans(), end=st.integers(0, 40))
def test_damage_is_one_line_or_does_no_harm(
    tmp_path_factory: pytest.TempPathFactory, place: int, value: int, packed: bool, end: int
) -> None:
    path = tmp_path_factory.mktemp("damaged") / "x.npz"
    (np.savez_compressed if packed else np.savez)(path, a=np.arange(8), b=np.ones(3, "<f4"))
    data = bytearray(path.read_bytes())
    data[place % len(data)] = value
    path.write_bytes(data[: len(data) - end])
    try:
        npz.read(path, "yours")
    except UsageError as error:
        assert "\n" not in str(error)  # noqa: PT017 - it may be read as well
