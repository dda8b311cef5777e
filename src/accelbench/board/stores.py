"""What several stores together say: which reports there are, and who stands for each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accelbench.board.making import Job
from accelbench.errors import UsageError
from accelbench.imports import store as imported
from accelbench.library import index
from accelbench.model import Claim

_COUNTS = ("reproduced", "not_reproduced", "ambiguous", "not_comparable")


@dataclass(frozen=True)
class Stores:
    """The reports to show, each once, with the store that it is taken from; claims, each once; and what is wrong."""

    jobs: tuple[Job, ...]
    claims: tuple[Claim, ...]
    counts: tuple[tuple[str, int], ...]
    problems: tuple[tuple[str, str], ...]


def read(paths: Sequence[Path]) -> Stores:
    """Bring the indexes of the stores up to date and read them. Raises UsageError where one is no store."""
    if not paths:
        raise UsageError("a board is made of at least one store: name a run's folder")
    reports: dict[str, tuple[Path, int, str]] = {}
    reproductions: dict[str, tuple[Any, ...]] = {}
    signed: dict[str, set[str]] = defaultdict(set)
    counts, problems = [], []
    found: dict[str, Path] = {}
    for path in paths:
        index.current(path)
        with closing(index.open_index(path)) as db:
            rows = db.execute("SELECT id, number, folder FROM reports ORDER BY id").fetchall()
            for id_, number, folder in rows:
                reports.setdefault(id_, (path, number, folder))
            told = f"SELECT id, of, created, {', '.join(_COUNTS)}, outputs FROM reproductions ORDER BY created, id"
            reproductions |= {row[0]: row for row in db.execute(told)}
            for report, key in db.execute("SELECT report, key FROM signatures"):
                signed[report].add(key)
            told = "SELECT folder, problem FROM folders WHERE problem IS NOT NULL ORDER BY folder"
            problems += [(f"{path.name}/{folder}", problem) for folder, problem in db.execute(told)]
            kept = db.execute("SELECT id, folder FROM claims ORDER BY id").fetchall()
        found |= {id_: path / folder for id_, folder in kept}
        counts.append((path.resolve().name, len(rows)))
    again: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for row in reproductions.values():
        again[row[1]].append(row)
    jobs = [_job(id_, *where, again[id_], sorted(signed[id_])) for id_, where in reports.items()]
    read_claims = tuple(imported.open_claim(folder) for _, folder in sorted(found.items()))
    return Stores(tuple(jobs), read_claims, tuple(counts), tuple(problems))


def _job(id_: str, store: Path, number: int, folder: str, again: list[tuple[Any, ...]], signed: list[str]) -> Job:
    """Trust as the index of one store tells it (``accelbench.library.beside.mark``), over all of them."""
    agreeing = sum(1 for row in again if row[3] > 0 and row[4] == 0)
    trust = {
        "trust": "reproduced" if agreeing else "verified" if signed else "measured",
        "reproducedBy": agreeing,
        "signedBy": len(signed),
    }
    names = ("id", "created", "reproduced", "notReproduced", "ambiguous", "notComparable", "outputs")
    told = [dict(zip(names, (row[0], *row[2:]), strict=True)) for row in again]
    return Job(store, number, id_, folder, trust, {"reproductions": told, "signatures": signed})
