"""Sets of tensors on disk: the form in which feeds, outputs and references travel between processes.

A tensor set is a folder with ``index.json`` and one raw little-endian file per tensor name. It holds N *records*; each
record has one array per name, and shapes may differ from record to record. Records are read one at a time through a
memory map, so a set may be larger than memory.

How far apart two arrays are is told here too, for all who hold such sets against each other.

Standard library and NumPy only, Python 3.9 syntax: both sides of the wire use it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from accelbench.errors import AccelbenchError

Array = NDArray[Any]
Record = Mapping[str, Array]

INDEX = "index.json"


class TensorWriter:
    """Appends records to a new set. The set exists only once the writer has been closed without an exception."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=False)
        self.folder = folder
        self._files: dict[str, BinaryIO] = {}
        self._rows: dict[str, list[dict[str, Any]]] = {}
        self._count = 0

    def append(self, record: Record) -> None:
        """Write one record. Every record must have the same names as the first."""
        if self._count and set(record) != set(self._rows):
            raise AccelbenchError(
                f"record {self._count} of {self.folder} has tensors {sorted(record)}, "
                f"the first has {sorted(self._rows)}"
            )
        for name, value in record.items():
            if name not in self._rows:
                self._files[name] = (self.folder / f"{len(self._rows)}.bin").open("xb")
                self._rows[name] = []
            array = np.asarray(value)
            if array.dtype.byteorder == ">":
                array = array.astype(array.dtype.newbyteorder("<"))
            self._files[name].write(np.ascontiguousarray(array).data)
            self._rows[name].append({"dtype": array.dtype.name, "shape": list(array.shape)})
        self._count += 1

    def __enter__(self) -> TensorWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for handle in self._files.values():
            handle.close()
        if kind is None:
            text = json.dumps({"count": self._count, "tensors": self._rows})
            (self.folder / INDEX).write_text(text, encoding="utf-8")


class TensorSet(Sequence[Record]):
    """A written set, read through memory maps: ``set[i]`` is record i as ``{name: read-only array}``."""

    def __init__(self, folder: Path) -> None:
        try:
            index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
            self._count = int(index["count"])
            self._rows: dict[str, list[dict[str, Any]]] = index["tensors"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise AccelbenchError(f"{folder} is not a complete tensor set ({error})") from error
        self.folder = folder
        self._maps: dict[str, Array] = {}
        self._offsets: dict[str, list[int]] = {}
        for position, (name, rows) in enumerate(self._rows.items()):
            offsets = [0]
            for row in rows:
                offsets.append(offsets[-1] + _nbytes(row))
            path = folder / f"{position}.bin"
            if path.stat().st_size != offsets[-1]:
                raise AccelbenchError(f"{path} has {path.stat().st_size} bytes, its index says {offsets[-1]}")
            self._offsets[name] = offsets
            self._maps[name] = np.memmap(path, dtype=np.uint8, mode="r") if offsets[-1] else np.empty(0, dtype=np.uint8)

    @property
    def names(self) -> list[str]:
        return list(self._rows)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, position: Any) -> Any:
        if isinstance(position, slice):
            return [self[i] for i in range(*position.indices(self._count))]
        if not 0 <= position < self._count:
            raise IndexError(position)
        return {name: self.tensor(name, position) for name in self._rows}

    def __iter__(self) -> Iterator[Record]:
        return (self[i] for i in range(self._count))

    def tensor(self, name: str, position: int) -> Array:
        """The array called ``name`` of record ``position``, as a read-only view of the file."""
        row = self._rows[name][position]
        start, end = self._offsets[name][position : position + 2]
        array: Array = self._maps[name][start:end].view(row["dtype"]).reshape(row["shape"])
        return array

    def sha256(self) -> str:
        """Hash over names, types, shapes and bytes: equal for equal content, wherever it lies."""
        digest = hashlib.sha256()
        for name in sorted(self._rows):
            digest.update(json.dumps([name, self._rows[name]], sort_keys=True).encode())
            digest.update(self._maps[name].data)
        return digest.hexdigest()


def stack(records: Sequence[Record]) -> dict[str, Array]:
    """One batched feed from per-sample records: arrays of shape [batch, ...]."""
    return {name: np.stack([record[name] for record in records]) for name in records[0]}


def relative_l2(output: Array, reference: Array) -> float | None:
    """‖output − reference‖₂ / ‖reference‖₂ in float64 over the values that are finite in the reference; None when
    shapes differ, when a NaN or Inf of one is not the same in the other, or when only the reference is all zero."""
    if output.shape != reference.shape:
        return None
    got, expected = output.astype(np.float64), reference.astype(np.float64)
    finite = np.isfinite(expected)
    if not np.array_equal(got[~finite], expected[~finite], equal_nan=True):
        return None
    with np.errstate(over="ignore"):
        error, norm = float(np.linalg.norm(got[finite] - expected[finite])), float(np.linalg.norm(expected[finite]))
    if error == 0.0:
        return 0.0
    return error / norm if norm > 0.0 and np.isfinite(error) and np.isfinite(norm) else None


def _nbytes(row: Mapping[str, Any]) -> int:
    return int(np.dtype(row["dtype"]).itemsize * np.prod(row["shape"], dtype=np.int64))
