"""Where things lie in a store. A run's directory is one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from accelbench import paths
from accelbench.errors import UsageError
from accelbench.imports.store import CLAIM
from accelbench.library import reproductions
from accelbench.library.rows import Stamp, stamp_of
from accelbench.report.store import REPORT, staged

REPORTS, CLAIMS, REPRODUCTIONS, SIGNATURES = "reports", "claims", "reproductions", "signatures"
ROOMS = (REPORTS, CLAIMS, REPRODUCTIONS)
FILES = {REPORTS: REPORT, CLAIMS: CLAIM, REPRODUCTIONS: reproductions.FILE, SIGNATURES: ""}
"""The rooms of a store, and the file that every folder in them has; of signatures the folder itself tells what is
new."""


def check(store: Path) -> None:
    """Raise UsageError unless ``store`` is one."""
    if not any((store / room).is_dir() for room in ROOMS):
        raise UsageError(f"{store} is no store (it has no folder {', '.join(ROOMS[:-1])} or {ROOMS[-1]})")


def folders(store: Path) -> dict[str, Stamp]:
    """Every folder of the store, by its path in it, with the stamp of its file; of one without that file, zeros."""
    found = {}
    for room, file in FILES.items():
        try:
            names = sorted(os.listdir(store / room))  # noqa: PTH208
        except (FileNotFoundError, NotADirectoryError):
            continue
        base = str(store / room)
        for name in names:
            if not name.startswith("."):
                found[f"{room}/{name}"] = stamp_of(f"{base}/{name}/{file}") or Stamp(0, 0)
    return found


@contextmanager
def staging(store: Path, room: str) -> Iterator[Path]:
    """An empty hidden folder of the room, gone at the end; ``report.store.place`` gives what was made in it its name.
    Raises UsageError where the disk is full or cannot be written."""
    with paths.disk_errors(store):
        (store / room).mkdir(parents=True, exist_ok=True)
        with staged(store / room) as folder:
            yield folder
