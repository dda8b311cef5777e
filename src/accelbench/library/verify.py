"""Whether everything in a store is what it was, and its index what the raw facts say."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from accelbench.errors import AccelbenchError
from accelbench.library import beside, index, layout, rows
from accelbench.library.layout import REPORTS
from accelbench.library.workers import in_batches
from accelbench.report.store import verify as verify_report


@dataclass(frozen=True)
class Finding:
    """A folder of the store, relative to it, and what is wrong in it."""

    folder: str
    problem: str


@dataclass(frozen=True)
class _Checked:
    folder: str
    problems: tuple[str, ...]
    id: str | None
    figures: frozenset[rows.Row]


def verify(store: Path, processes: int | None = None) -> tuple[int, tuple[Finding, ...]]:
    """How many folders were looked at, and every fault: a file that is not what its report says, an id that does not
    match, and a figure in the index that the raw facts do not give. The index is brought up to date first."""
    index.refresh(store, processes=processes)
    there = list(layout.folders(store))
    names = [name for name in there if name.startswith(REPORTS)]
    found = [
        Finding(name, problem)
        for name in there
        if not name.startswith(REPORTS)
        for problem in beside.faults(store, name)
    ]
    results = in_batches(partial(_check_all, store), names, processes or len(os.sched_getaffinity(0)))
    with closing(index.open_index(store)) as db:
        for checked in (each for batch in results for each in batch):
            found += [Finding(checked.folder, problem) for problem in checked.problems]
            if checked.problems or checked.id is None:
                continue
            kept = db.execute(
                "SELECT name, measurement, value, low, high FROM figure_values "
                "WHERE report = (SELECT number FROM reports WHERE id = ?)",
                (checked.id,),
            )
            found += [Finding(checked.folder, text) for text in _differences(frozenset(kept), checked.figures)]
    return len(there), tuple(sorted(found, key=lambda each: each.folder))


def _check_all(store: Path, names: Sequence[str]) -> list[_Checked]:
    return [_check(store, name) for name in names]


def _check(store: Path, name: str) -> _Checked:
    try:
        problems = verify_report(store / name)
    except (AccelbenchError, *rows.HOSTILE) as error:
        return _Checked(name, (" ".join(str(error).split()),), None, frozenset())
    entry = rows.read(store, name)
    own = (entry.problem,) if entry.problem and not problems else ()
    return _Checked(name, (*problems, *own), entry.id, frozenset(entry.figures))


def _differences(kept: frozenset[rows.Row], computed: frozenset[rows.Row]) -> Iterator[str]:
    for row in sorted(kept ^ computed, key=str):
        side = "the index has" if row in kept else "the raw facts give"
        where = "" if row[1] == rows.WHOLE_REPORT else f" of pass {row[1]}"
        yield f"{side} {row[0]}{where} = {row[2]!r}, which the other does not"
