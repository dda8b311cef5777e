"""What the index says of one folder: read from its files, checked against its id, computed from its raw facts."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import accelbench
from accelbench.errors import AccelbenchError
from accelbench.figures.figures import TAILS, Figure, figures_of
from accelbench.figures.passes import Pass, summarised
from accelbench.measure.columns import Columns, Contents, contents, parse
from accelbench.model import Report
from accelbench.quality.verdict import judge
from accelbench.report import codec
from accelbench.report.store import REPORT

Row = tuple[Any, ...]

LARGEST_INTEGER = 2**63 - 1
WHOLE_REPORT = -1
"""The position of a figure that is of no timed pass."""

HOSTILE = (ValueError, ArithmeticError, LookupError, TypeError, MemoryError, OSError)
"""What computing from files that somebody made may raise."""


class Stamp(NamedTuple):
    """By what a file is known to be the one that was read: it is written once, so another time or size is another."""

    mtime_ns: int
    size_bytes: int


@dataclass(frozen=True)
class Entry:
    """A folder with a report, as rows of the index without the report's number. ``sha256`` is that of the report's
    file. ``problem`` says what is wrong with the folder; ``report`` is None where that is everything."""

    folder: str
    stamp: Stamp
    sha256: str | None = None
    report: Row | None = None
    id: str | None = None
    passes: tuple[Row, ...] = ()
    figures: tuple[Row, ...] = ()
    problem: str | None = None


@cache
def recipe() -> str:
    """The hash of the code that figures come from: what another recipe computed is not used again."""
    root, digest = Path(accelbench.__file__).parent, hashlib.sha256()
    for room in ("figures", "measure", "metrics", "model", "quality"):
        for file in sorted((root / room).glob("*.py")):
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
    digest.update(Path(__file__).read_bytes())
    return digest.hexdigest()


def stamp_of(file: str) -> Stamp | None:
    """The file's stamp; None where there is no such file. Paths are texts here: a store has 100,000 of them."""
    try:
        found = os.stat(file)  # noqa: PTH116
    except OSError:
        return None
    return Stamp(found.st_mtime_ns, found.st_size)


def read(store: Path, name: str) -> Entry:
    """The folder ``name`` of ``store``. Never raises for what a folder may hold."""
    folder = f"{store}/{name}"
    stamp = stamp_of(f"{folder}/{REPORT}")
    if stamp is None:
        return Entry(name, Stamp(0, 0), problem=f"{REPORT} is missing")
    try:
        data = bytes(contents(f"{folder}/{REPORT}"))
        report = codec.REPORTS.open(data, REPORT)
        sha256, row = hashlib.sha256(data).hexdigest(), _report(report, name)
    except (AccelbenchError, *HOSTILE) as error:
        return Entry(name, stamp, problem=_line(error))
    entry = partial(Entry, name, stamp, sha256, row, report.id)
    try:
        files = _Files(report, folder)
        problem = "; ".join(files.altered()) or None
        if problem is not None:
            return entry(figures=_figures(report, ()), problem=problem)
        timed = [summarised(report, each, files.columns, TAILS) for each in report.measurements]
        return entry(
            passes=tuple(_pass(each, position) for position, each in enumerate(timed)),
            figures=_figures(report, timed),
        )
    except (AccelbenchError, *HOSTILE) as error:
        return entry(problem=f"its figures cannot be computed: {_line(error)}")


