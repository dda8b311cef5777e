"""The tasks that there are: each a folder with ``task.toml`` and what it names, read strictly."""

from __future__ import annotations

import difflib
import hashlib
import json
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any, get_args

import onnx
from pydantic import TypeAdapter, ValidationError

from accelbench.errors import UsageError
from accelbench.model import Task, Tier
from accelbench.zoo.roster import Roster
from accelbench.zoo.weights import checked, graph_bytes

TASKS = Path(__file__).parent / "tasks"
ADAPTER = TypeAdapter(Task)


@cache
def tasks() -> dict[str, Task]:
    """Every shipped task by its id: regular ones first, then the other tiers, each in the order of ids."""
    found = [load(path.parent) for path in TASKS.glob("*/task.toml")]
    order = get_args(Tier)
    return {task.id: task for task in sorted(found, key=lambda task: (order.index(task.tier), task.id))}


def find(name: str) -> Task:
    """The task called ``name``. Raises UsageError with the nearest names."""
    known = tasks()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else "see 'accelbench zoo list'"
        raise UsageError(f"no task is called {name!r}: {hint}")
    return known[name]


def select(chosen: Roster, tiers: Collection[str] = (), domains: Collection[str] = ()) -> list[Task]:
    """The tasks of a roster in the tiers that it gives them, of these tiers and domains (none named: of all); mandatory
    ones first, else in the roster's order.

    Raises UsageError where this accelbench has not the version of a task that the roster lists.
    """
    order = get_args(Tier)
    entries = sorted(chosen.tasks.items(), key=lambda item: order.index(item[1].tier))
    found = [listed(chosen, name) for name, entry in entries if not tiers or entry.tier in tiers]
    return [task for task in found if not domains or task.domain in domains]


def listed(chosen: Roster, name: str) -> Task:
    """The task that a roster lists, in its tier there. Raises UsageError where it is not here in that version."""
    entry = chosen.tasks[name]
    if name not in tasks() or tasks()[name].version != entry.version:
        raise UsageError(
            f"roster {chosen.name} lists {name} in version {entry.version}, which this accelbench does not have: "
            "install the one that the roster came with"
        )
    return replace(tasks()[name], tier=entry.tier)


def folder(task: Task) -> Path:
    """The folder that a shipped task's files lie in."""
    return TASKS / task.id


def load(where: Path) -> Task:
    """The task in folder ``where``. Raises UsageError that names the file and the field which is wrong."""
    path = where / "task.toml"
    try:
        fields = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path} cannot be read as TOML ({error})") from error
    try:
        return ADAPTER.validate_json(json.dumps(fields, default=str))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{path}: {field}: {first['msg']}") from error


def graph(task: Task, where: Path | None = None) -> onnx.ModelProto:
    """The frozen graph without weights of a task in folder ``where`` (None: a shipped one). Raises UsageError when the
    file is not what the task says."""
    return onnx.load_from_string(graph_bytes(task, where or folder(task)))


def task_hash(task: Task, where: Path | None = None) -> str:
    """The sha256 of what the task means: graph, moments and files of its weights, feeds, metric, inputs, outputs.

    Title, tier, domain, tolerance, source and the real data to judge it on may change without it, and the nouns may get
    new fields: what a task leaves empty is left out. Raises UsageError for a file that is missing.
    """
    place = where or folder(task)
    meaning = {
        name: value
        for name, value in asdict(task).items()
        if name not in ("title", "tier", "domain", "tolerance", "source", "real")
    }
    names = {source.file for source in task.weights if source.kind not in ("hub", "package")} | {task.dataset.file}
    meaning["files"] = {
        name: hashlib.sha256(checked(place / name, None)).hexdigest() for name in sorted(filter(None, names))
    }
    return hashlib.sha256(json.dumps(_filled(meaning), sort_keys=True).encode()).hexdigest()


def _filled(value: Any) -> Any:
    """The value without what is None or empty, at every depth."""
    if isinstance(value, Mapping):
        filled = {name: _filled(item) for name, item in value.items()}
        return {name: item for name, item in filled.items() if item is not None and item not in ({}, [], "")}
    return [_filled(item) for item in value] if isinstance(value, list | tuple) else value
