"""Rows of reports into an index, each report once."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from accelbench.library import tables
from accelbench.library.rows import Entry, Row


def delete(db: sqlite3.Connection, holds: str) -> None:
    """Take the report, claim or reproduction of this id out of the index; its folders stay in it."""
    for table in ("passes", "figure_values"):
        db.execute(f"DELETE FROM {table} WHERE report = (SELECT number FROM reports WHERE id = ?)", (holds,))
    db.execute("DELETE FROM claimed_figures WHERE claim = ?", (holds,))
    for table in ("reports", "claims", "reproductions"):
        db.execute(f"DELETE FROM {table} WHERE id = ?", (holds,))


class Writer:
    """Adds entries to an index. Of several folders with one report the first that nothing is wrong with is kept."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db
        self.numbers = dict(db.execute("SELECT id, number FROM reports"))
        self.next = max(self.numbers.values(), default=0) + 1
        doubtful = "SELECT holds FROM folders WHERE problem IS NOT NULL AND holds IS NOT NULL"
        self.doubtful = {holds for (holds,) in db.execute(doubtful)}
        self.waiting: dict[str, list[Row]] = {name: [] for name in ("folders", "reports", "passes", "figure_values")}

    def add(self, entries: Sequence[Entry]) -> None:
        """Add the rows of ``entries``."""
        self.waiting["folders"] += [
            (e.folder, e.stamp.mtime_ns, e.stamp.size_bytes, e.sha256, e.id, e.problem) for e in entries
        ]
        for entry in entries:
            if entry.id in self.doubtful:
                self._flush()
            if entry.report is None or entry.id is None or not self._is_wanted(entry):
                continue
            number = self.numbers[entry.id] = self.next
            self.next += 1
            self.waiting["reports"].append((number, *entry.report))
            self.waiting["passes"] += [(number, *each) for each in entry.passes]
            self.waiting["figure_values"] += [(number, *each) for each in entry.figures]
        self._flush()

    def _flush(self) -> None:
        for table, found in self.waiting.items():
            self.db.executemany(tables.insert(table), found)
            found.clear()

    def _is_wanted(self, entry: Entry) -> bool:
        """Whether the entry's report is not there yet, or only from a folder with a problem, which it then replaces."""
        assert entry.id is not None
        if entry.id not in self.numbers:
            if entry.problem:
                self.doubtful.add(entry.id)
            return True
        if entry.problem or entry.id not in self.doubtful:
            return False
        delete(self.db, entry.id)
        self.doubtful.discard(entry.id)
        return True
