"""Rosters: dated lists of the tasks that count, each in its tier, with the reason for its coming, going or moving.

``rosters/<name>.toml`` holds one; a published one never changes. The newest decides the tier of every task, and lists
all that there are.
"""

from __future__ import annotations

import datetime
import difflib
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from accelbench.errors import UsageError
from accelbench.model import STRICT, Tier

ROSTERS = Path(__file__).parent / "rosters"
Kind = Literal["added", "left", "moved", "changed"]


@dataclass(frozen=True)
class Line:
    """A task in a roster's file: its version, and why it is there, in that tier and version."""

    __pydantic_config__ = STRICT

    version: int
    reason: str


@dataclass(frozen=True)
class RosterFile:
    """``tasks`` are by tier and id; ``left`` says of those that were in the roster before why they are not in this."""

    __pydantic_config__ = STRICT

    date: datetime.date
    summary: str
    tasks: Mapping[Tier, Mapping[str, Line]]
    left: Mapping[str, str]


@dataclass(frozen=True)
class Entry:
    """A task's place in a roster."""

    tier: Tier
    version: int
    reason: str


@dataclass(frozen=True)
class Roster:
    """The tasks that count at a date, by id, in the order of the file; ``left`` are reasons by id."""

    name: str
    date: datetime.date
    summary: str
    tasks: Mapping[str, Entry]
    left: Mapping[str, str]


@dataclass(frozen=True)
class Change:
    """What became of a task between two rosters: ``added`` (``before`` is None), ``left`` (``after`` is None),
    ``moved`` to another tier, or ``changed``, which is another version in the same tier."""

    task: str
    kind: Kind
    before: Entry | None
    after: Entry | None
    reason: str


@cache
def rosters() -> dict[str, Roster]:
    """Every roster by its name, the oldest first."""
    paths = sorted(ROSTERS.glob("*.toml"), key=lambda path: [int(part) for part in path.stem.split(".")])
    return {path.stem: read(path) for path in paths}


def read(path: Path) -> Roster:
    """The roster in a file. Raises UsageError for a task that stands in two tiers."""
    fields = tomllib.loads(path.read_text(encoding="utf-8"))
    file = TypeAdapter(RosterFile).validate_json(json.dumps(fields, default=str))
    tasks: dict[str, Entry] = {}
    for tier, lines in file.tasks.items():
        for task, line in lines.items():
            if task in tasks:
                raise UsageError(f"{path}: {task} is in two tiers, {tasks[task].tier} and {tier}: leave one")
            tasks[task] = Entry(tier, line.version, line.reason)
    return Roster(path.stem, file.date, file.summary, tasks, file.left)


def newest() -> Roster:
    """The roster that decides."""
    return list(rosters().values())[-1]


def find(name: str) -> Roster:
    """The roster called ``name``. Raises UsageError with the names that there are."""
    known = rosters()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        raise UsageError(f"no roster is called {name!r}: {hint}")
    return known[name]


def changes(a: Roster, b: Roster, known: Sequence[Roster]) -> list[Change]:
    """What changed from ``a`` to the later ``b``: added, left, moved, changed, each in the order of the lists.

    ``known`` are all rosters, the oldest first; those between the two tell why a task left. Raises UsageError when
    ``b`` is not later.
    """
    first, last = known.index(a), known.index(b)
    if first >= last:
        raise UsageError(f"roster {b.name} is not later than {a.name}: name the earlier one first")
    reasons = {task: why for roster in known[first + 1 : last + 1] for task, why in roster.left.items()}
    found = [
        *(Change(task, "added", None, entry, entry.reason) for task, entry in b.tasks.items() if task not in a.tasks),
        *(Change(task, "left", entry, None, reasons[task]) for task, entry in a.tasks.items() if task not in b.tasks),
    ]
    for task, after in b.tasks.items():
        before = a.tasks.get(task, after)
        if before.tier != after.tier:
            found.append(Change(task, "moved", before, after, after.reason))
        elif before.version != after.version:
            found.append(Change(task, "changed", before, after, after.reason))
    return found