class _Files:
    """The files of a report's columns, each read once: the bytes whose hash is looked at are those that figures are
    computed from."""

    def __init__(self, report: Report, folder: str) -> None:
        self._report, self._folder = report, folder
        self._kept: dict[str, bytes] = {}

    def altered(self) -> Iterator[str]:
        """The files that are not those that the report names: what they hold is no evidence."""
        for measurement in self._report.measurements:
            yield from self._altered(measurement.columns)

    def columns(self, name: str) -> Columns:
        """The columns in the folder ``name``, after ``altered`` found nothing."""
        return parse(partial(self._contents, name), f"{self._folder}/{name}")

    def _altered(self, columns: str) -> Iterator[str]:
        if ".." in columns.split("/") or columns.startswith("/"):
            yield f"{columns} lies outside the report's folder"
            return
        files, start = self._report.files, f"{columns}/"
        named = {name for name in files if name.startswith(start)}
        try:
            there = {f"{start}{name}" for name in os.listdir(f"{self._folder}/{columns}")}  # noqa: PTH208
        except (FileNotFoundError, NotADirectoryError):
            yield f"{columns} is missing"
            return
        for name in sorted(named | there):
            if name not in named:
                yield f"{name} is not named in the report"
            elif name not in there:
                yield f"{name} is missing"
            elif self._sha256(name) != files[name]:
                yield f"{name} differs from what the report names"

    def _sha256(self, name: str) -> str:
        found = contents(f"{self._folder}/{name}")
        if isinstance(found, bytes):
            self._kept[name] = found
        return hashlib.sha256(found).hexdigest()

    def _contents(self, columns: str, file: str) -> Contents:
        """A large file is mapped a second time: a report may have more of them than a process may hold open."""
        name = f"{columns}/{file}"
        return self._kept[name] if name in self._kept else contents(f"{self._folder}/{name}")


def _report(report: Report, folder: str) -> Row:
    """All columns of ``tables.REPORTS`` but the number."""
    task, target, host = report.task, report.target, report.host
    return _fitting(
        report.id,
        *(task.id, task.version, task.tier, task.domain),
        report.weights.kind if report.weights else None,
        *(target.backend, target.device, report.device.name if report.device else None, target.precision),
        report.builds[0].compiled.executed_precision if report.builds else None,
        "+".join(target.passes),
        *(report.effort, report.status, judge(report).verdict, report.created, report.accelbench),
        *(host.os, host.kernel, host.machine, host.cpu, host.logical_cpus, host.memory_bytes),
        *("measured", 0, 0, folder),
    )


def _pass(timed: Pass, position: int) -> Row:
    """All columns of ``tables.PASSES`` but the report."""
    measurement, plan = timed.measurement, timed.measurement.plan
    bounded = plan.latency_bound_s is not None
    against = (timed.problem,) if timed.problem else timed.validity or ()
    return _fitting(
        *(position, plan.scenario, plan.batch, measurement.concurrency, plan.instances, plan.rate, plan.burst),
        *(plan.latency_bound_s, plan.stop.statistic if bounded else None, plan.max_batch, measurement.queries),
        "; ".join(against) or None,
    )


def _figures(report: Report, timed: Sequence[Pass]) -> tuple[Row, ...]:
    return tuple(_figure(each) for each in figures_of(report, timed) if math.isfinite(each.value))


def _figure(figure: Figure) -> Row:
    """All columns of ``tables.VALUES`` but the report."""
    position = WHOLE_REPORT if figure.measurement is None else figure.measurement
    return figure.name, position, figure.value, figure.low, figure.high


def _fitting(*values: Any) -> Row:
    """The values as the index can hold them: integers beyond 64 bits become floating-point numbers."""
    return tuple(float(v) if isinstance(v, int) and abs(v) > LARGEST_INTEGER else v for v in values)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def read_all(store: Path, names: Sequence[str]) -> list[Entry]:
    """``read`` of several folders."""
    return [read(store, name) for name in names]


def unchanged(store: Path, hashes: Sequence[tuple[str, str]]) -> list[str]:
    """Those of the folders whose report's file has the sha256 that stands beside them."""
    return [name for name, sha256 in hashes if _has(f"{store}/{name}/{REPORT}", sha256)]


def _has(file: str, sha256: str) -> bool:
    try:
        with open(file, "rb") as data:  # noqa: PTH123
            return hashlib.sha256(data.read()).hexdigest() == sha256
    except OSError:
        return False
