"""One report of a store made into what a board has of it, in processes of its own: all that travels can be pickled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from accelbench.board.detail import detail
from accelbench.board.plain import dumps, packed, script
from accelbench.board.summary import Values, pass_rows, row
from accelbench.errors import AccelbenchError
from accelbench.figures.passes import Pass, bare, telemetry
from accelbench.library import index
from accelbench.library.rows import HOSTILE
from accelbench.model import REPORT_SCHEMA, Report
from accelbench.report import codec
from accelbench.report.store import REPORT

DETAILS = "data/reports"


@dataclass(frozen=True)
class Job:
    """A report to make: its number in the index of ``store``, its folder there, what the stores say of its trust, and
    what its detail shows beside its own facts."""

    store: Path
    number: int
    id: str
    folder: str
    trust: Mapping[str, Any]
    beside: Mapping[str, Any]


@dataclass(frozen=True)
class Made:
    """A report's rows; ``problem`` says why there are none."""

    job: Job
    row: Mapping[str, Any] | None = None
    passes: Sequence[dict[str, Any]] = field(default_factory=list)
    problem: str | None = None


Raw = Literal["none", "packed", "served"]
"""Whether a detail has the stored report in it, or an address of the server's."""


def make(board: Path, raw: Raw, jobs: Sequence[Job]) -> list[Made]:
    """Write the detail of each report of one store into the folder ``board``, and give its rows."""
    values, against = _values(jobs), _against(jobs)
    return [_make(board, raw, job, values.get(job.number, {}), against.get(job.number, {})) for job in jobs]


def _make(board: Path, raw: Raw, job: Job, values: Values, against: Mapping[int, str]) -> Made:
    folder = job.store / job.folder
    try:
        data = (folder / REPORT).read_bytes()
        report = _read(data, job)
        timed = [_timed(report, position, folder, against) for position in range(len(report.measurements))]
        own = row(report, values, job.trust)
        rows = pass_rows(timed, values, report.target.device)
        more = detail(report, timed, values, job.beside, _raw(raw, job.id, data))
        content = script(f"report/{own['id']}", packed(dumps(more).encode()))
    except (AccelbenchError, *HOSTILE) as error:
        return Made(job, problem=" ".join(str(error).split()) or type(error).__name__)
    (board / DETAILS / f"{own['id']}.js").write_bytes(content)
    return Made(job, own, rows)


def _timed(report: Report, position: int, folder: Path, against: Mapping[int, str]) -> Pass:
    """A timed pass with its columns; why it is not valid was found when the index was made."""
    measurement = report.measurements[position]
    found = bare(report, measurement, folder)
    told = tuple(against[position].split("; ")) if position in against else ()
    return found if found.problem else replace(found, validity=told, telemetry=telemetry(measurement, folder))


def _raw(raw: Raw, id_: str, data: bytes) -> dict[str, str | None]:
    href = f"api/v1/reports/{id_[:12]}" if raw == "served" else None
    return {"href": href, "gzip": packed(data) if raw == "packed" else None}


def _read(data: bytes, job: Job) -> Report:
    """The report. That it is what its id says was found when the index read this very file."""
    if f'"id":"{job.id}"'.encode() in data:
        with suppress(ValidationError):
            report = codec.REPORTS.adapter.validate_json(data)
            if report.schema == REPORT_SCHEMA:
                return report
    return codec.REPORTS.open(data, job.folder)


def _values(jobs: Sequence[Job]) -> dict[int, dict[tuple[str, int], tuple[float, float | None, float | None]]]:
    """The figures of these reports as the index has them."""
    found: dict[int, dict[tuple[str, int], tuple[float, float | None, float | None]]] = {}
    wanted = ", ".join("?" * len(jobs))
    sql = f"SELECT report, name, measurement, value, low, high FROM figure_values WHERE report IN ({wanted})"
    with closing(index.open_index(jobs[0].store)) as db:
        for number, name, measurement, *told in db.execute(sql, [job.number for job in jobs]):
            found.setdefault(number, {})[name, measurement] = (told[0], told[1], told[2])
    return found


def _against(jobs: Sequence[Job]) -> dict[int, dict[int, str]]:
    """Why timed passes of these reports are not valid, by their positions, as the index has it."""
    found: dict[int, dict[int, str]] = {}
    wanted = ", ".join("?" * len(jobs))
    sql = f"SELECT report, measurement, against FROM passes WHERE report IN ({wanted}) AND against IS NOT NULL"
    with closing(index.open_index(jobs[0].store)) as db:
        for number, measurement, told in db.execute(sql, [job.number for job in jobs]):
            found.setdefault(number, {})[measurement] = told
    return found
