"""Traces of arrivals, kept by their content, so that a plan can name one by its hash."""

from __future__ import annotations

import shutil
from pathlib import Path

from accelbench import paths
from accelbench.errors import UsageError
from accelbench.measure import arrivals

NAME = "arrivals.txt"


def keep(file: Path) -> str:
    """Keep a copy of a trace (a text file, one time in seconds per line); gives the hash of its arrivals. Raises
    UsageError for a file that is none."""
    trace = arrivals.trace(file)
    if not len(trace):
        raise UsageError(f"{file} is empty: a trace has one time in seconds per line")
    sha256 = arrivals.sha256(trace)
    kept = _folder(sha256)
    if not kept.exists():
        with paths.building(kept) as folder:
            shutil.copyfile(file, folder / NAME)
    return sha256


def find(sha256: str) -> Path:
    """The kept copy. Raises UsageError when there is none."""
    kept = _folder(sha256) / NAME
    if not kept.is_file():
        raise UsageError(f"no trace {sha256[:12]}… is kept here: name its file with --trace")
    return kept


def _folder(sha256: str) -> Path:
    return paths.home() / "traces" / sha256
