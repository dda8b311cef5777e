"""The index of a store: one SQLite file that can be deleted at any time and is made again from the folders.

A refresh reads the folders that are new or whose file has another time or size; a rebuild reads all of them into a new
file, which then takes the place of the old one. One process writes at a time; readers see the index as it was until
then. A rebuild takes over what the old index has of a report whose file has the same bytes, where the code that
computes figures is the same; ``verify`` computes them anew.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

from accelbench import paths
from accelbench.errors import AccelbenchError, UsageError
from accelbench.figures.figures import BETTER, UNITS
from accelbench.library import beside, rows, tables
from accelbench.library.layout import REPORTS, ROOMS, check, folders
from accelbench.library.workers import in_batches
from accelbench.library.writer import Writer, delete

INDEX = "index.sqlite"
LOCK = ".index.lock"

WAIT_S = 60.0
"""How long a writer waits for readers that hold the file."""

_BROKEN = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_NOT_WRITABLE = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}


class Known(NamedTuple):
    """A folder as the index has it, with its stamp: ``holds`` is the id of what lies in it. One with a problem is not
    ``fine``, and is read again."""

    mtime_ns: int
    size_bytes: int
    holds: str | None
    fine: int


@dataclass(frozen=True)
class Refreshed:
    """What an index came to: how much it holds, how many folders were read and how many are gone, hidden folders of
    killed writers that were removed, and every folder with what is wrong in it."""

    reports: int
    claims: int
    reproductions: int
    read: int
    gone: int
    swept: int
    problems: tuple[tuple[str, str], ...]


def refresh(store: Path, *, rebuild: bool = False, processes: int | None = None) -> Refreshed:
    """Bring the index of ``store`` up to date, by at most ``processes`` processes (None: one per CPU). Raises
    UsageError where there is no store, and where its disk is full or cannot be written; the index is then as it was."""
    check(store)
    count = processes or len(os.sched_getaffinity(0))
    with _locked(store):
        swept = sum(paths.sweep(store / room) for room in ROOMS if (store / room).is_dir())
        index = store / INDEX
        if not rebuild and _usable(index):
            try:
                with _errors(store), closing(sqlite3.connect(index, timeout=WAIT_S)) as db:
                    return _filled(db, store, count, swept)
            except _Broken:
                pass
        return _rebuilt(store, count, swept)


def current(store: Path) -> None:
    """Bring the index up to date; that of a store which cannot be written is taken as it is."""
    check(store)
    if os.access(store, os.W_OK):
        refresh(store)


def open_index(store: Path) -> sqlite3.Connection:
    """A connection that cannot write. Raises UsageError where there is no index of this version."""
    index = store / INDEX
    if not _usable(index):
        raise UsageError(f"{store} has no index that this accelbench reads: accelbench store index {store}")
    return sqlite3.connect(f"{index.absolute().as_uri()}?mode=ro", uri=True, timeout=WAIT_S)


class _Broken(Exception):
    """The file is no database, or a damaged one."""


@contextmanager
def _errors(store: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _BROKEN:
            raise _Broken from error
        if code == sqlite3.SQLITE_FULL:
            raise UsageError(f"no space left on the disk of {store}: free some; the index is as it was") from error
        if code in _NOT_WRITABLE:
            raise UsageError(f"the index of {store} cannot be written ({error})") from error
        raise AccelbenchError(f"the index of {store} cannot be brought up to date ({error})") from error


@contextmanager
def _locked(store: Path) -> Iterator[None]:
    """One writer of the index at a time; a killed one's lock is gone with it."""
    with paths.disk_errors(store):
        descriptor = os.open(store / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _usable(index: Path) -> bool:
    """Whether the file is an index of this version. Opening it also undoes what a killed writer had begun."""
    if not index.is_file():
        return False
    try:
        with closing(sqlite3.connect(index, timeout=WAIT_S)) as db:
            found = dict(db.execute("SELECT name, value FROM meta"))
    except sqlite3.Error:
        return False
    return found == {"schema": str(tables.SCHEMA), "recipe": rows.recipe()}


def _rebuilt(store: Path, processes: int, swept: int) -> Refreshed:
    index = store / INDEX
    for left in store.glob(f".{INDEX}.*"):
        left.unlink()
    handle, name = tempfile.mkstemp(prefix=f".{INDEX}.", dir=store)
    os.close(handle)
    temporary = Path(name)
    try:
        with _errors(store), closing(sqlite3.connect(temporary)) as db:
            db.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536;")
            db.executescript(tables.CREATE)
            db.executemany(tables.insert("units"), [(name, unit, BETTER.get(name)) for name, unit in UNITS.items()])
            meta = {"schema": str(tables.SCHEMA), "recipe": rows.recipe()}
            db.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
            db.commit()
            if _usable(index):
                _take_over(db, store, index, processes)
            found = _filled(db, store, processes, swept)
            db.executescript(f"{tables.INDEXES} PRAGMA analysis_limit = 1000; ANALYZE;")
            db.commit()
        temporary.chmod(0o644)
        _on_disk(temporary)
        _replace(temporary, index)
    except _Broken as error:
        raise AccelbenchError(f"the index of {store} cannot be made ({error.__cause__})") from error
    finally:
        temporary.unlink(missing_ok=True)
    return found


def _replace(temporary: Path, index: Path) -> None:
    """The journal of the old file must never meet the new one: it goes between them."""
    index.unlink(missing_ok=True)
    index.with_name(f"{INDEX}-journal").unlink(missing_ok=True)
    temporary.rename(index)
    _on_disk(index.parent)


def _on_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _filled(db: sqlite3.Connection, store: Path, processes: int, swept: int) -> Refreshed:
    """Bring ``db`` in line with the folders, in one transaction."""
    known, there = _known(db), folders(store)
    with db:
        outdated = {name for name, each in known.items() if there.get(name) != each[:2] or not each.fine}
        again = outdated | _forget(db, outdated, known)
        wanted = [name for name in there if name not in known or name in again]
        jobs = [name for name in wanted if name.startswith(REPORTS)]
        if jobs:
            writer = Writer(db)
            for entries in in_batches(partial(rows.read_all, store), jobs, processes):
                writer.add(entries)
        beside.add(db, store, {name: there[name] for name in wanted if not name.startswith(REPORTS)})
        beside.mark(db)
    reports, claims, reproductions = (db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ROOMS)
    problems = db.execute("SELECT folder, problem FROM folders WHERE problem IS NOT NULL ORDER BY folder")
    gone = len(known.keys() - there.keys())
    return Refreshed(reports, claims, reproductions, len(wanted), gone, swept, tuple(problems))


def _take_over(db: sqlite3.Connection, store: Path, old: Path, processes: int) -> None:
    """Take from the index ``old`` what it has of reports whose file has the same bytes as when it was read."""
    db.execute("ATTACH ? AS old", (str(old),))
    hashes = db.execute(
        "SELECT f.folder, f.sha256 FROM old.folders f JOIN old.reports r ON r.folder = f.folder WHERE f.problem IS NULL"
    ).fetchall()
    with db:
        db.execute("CREATE TEMP TABLE same (folder TEXT PRIMARY KEY)")
        for names in in_batches(partial(rows.unchanged, store), hashes, processes):
            db.executemany("INSERT INTO same VALUES (?)", [(name,) for name in names])
        for table in ("reports", "folders"):
            db.execute(f"INSERT INTO {table} SELECT * FROM old.{table} WHERE folder IN (SELECT folder FROM same)")
        for table in ("passes", "figure_values"):
            db.execute(
                f"INSERT INTO {table} SELECT * FROM old.{table} WHERE report IN (SELECT number FROM main.reports)"
            )
    db.execute("DETACH old")


def _known(db: sqlite3.Connection) -> dict[str, Known]:
    found = db.execute("SELECT folder, mtime_ns, size_bytes, holds, problem IS NULL FROM folders")
    return {folder: Known(*rest) for folder, *rest in found}


def _forget(db: sqlite3.Connection, outdated: Iterable[str], known: Mapping[str, Known]) -> set[str]:
    """Take what lay in these folders out of the index. Returns the folders that hold the same and are to be read again,
    so that a copy takes the place of what went."""
    again: set[str] = set()
    for folder in outdated:
        holds = known[folder].holds
        copies = db.execute("SELECT folder FROM folders WHERE holds = ?", (holds,)).fetchall()
        again.update(name for (name,) in copies)
        db.execute("DELETE FROM folders WHERE folder = ? OR holds = ?", (folder, holds))
        if holds is not None:
            delete(db, holds)
    return again
