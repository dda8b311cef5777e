"""A run's directory: one immutable folder per report, there whole or not at all.

    DIR/reports/<task>--<backend>--<precision>--<first 12 of the id>/
        report.json     canonical; names every other file with its sha256
        private.json    facts that stay out of the hash (readable by its owner only)
        …               what the evaluation staged: columns, predictions, logs, the adapter with its lock
    DIR/outputs/<first 12 of their hash>/    the accuracy pass's outputs, where they were to be kept

A report is staged in a hidden sibling, flushed to disk, made read-only and renamed; so a process killed at any moment
leaves no half-written report in sight.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from accelbench.errors import AccelbenchError, UsageError
from accelbench.model import Quality, Report
from accelbench.paths import disk_errors, held
from accelbench.report import codec

REPORT = "report.json"
PRIVATE = "private.json"
OUTPUTS = "outputs"
RESULTS = "accelbench-results"
SMALL_BYTES = 1 << 16


class RunDirectory:
    """The directory that ``-o`` names. Made with ``create``; ``path`` and its ``reports`` folder exist then."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.reports = path / "reports"

    @classmethod
    def create(cls, path: Path | None) -> RunDirectory:
        """A new run directory at ``path``, which must not exist or be empty; without a path at
        ``accelbench-results/<UTC time>`` under the current folder. Raises UsageError when it holds anything or
        cannot be written."""
        run = cls(path) if path else cls(_fresh())
        with disk_errors(run.path):
            if run.path.exists():
                if not run.path.is_dir():
                    raise UsageError(f"{run.path} is a file: choose another -o")
                if any(run.path.iterdir()):
                    held = "a run" if run.reports.is_dir() else "files"
                    raise UsageError(f"{run.path} already holds {held}, nothing is overwritten: choose another -o")
            try:
                run.reports.mkdir(parents=True)
            except (FileExistsError, FileNotFoundError, NotADirectoryError) as error:
                raise UsageError(f"{run.path} cannot be made ({error.strerror}): choose another -o") from None
        return run

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """An empty hidden folder to collect a report's files in; gone at the end unless ``put`` made it a report."""
        with staged(self.reports) as folder:
            yield folder

    def put(self, draft: Report, staging: Path, private: Mapping[str, Any]) -> Path:
        """Store ``draft`` with the files that lie in ``staging`` (from ``self.staging()``) and return its folder.

        ``files`` and ``id`` of the draft are filled in. Raises AccelbenchError when something in the draft cannot be
        stored, UsageError when this very report is there already.
        """
        with disk_errors(self.path):
            report = codec.identify(replace(draft, files=_hashes(staging)))
            final = self.reports / folder_name(report)
            if final.exists():
                raise UsageError(f"{final} exists already; a report is never overwritten")
            (staging / REPORT).write_bytes(codec.encode(report))
            (staging / PRIVATE).write_text(json.dumps(private, indent=2, sort_keys=True), encoding="utf-8")
            place(staging, final)
        return final


@contextmanager
def staged(room: Path) -> Iterator[Path]:
    """An empty hidden folder in ``room``, gone at the end unless ``place`` gave it a name."""
    with disk_errors(room):
        folder = Path(tempfile.mkdtemp(prefix=".staging-", dir=room))
    try:
        with held(folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def place(staging: Path, final: Path) -> None:
    """Give a staged folder its name, everything in it read-only and on the disk before and after. Raises
    FileExistsError where another has that name."""
    _seal(staging)
    try:
        staging.rename(final)
    except OSError as error:
        if error.errno == errno.ENOTEMPTY:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(final)) from error
        raise
    _sync(final.parent)


def folder_name(report: Report) -> str:
    """``<task>--<backend>--<precision>--<first 12 of the id>``, with other signs than letters, digits, dot and hyphen
    as ``_``."""
    parts = (report.task.id, report.target.backend, report.target.precision)
    safe = [re.sub(r"[^\w.-]", "_", part, flags=re.ASCII)[:48].lstrip(".") or "_" for part in parts]
    return "--".join((*safe, report.id[:12]))


def outputs_in(room: Path, quality: Quality | None) -> Path | None:
    """Where in ``room``, a run's folder of outputs, those of this accuracy pass lie if they were kept."""
    if quality is None or quality.outputs_sha256 is None:
        return None
    return room / quality.outputs_sha256[:12]


def open_report(path: Path) -> tuple[Report, Path]:
    """The report at ``path`` (its folder or its ``report.json``) and its folder.

    Raises UsageError when there is none or it cannot be read, AccelbenchError when its content does not match its id.
    """
    file = path / REPORT if path.is_dir() else path
    try:
        data = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file}: no report can be read here ({error.strerror})") from None
    return codec.REPORTS.open(data, str(file)), file.parent


def verify(folder: Path) -> tuple[str, ...]:
    """What differs in a report's folder from what its report says, one line per file; empty when nothing does.

    Raises as ``open_report`` does.
    """
    report, folder = open_report(folder)
    there = {name: path for name, path in files_in(folder).items() if name not in (REPORT, PRIVATE)}
    findings = [f"{name}: not named in the report" for name in sorted(there.keys() - report.files.keys())]
    for name, sha256 in sorted(report.files.items()):
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            findings.append(f"{name}: lies outside the report's folder")
        elif name not in there:
            findings.append(f"{name}: missing")
        elif not _is_plain(there[name]):
            findings.append(f"{name}: not a plain file")
        elif sha256_of(there[name]) != sha256:
            findings.append(f"{name}: content differs")
    return tuple(findings)


def reports(run: Path) -> Iterator[tuple[Report, Path]]:
    """Every report of the run directory with its folder, in the order of the folders' names. Raises UsageError when
    ``run`` is none, and as ``open_report`` does."""
    if not (run / "reports").is_dir():
        raise UsageError(f"{run} is not a run directory (it has no folder reports)")
    for folder in sorted((run / "reports").iterdir()):
        if not folder.name.startswith("."):
            yield open_report(folder)


def _fresh() -> Path:
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    path, number = Path(RESULTS, stamp), 1
    while path.exists():
        number += 1
        path = Path(RESULTS, f"{stamp}-{number}")
    return path


def files_in(folder: Path) -> dict[str, Path]:
    """Everything but directories under ``folder``, by its relative path with slashes; links are not followed."""
    return {
        Path(base, name).relative_to(folder).as_posix(): Path(base, name)
        for base, folders, names in os.walk(folder)
        for name in (*names, *(each for each in folders if Path(base, each).is_symlink()))
    }


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _hashes(staging: Path) -> dict[str, str]:
    files = files_in(staging)
    for name, path in files.items():
        if name in (REPORT, PRIVATE) or not _is_plain(path):
            raise AccelbenchError(f"{name} cannot be part of a report: only plain files of other names can")
    return {name: sha256_of(path) for name, path in sorted(files.items())}


def sha256_of(path: Path | str) -> str:
    """The sha256 of the file's content, read in pieces where it is large."""
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123
        data = file.read(SMALL_BYTES)
        if len(data) < SMALL_BYTES and not file.read(1):
            return hashlib.sha256(data).hexdigest()
        file.seek(0)
        return hashlib.file_digest(file, "sha256").hexdigest()


def _seal(folder: Path) -> None:
    """Make every file read-only and have all of it on disk before it gets its name."""
    for name, path in files_in(folder).items():
        path.chmod(0o400 if name == PRIVATE else 0o444)
        _sync(path)
    for base, _, _ in os.walk(folder, topdown=False):
        Path(base).chmod(0o755)
        _sync(Path(base))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
