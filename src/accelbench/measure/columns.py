"""The raw columns of a timed pass: one row per query, from which every statistic is computed.

On disk a folder holds ``index.json`` and one ``.npy`` file per column. Times are stored as what they add to the time
before them — scheduled to the row above, issued to scheduled, done to issued —, in a closed loop as the wait since the
query before (``measure.strands``), and as planes of bytes. So a row takes some 8 bytes, and 3 once it is compressed. A
column whose rows are all equal takes one number in the index.
"""

from __future__ import annotations

import json
import math
import mmap
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Callable, Union

import numpy as np
from numpy.typing import NDArray

from accelbench.errors import AccelbenchError
from accelbench.measure.strands import issues, joined, planes, strands, waits

INDEX = "index.json"
SCHEMA = 2
"""Version of the stored form. 1: first. 2: planes of bytes, and waits instead of times in closed loops."""

FEW_ROWS = 2**20
"""So many rows may be told by the index alone, where every column is constant; more need a column that holds them."""

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Columns:
    """One row per query, in the order of issue. ``scheduled``, ``issued`` and ``done`` are int64 ns since the pass
    began (closed loops have no schedule: there scheduled is issued); ``units`` the samples in the query; ``ok``
    whether it ended with outputs; ``feed`` the index of its feed.

    ``pauses`` has one row (begin, end in ns) for each time that the harness itself kept a loop with one query in
    flight from going on; throughput leaves them out.
    """

    scheduled: Ints
    issued: Ints
    done: Ints
    units: NDArray[np.int32]
    ok: NDArray[np.bool_]
    feed: NDArray[np.integer[Any]]
    pauses: Ints

    def __len__(self) -> int:
        return len(self.issued)

    def write(self, folder: Path) -> None:
        """Write into ``folder``, which must not exist yet."""
        folder.mkdir(parents=True)
        first = int(self.scheduled[0]) if len(self) else 0
        strand = self._strand()
        parts: dict[str, Callable[[], NDArray[Any]]] = {
            "strand": lambda: np.zeros(len(self), np.uint8) if strand is None else strand,
            "scheduled": lambda: self._steps(strand),
            "issued": lambda: self.issued - self.scheduled,
            "done": lambda: self.done - self.issued,
            "units": lambda: self.units,
            "ok": lambda: self.ok,
            "feed": lambda: self.feed,
        }
        constants = {}
        for name, part in parts.items():
            column = part()
            constants[name] = _constant(column)
            if constants[name] is None:
                np.save(folder / f"{name}.npy", np.packbits(column) if name == "ok" else planes(column))
        np.save(folder / "pauses.npy", self.pauses)
        closed = strand is not None
        index = {"schema": SCHEMA, "rows": len(self), "first": first, "closed": closed, "constant": constants}
        (folder / INDEX).write_text(json.dumps(index), encoding="utf-8")

    def _strand(self) -> NDArray[np.uint8] | None:
        """The strand of each query of a closed loop; None where the times are no such loop's."""
        ascending = bool((self.issued[1:] >= self.issued[:-1]).all())
        return strands(self.issued, self.done) if ascending and np.array_equal(self.scheduled, self.issued) else None

    def _steps(self, strand: NDArray[np.uint8] | None) -> Ints:
        if strand is not None:
            return waits(self.issued, self.done, strand)
        return np.diff(self.scheduled, prepend=self.scheduled[:1])


SMALL_BYTES = 1 << 16
Contents = Union[bytes, mmap.mmap]


