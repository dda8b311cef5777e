"""What is written is read, to the last nanosecond, and small."""

import json
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


@given(
    took=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 50), st.integers(0, 9)), max_size=60),
    count=st.integers(1, 5),
)
def test_a_closed_loop_of_any_width_survives_the_disk(
    took: list[tuple[int, int, int]], count: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    free, rows = [7] * count, []
    for lane, long, wait in took:
        begun = free[lane % count] + wait
        free[lane % count] = begun + long
        rows.append((begun, begun + long))
    ordered = np.array(sorted(rows), dtype=np.int64).reshape(-1, 2)
    issued, done = np.ascontiguousarray(ordered[:, 0]), np.ascontiguousarray(ordered[:, 1])
    table = columns(issued, issued, done)
    folder = tmp_path_factory.mktemp("columns") / "pass"
    table.write(folder)
    equal(read(folder), table)


def test_several_in_flight_are_told_by_their_waits(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    free, rows = np.zeros(4, dtype=np.int64), []
    for _ in range(5000):
        lane = int(free.argmin())
        begun = int(free[lane]) + 200 + int(rng.integers(50))
        free[lane] = begun + 1_000_000 + int(rng.exponential(5e5))
        rows.append((begun, int(free[lane])))
    ordered = np.array(sorted(rows), dtype=np.int64)
    columns(ordered[:, 0], ordered[:, 0], ordered[:, 1]).write(tmp_path / "pass")
    assert len(np.load(tmp_path / "pass" / "scheduled.npy")) == 1  # bytes per row
    equal(read(tmp_path / "pass"), columns(ordered[:, 0], ordered[:, 0], ordered[:, 1]))


def test_columns_of_schema_1_are_read(tmp_path: Path) -> None:
    index = {"schema": 1, "rows": 3, "first": 5, "constant": dict.fromkeys(("scheduled", "done", "ok", "feed"))}
    constant = {**index["constant"], "issued": 0, "units": 1}  # type: ignore[dict-item]
    (tmp_path / "index.json").write_text(json.dumps({**index, "constant": constant}))
    np.save(tmp_path / "scheduled.npy", np.array([0, 10, 20], np.uint32))
    np.save(tmp_path / "done.npy", np.array([7, 8, 9], np.uint32))
    np.save(tmp_path / "feed.npy", np.array([0, 1, 0], np.uint16))
    np.save(tmp_path / "ok.npy", np.packbits([True, False, True]))
    np.save(tmp_path / "pauses.npy", np.empty((0, 2), np.int64))
    back = read(tmp_path)
    assert back.issued.tolist() == back.scheduled.tolist() == [5, 15, 35]
    assert (back.done.tolist(), back.feed.tolist(), back.ok.tolist()) == (
        [12, 23, 44], [0, 1, 0], [True, False, True],
    )  # fmt: skip


def test_numbers_that_nothing_stands_for_are_refused(tmp_path: Path) -> None:
    index = {"schema": 2, "rows": 10**12, "first": 0, "closed": False}
    constant = dict.fromkeys(("strand", "scheduled", "issued", "done", "units", "ok", "feed"), 1)
    (tmp_path / "index.json").write_text(json.dumps({**index, "constant": constant}))
    with pytest.raises(AccelbenchError, match="1000000000000 rows without a column"):
        read(tmp_path)
    (tmp_path / "index.json").write_text(json.dumps({**index, "constant": {**constant, "done": None}}))
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (1, 1000000000000), }\n"
    (tmp_path / "done.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(AccelbenchError, match="does not hold complete columns"):
        read(tmp_path)


@pytest.mark.parametrize("header", [b"{'descr': '|u1', 'fortran_order': False, 'shape': (3", b"{'descr': '|O', }", b""])
def test_a_header_that_numpy_does_not_write_is_refused(tmp_path: Path, header: bytes) -> None:
    folder = tmp_path / "pass"
    closed([5, 6, 8]).write(folder)
    head = b"\x93NUMPY\x01\x00" + (len(header) + 1).to_bytes(2, "little") + header + b"\n"
    for tail in (b"", bytes(100_000)):
        (folder / "done.npy").write_bytes(head + tail)
        with pytest.raises(AccelbenchError, match=r"done\.npy is no array of integers"):
            read(folder)


def test_a_million_rows_take_few_bytes(tmp_path: Path) -> None:
    closed(noisy(1_000_000)).write(tmp_path / "pass")
    assert sum(file.stat().st_size for file in (tmp_path / "pass").iterdir()) < 7_000_000


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
        index.write_text(index.read_text().replace('"schema": 2', '"schema": 99'))
    elif damage == "missing column":
        column.unlink()
    else:
        np.save(column, np.array([1], dtype=np.uint32))
    with pytest.raises(AccelbenchError, match="does not hold complete columns"):
        read(folder)
