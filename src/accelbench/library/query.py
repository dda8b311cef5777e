"""Questions to the index of a store: read-only, one statement, within a time limit."""

from __future__ import annotations

import sqlite3
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accelbench.errors import UsageError
from accelbench.library.index import open_index

LIMIT_S = 60.0
LONGEST_BYTES = 2**26
"""Of one text or blob that a statement makes."""

_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
_STEPS = 20_000
"""Of SQLite's virtual machine between two looks at the clock."""

SHOWN = ("task", "backend", "device", "precision", "scenario", "batch", "name", "value", "unit", "low", "high", "trust")


@dataclass(frozen=True)
class Wanted:
    """Figures to choose: one of the given values for each column that has some, and ``where`` a condition in SQL.
    With ``by`` they are counted and summarised per group, else ``columns`` are shown."""

    task: tuple[str, ...] = ()
    backend: tuple[str, ...] = ()
    precision: tuple[str, ...] = ()
    figure: tuple[str, ...] = ()
    where: str | None = None
    columns: tuple[str, ...] = SHOWN
    by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """The names of the columns, and the rows, which are read as they are asked for."""

    columns: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]


def statement(wanted: Wanted) -> tuple[str, tuple[str, ...]]:
    """The SQL that chooses these figures, with its parameters."""
    chosen = {"task": wanted.task, "backend": wanted.backend, "precision": wanted.precision, "name": wanted.figure}
    conditions = [f"{column} IN ({', '.join('?' * len(values))})" for column, values in chosen.items() if values]
    if wanted.where:
        conditions.append(f"({wanted.where})")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    if wanted.by:
        groups = ", ".join(dict.fromkeys((*wanted.by, "name", "unit")))
        numbers = "count(*) AS figures, min(value) AS least, median(value) AS median, max(value) AS most"
        sql = f"SELECT {groups}, {numbers} FROM figures{where} GROUP BY {groups} ORDER BY {groups}"
    else:
        sql = f"SELECT {', '.join(wanted.columns)} FROM figures{where} ORDER BY task, backend, precision, name"
    return sql, tuple(value for values in chosen.values() for value in values)


@contextmanager
def ask(store: Path, sql: str, parameters: Sequence[str] = (), limit_s: float = LIMIT_S) -> Iterator[Answer]:
    """The answer to one SELECT, within ``limit_s`` seconds until its last row. Raises UsageError for another statement,
    for wrong SQL and past the limit. There is one function more than SQLite's: ``median(x)``."""
    with closing(open_index(store)) as db, _explained(limit_s):
        db.create_aggregate("median", 1, _Median)
        db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_BYTES)
        db.execute("BEGIN")
        _guard(db, limit_s)
        cursor = db.execute(sql, tuple(parameters))
        if cursor.description is None:
            raise UsageError("this SQL gives no rows: a query is one SELECT")
        yield Answer(tuple(column[0] for column in cursor.description), cursor)


def _guard(db: sqlite3.Connection, limit_s: float) -> None:
    end = time.monotonic() + limit_s
    db.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
    db.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY)


class _Median:
    def __init__(self) -> None:
        self.values: list[float] = []

    def step(self, value: Any, /) -> None:
        if value is not None:
            self.values.append(value)

    def finalize(self) -> Any:
        return statistics.median(self.values) if self.values else None


@contextmanager
def _explained(limit_s: float) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, sqlite3.Warning) as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
            raise UsageError(f"the query took more than {limit_s:g} s: narrow it, or give it more time") from None
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_AUTH:
            raise UsageError("only SELECT is allowed: the index is read-only") from None
        raise UsageError(f"{error} (docs/store.md has the tables and their columns)") from None