def contents(path: str) -> Contents:
    """The bytes of a file; a large one's stay on the disk until they are looked at. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        data = os.read(descriptor, SMALL_BYTES)
        return data if len(data) < SMALL_BYTES else mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
    finally:
        os.close(descriptor)


def read(folder: Path) -> Columns:
    """The columns that ``Columns.write`` wrote. Raises AccelbenchError for a folder that does not hold them."""
    return parse(lambda name: contents(f"{folder}/{name}"), str(folder))


def parse(file: Callable[[str], Contents], where: str) -> Columns:
    """The columns whose files ``file`` gives by their names. Raises AccelbenchError, which names ``where``."""
    try:
        index = json.loads(file(INDEX)[:].decode("utf-8"))
        if index["schema"] not in (1, SCHEMA):
            raise ValueError(f"schema {index['schema']}, this version reads up to {SCHEMA}")
        _check_rows(index)
        column = partial(_column, file, index)
        took = column("done")
        if index.get("closed"):
            issued = issues(index["first"], column("scheduled"), took, column("strand").astype(np.uint8, copy=False))
            scheduled = issued
        else:
            scheduled = np.cumsum(column("scheduled"), dtype=np.int64)
            scheduled += index["first"]
            lag = column("issued")
            issued = scheduled + lag if lag.any() else scheduled
        feed = column("feed")
        return Columns(
            scheduled=scheduled,
            issued=issued,
            done=issued + took,
            units=column("units").astype(np.int32, copy=False),
            ok=column("ok").astype(np.bool_, copy=False),
            feed=feed.astype(np.uint16) if feed.max(initial=0) < 2**16 else feed,
            pauses=_integers(file, "pauses"),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise AccelbenchError(f"{where} does not hold complete columns ({error})") from error


_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '([<|][iu][1248])', 'fortran_order': False, "
    rb"'shape': \((\d{1,9},(?: \d{1,9})?)\), \} *\n",
    re.DOTALL,
)
_TYPES = {"units": np.int32, "ok": np.bool_}


def _check_rows(index: Mapping[str, Any]) -> None:
    """Refuse an index that would make arrays of a size that nothing on the disk stands for."""
    rows = index["rows"]
    if type(rows) is not int or rows < 0:
        raise ValueError(f"rows: {rows!r:.40}")
    if rows > FEW_ROWS and all(constant is not None for constant in index["constant"].values()):
        raise ValueError(f"{rows} rows without a column")


def _column(file: Callable[[str], Contents], index: Mapping[str, Any], name: str) -> NDArray[Any]:
    rows: int = index["rows"]
    constant = index["constant"][name]
    if constant is not None:
        return _repeated(_TYPES.get(name, np.int64)(constant), rows)
    stored = _integers(file, name)
    if name == "ok":
        stored = np.unpackbits(stored)[:rows]
    elif index["schema"] > 1:
        if stored.shape[-1] != rows:
            raise ValueError(f"{name} has {stored.shape[-1]} rows, not {rows}")
        stored = joined(stored)
    if len(stored) != rows:
        raise ValueError(f"{name} has {len(stored)} rows, not {rows}")
    return stored


def _repeated(value: np.generic, rows: int) -> NDArray[Any]:
    """``value`` so many times, in the memory of one and not to be written: ``numpy.broadcast_to`` without its cost."""
    found: NDArray[Any] = np.ndarray((rows,), value.dtype, value.tobytes(), strides=(0,))
    return found


def _integers(file: Callable[[str], Contents], name: str) -> NDArray[Any]:
    """The array in the file, which is as long as its header says: a header alone makes no array. Its one form of a
    header is read here: NumPy's own parser takes longer, and hostile ones make it raise whatever they like."""
    data = file(f"{name}.npy")
    found = _HEADER.match(data)
    if not found or found.end() != 10 + int.from_bytes(data[8:10], "little"):
        raise ValueError(f"{name}.npy is no array of integers")
    kind, shape = np.dtype(found[1].decode()), tuple(int(part) for part in found[2].decode().split(",") if part.strip())
    if len(data) != found.end() + kind.itemsize * math.prod(shape):
        raise ValueError(f"{name}.npy is not as long as its header says")
    return np.frombuffer(data, kind, offset=found.end()).reshape(shape)


def _constant(column: NDArray[Any]) -> int | None:
    return int(column[0]) if len(column) and bool((column == column[0]).all()) else None
