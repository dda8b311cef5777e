"""Environments made from the locks of a submission, to see that they can be."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from accelbench.envs import packages
from accelbench.errors import AccelbenchError
from accelbench.gate.rules.evidence import LOCK
from accelbench.gate.submission import Entry, Submission


def installed(submission: Submission, say: Callable[[str], None]) -> Submission:
    """The submission with the outcome in each entry that has a lock; equal locks are tried once."""
    outcomes: dict[bytes, str | None] = {}
    entries = []
    for entry in submission.entries:
        lock = entry.folder / LOCK
        data = lock.read_bytes() if lock.is_file() else None
        if data is not None and data not in outcomes:
            outcomes[data] = _problem(entry, lock, say)
        entries.append(replace(entry, installation=outcomes[data] if data is not None else None))
    return replace(submission, entries=tuple(entries))


def _problem(entry: Entry, lock: Path, say: Callable[[str], None]) -> str | None:
    name = entry.report.target.backend
    with tempfile.TemporaryDirectory(prefix="accelbench-install-") as room:
        place = Path(room)
        try:
            packages.make(place / "environment", lock, (), place / "log.txt", f"backend {name}", say)
        except AccelbenchError as error:
            return str(error).partition("; log:")[0]
    return None
