"""The tasks that there are: each a folder with ``task.toml`` and what it names, read strictly."""

from __future__ import annotations

import difflib
import hashlib
import json
import tomllib
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import get_args

import onnx
from pydantic import TypeAdapter, ValidationError

from accelbench.errors import UsageError
from accelbench.model import Task, Tier
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

    Title, tier, domain, tolerance and source may change without it. Raises UsageError for a file that is missing.
    """
    place = where or folder(task)
    meaning = {
        name: value
        for name, value in asdict(task).items()
        if name not in ("title", "tier", "domain", "tolerance", "source")
    }
    names = {source.file for source in task.weights if source.kind != "hub"} | {task.dataset.file}
    meaning["files"] = {
        name: hashlib.sha256(checked(place / name, None)).hexdigest() for name in sorted(filter(None, names))
    }
    return hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).hexdigest()
