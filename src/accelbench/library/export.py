"""Rows of an answer as files that other programs read."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from accelbench.errors import UsageError
from accelbench.library.query import Answer
from accelbench.paths import writing

try:
    import pyarrow
    from pyarrow import parquet
except ImportError:  # the extra `parquet`
    pyarrow = None

ROWS = 50_000
"""That are held at once."""

Ask = Callable[[], AbstractContextManager[Answer]]


def write_csv(answer: Answer, out: TextIO) -> None:
    """A header and the rows; what is absent is empty."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(answer.columns)
    writer.writerows(answer.rows)


def write_json(answer: Answer, out: TextIO) -> None:
    """A list of objects, one per line; what is absent is null."""
    between = "[\n"
    for row in answer.rows:
        plain = {name: _plain(value) for name, value in zip(answer.columns, row, strict=True)}
        out.write(between + json.dumps(plain, ensure_ascii=False))
        between = ",\n"
    out.write("[]\n" if between == "[\n" else "\n]\n")


def write_parquet(ask: Ask, target: Path) -> int:
    """Ask twice, for the types and for the rows, and write them to the new file ``target``. Returns how many rows.
    Raises UsageError where the extra is missing, where the file is there, and for a column with numbers and texts."""
    if pyarrow is None:
        raise UsageError("Parquet needs pyarrow: pip install 'accelbench[parquet]'")
    with ask() as answer:
        schema = _schema(answer)
    count = 0
    with ask() as answer, writing(target) as file, parquet.ParquetWriter(file, schema) as writer:
        while rows := list(islice(answer.rows, ROWS)):
            named = [dict(zip(answer.columns, row, strict=True)) for row in rows]
            writer.write_table(pyarrow.Table.from_pylist(named, schema=schema))
            count += len(rows)
    return count


def _plain(value: Any) -> Any:
    """As JSON has it: no infinity, and bytes as hexadecimal digits."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.hex() if isinstance(value, bytes) else value


def _schema(answer: Answer) -> Any:
    seen: list[set[type]] = [set() for _ in answer.columns]
    for row in answer.rows:
        for kinds, value in zip(seen, row, strict=True):
            kinds.add(type(value))
    return pyarrow.schema(
        [(name, _type(name, kinds - {type(None)})) for name, kinds in zip(answer.columns, seen, strict=True)]
    )


def _type(name: str, kinds: set[type]) -> Any:
    if kinds <= {int} and kinds:
        return pyarrow.int64()
    if kinds <= {int, float} and kinds:
        return pyarrow.float64()
    if kinds <= {str}:
        return pyarrow.string()
    raise UsageError(f"the column {name} has values of different kinds, which Parquet does not hold: cast it")


def first(rows: Iterator[tuple[Any, ...]], count: int) -> tuple[list[tuple[Any, ...]], bool]:
    """The first ``count`` rows, and whether there are more."""
    found = list(islice(rows, count))
    return found, next(rows, None) is not None
