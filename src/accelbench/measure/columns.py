"""The raw columns of a timed pass: one row per query, from which every statistic is computed.

On disk a folder holds ``index.json`` and one ``.npy`` file per column. Times are stored as what they add to the time
before them — scheduled to the row above, issued to scheduled, done to issued — in 32 bits where they fit, so a row
takes some 12 bytes without any compression. A column whose rows are all equal takes one number in the index.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import numpy as np
from numpy.typing import NDArray

from accelbench.errors import AccelbenchError

INDEX = "index.json"
SCHEMA = 1
"""Version of the stored form. 1: first."""

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
        parts: dict[str, Callable[[], NDArray[Any]]] = {
            "scheduled": lambda: _narrow(np.diff(self.scheduled, prepend=first)),
            "issued": lambda: _narrow(self.issued - self.scheduled),
            "done": lambda: _narrow(self.done - self.issued),
            "units": lambda: self.units,
            "ok": lambda: self.ok,
            "feed": lambda: self.feed.astype(np.uint16) if self.feed.max(initial=0) < 2**16 else self.feed,
        }
        constants = {}
        for name, part in parts.items():
            column = part()
            constants[name] = _constant(column)
            if constants[name] is None:
                np.save(folder / f"{name}.npy", np.packbits(column) if name == "ok" else column)
        np.save(folder / "pauses.npy", self.pauses)
        index = {"schema": SCHEMA, "rows": len(self), "first": first, "constant": constants}
        (folder / INDEX).write_text(json.dumps(index), encoding="utf-8")


def read(folder: Path) -> Columns:
    """The columns that ``Columns.write`` wrote. Raises AccelbenchError for a folder that does not hold them."""
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        if index["schema"] != SCHEMA:
            raise ValueError(f"schema {index['schema']}, this version reads {SCHEMA}")
        scheduled = np.cumsum(_column(folder, index, "scheduled"), dtype=np.int64)
        scheduled += index["first"]
        lag = _column(folder, index, "issued")
        issued = scheduled + lag if lag.any() else scheduled
        return Columns(
            scheduled=scheduled,
            issued=issued,
            done=issued + _column(folder, index, "done"),
            units=_column(folder, index, "units").astype(np.int32, copy=False),
            ok=_column(folder, index, "ok").astype(np.bool_, copy=False),
            feed=_column(folder, index, "feed"),
            pauses=np.load(folder / "pauses.npy", allow_pickle=False),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AccelbenchError(f"{folder} does not hold complete columns ({error})") from error


_TYPES = {"units": np.int32, "ok": np.bool_}


def _column(folder: Path, index: Mapping[str, Any], name: str) -> NDArray[Any]:
    rows: int = index["rows"]
    constant = index["constant"][name]
    if constant is not None:
        return np.broadcast_to(_TYPES.get(name, np.int64)(constant), rows)
    stored: NDArray[Any] = np.load(folder / f"{name}.npy", allow_pickle=False)
    if name == "ok":
        stored = np.unpackbits(stored)[:rows]
    if len(stored) != rows:
        raise ValueError(f"{name} has {len(stored)} rows, not {rows}")
    return stored


def _narrow(steps: Ints) -> NDArray[Any]:
    fits = len(steps) == 0 or (steps.min() >= 0 and steps.max() < 2**32)
    return steps.astype(np.uint32) if fits else steps


def _constant(column: NDArray[Any]) -> int | None:
    return int(column[0]) if len(column) and bool((column == column[0]).all()) else None
