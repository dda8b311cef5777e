"""What a check has found so far, kept while it goes on, so that one that is interrupted loses nothing.

A file of JSON lines, each written out at once: the first says what is checked, the others are a part, a case or a task
that ended. ``seconds`` of a case or a task are those of its part until then, over all sittings.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO

from pydantic import TypeAdapter

from accelbench.acceptance.result import Outcome, PartResult, TaskResult
from accelbench.errors import UsageError
from accelbench.paths import disk_errors

ROWS = {"case": "operators", "task": "tasks"}
"""The part that a row belongs to."""

Answer = tuple[Outcome, str]


@dataclass
class Journal:
    """``parts``, ``cases`` and ``tasks`` are what was found so far, ``created`` when the first sitting began. Several
    threads may add to it. Without a file it is forgotten."""

    created: str
    parts: dict[str, PartResult] = field(default_factory=dict)
    cases: dict[str, Answer] = field(default_factory=dict)
    tasks: dict[str, TaskResult] = field(default_factory=dict)
    file: TextIO | None = None
    _spent: dict[str, float] = field(default_factory=dict)
    _begun: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def part(self, result: PartResult) -> None:
        self.parts[result.part] = result
        self.write({"part": asdict(result)})

    def case(self, name: str, outcome: Outcome, detail: str) -> None:
        self.cases[name] = outcome, detail
        self.write({"case": [name, outcome, detail], "seconds": self.seconds(ROWS["case"])})

    def task(self, result: TaskResult) -> None:
        self.tasks[result.task] = result
        self.write({"task": asdict(result), "seconds": self.seconds(ROWS["task"])})

    @property
    def known(self) -> str:
        """How much was found, in words; empty without anything."""
        counted = {"parts": len(self.parts), "cases": len(self.cases), "tasks": len(self.tasks)}
        return ", ".join(f"{number} {what}" for what, number in counted.items() if number)

    def begin(self, part: str) -> None:
        """From now on time is counted as that of this part."""
        self._begun[part] = time.monotonic()

    def seconds(self, part: str) -> float:
        """That a part has taken since ``begin``, and in earlier sittings."""
        return self._spent.get(part, 0.0) + time.monotonic() - self._begun[part]

    def take(self, line: Mapping[str, Any]) -> None:
        """What an earlier sitting wrote."""
        if "part" in line:
            part = _PART.validate_python(line["part"])
            self.parts[part.part] = part
        elif "case" in line:
            name, outcome, detail = line["case"]
            self.cases[name] = outcome, detail
            self._spent[ROWS["case"]] = line["seconds"]
        else:
            task = _TASK.validate_python(line["task"])
            self.tasks[task.task] = task
            self._spent[ROWS["task"]] = line["seconds"]

    def write(self, line: Mapping[str, Any]) -> None:
        if self.file is not None:
            with self._lock, disk_errors(Path(self.file.name)):
                self.file.write(json.dumps(line, ensure_ascii=False) + "\n")
                self.file.flush()


_PART, _TASK = TypeAdapter(PartResult), TypeAdapter(TaskResult)


@contextmanager
def journal(path: Path | None, about: Mapping[str, Any], created: str) -> Iterator[Journal]:
    """The journal of a check of ``about``, kept at ``path``; it goes on from what lies there. Raises UsageError when
    what lies there is of another check, or the file cannot be written."""
    if path is None:
        yield Journal(created)
        return
    lines = _lines(path)
    if lines and lines[0]["about"] != about:
        raise UsageError(f"{path} is what another check left when it was interrupted: remove it or choose another -o")
    found = Journal(lines[0]["created"] if lines else created)
    for line in lines[1:]:
        found.take(line)
    with disk_errors(path):
        found.file = path.open("a", encoding="utf-8")
    with found.file:
        if not lines:
            found.write({"created": created, "about": about})
        yield found


def _lines(path: Path) -> Sequence[Mapping[str, Any]]:
    """The lines that are whole; what follows them is cut off."""
    if not path.exists():
        return []
    kept = path.read_bytes()
    whole = kept[: kept.rfind(b"\n") + 1]
    try:
        lines = [json.loads(line) for line in whole.splitlines()]
        if lines and not {"created", "about"} <= set(lines[0]):
            raise ValueError(lines[0])
    except (ValueError, TypeError) as error:
        raise UsageError(f"{path} is not what an interrupted check leaves: remove it or choose another -o") from error
    if len(whole) < len(kept):
        os.truncate(path, len(whole))
    return lines
