"""Freeze tasks: write the hash of what each means into ``tests/unit/zoo/frozen.json``, which CI compares.

``python tools/freeze.py TASK…`` records the tasks' present versions. An entry is never changed: a task that means
something else gets a new ``version`` in its ``task.toml``, and its roster a line with it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from accelbench.zoo import catalogue

FROZEN = Path(__file__).parent.parent / "tests" / "unit" / "zoo" / "frozen.json"


def freeze(names: list[str], path: Path) -> list[str]:
    """Record the tasks in the file and return, for each, what was done, in a line. SystemExit, with nothing written,
    when a version that is recorded has another hash now."""
    entries: dict[str, dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    said = []
    for name in names:
        task = catalogue.find(name)
        found, versions = catalogue.task_hash(task), entries.setdefault(name, {})
        known = versions.setdefault(str(task.version), found)
        if known != found:
            sys.exit(
                f"{name} version {task.version} is frozen as {known[:12]} and would be {found[:12]}: "
                f"undo the change, or set version = {task.version + 1} in its task.toml"
            )
        said.append(f"{name} version {task.version}: {found}")
    path.write_text(json.dumps(entries, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return said


if __name__ == "__main__":
    if not sys.argv[1:]:
        sys.exit("name the tasks to freeze: python tools/freeze.py TASK…")
    sys.stdout.write("\n".join(freeze(sys.argv[1:], FROZEN)) + "\n")
