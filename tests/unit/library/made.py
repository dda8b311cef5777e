"""Small stores for the tests of this room."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.unit.page import factory

from accelbench import model
from accelbench.report.store import RunDirectory

MS = factory.MS
PRIVATE: Mapping[str, Any] = {"user": "mei"}


def report(task: str = "resnet50", backend: str = "openvino", precision: str = "bf16", **changes: Any) -> model.Report:
    """A draft with two timed passes."""
    return replace(factory.report(task, backend, precision), **changes)


def put(store: Path, draft: model.Report, median_ns: int = 21 * MS, seed: int = 3) -> Path:
    """Store the draft with columns of its passes; its folder."""
    run = RunDirectory(store)
    run.reports.mkdir(parents=True, exist_ok=True)
    with run.staging() as staging:
        for each in draft.measurements:
            batch = each.plan.batch
            factory.columns(staging / each.columns, each.queries, median_ns * (1 + batch) // 2, batch, seed)
        return run.put(draft, staging, PRIVATE)


def store(root: Path, count: int = 3) -> tuple[Path, list[Path]]:
    """A store with ``count`` reports that differ in the backend, and their folders."""
    path = root / "store"
    return path, [put(path, report(backend=f"stack-{number}"), (10 + number) * MS) for number in range(count)]


def edit(file: Path, data: bytes) -> None:
    """Change a file that was made read-only."""
    file.chmod(0o644)
    file.write_bytes(data)


def changed(folder: Path, **fields: Any) -> None:
    """Change a stored report's fields and leave its id."""
    file = folder / "report.json"
    document = {**json.loads(file.read_bytes()), **fields}
    edit(file, json.dumps(document, sort_keys=True, separators=(",", ":")).encode())
