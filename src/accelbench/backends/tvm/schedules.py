"""A database of MetaSchedule as this side sees it: how it is made within a time limit, and what is in it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).with_name("metaschedule.py")
WORKLOADS = "database_workload.json"
RECORDS = "database_tuning_record.json"
LOG = "log"
FILES = (WORKLOADS, RECORDS)


def search(model: Path, folder: Path, threads: str, limit_s: float) -> bool:
    """Let MetaSchedule make a database in ``folder`` for ``limit_s`` seconds; what else it writes is there too. Nothing
    of it runs on when this returns, nor when this process ends. Gives whether it came to its own end."""
    with (folder / LOG).open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(model), str(folder)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, "TVM_NUM_THREADS": threads, "TMPDIR": str(folder)},
        )
        try:
            ended = process.wait(limit_s) == 0
        except subprocess.TimeoutExpired:
            ended = False
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    for name in FILES:
        whole_lines(folder / name)
    return ended


def copied(database: Path, folder: Path) -> None:
    if database.resolve() != folder.resolve():
        for name in FILES:
            shutil.copyfile(database / name, folder / name)


def whole_lines(path: Path) -> None:
    """Take away what a writer that was ended left of its last line."""
    if path.is_file():
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join(line for line in lines if line.endswith(b"\n")))


def records(folder: Path) -> int:
    """How many schedules are in the database."""
    path = folder / RECORDS
    return len(path.read_bytes().splitlines()) if path.is_file() else 0


def said(folder: Path) -> str:
    """The end of what the search in ``folder`` printed."""
    log = folder / LOG
    return log.read_text(encoding="utf-8", errors="replace")[-5000:] if log.is_file() else ""
