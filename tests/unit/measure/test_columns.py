"""What is written is read, to the last nanosecond, and small."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.measure.made import closed, columns, noisy

from accelbench.errors import AccelbenchError
from accelbench.measure.columns import Columns, read

TIMES = st.integers(0, 2**40)


def equal(one: Columns, other: Columns) -> None:
    for name in ("scheduled", "issued", "done", "units", "ok", "feed", "pauses"):
        assert getattr(one, name).tolist() == getattr(other, name).tolist(), name


@given(
    rows=st.lists(
        st.tuples(
            TIMES, TIMES, st.integers(-5, 2**35), st.integers(1, 2**31 - 1), st.booleans(), st.integers(0, 70_000)
        ),
        max_size=30,
    )
)
def test_columns_survive_the_disk(
    rows: list[tuple[int, int, int, int, bool, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    fields = [np.array([row[i] for row in rows], dtype=np.int64) for i in range(6)]
    scheduled, lag, took, units, ok, feed = fields
    table = columns(
        scheduled, scheduled + lag, scheduled + lag + took,
        units=units.astype(np.int32), ok=ok.astype(np.bool_), feed=feed.astype(np.int32),
        pauses=np.array([[1, 2], [5, 9]], dtype=np.int64),
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("columns") / "pass"
    table.write(folder)
    equal(read(folder), table)


def test_a_million_rows_take_few_bytes(tmp_path: Path) -> None:
    closed(noisy(1_000_000)).write(tmp_path / "pass")
    assert sum(file.stat().st_size for file in (tmp_path / "pass").iterdir()) < 9_000_000


def test_an_existing_folder_is_never_overwritten(tmp_path: Path) -> None:
    with pytest.raises(FileExistsError):
        closed([1, 2]).write(tmp_path)


@pytest.mark.parametrize("damage", ["no index", "bad index", "schema", "missing column", "short column"])
def test_damage_is_told(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "pass"
    closed([5, 6, 8]).write(folder)
    index, column = folder / "index.json", folder / "done.npy"
    if damage == "no index":
        index.unlink()
    elif damage == "bad index":
        index.write_text("{")
    elif damage == "schema":
        index.write_text(index.read_text().replace('"schema": 1', '"schema": 99'))
    elif damage == "missing column":
        column.unlink()
    else:
        np.save(column, np.array([1], dtype=np.uint32))
    with pytest.raises(AccelbenchError, match="does not hold complete columns"):
        read(folder)
