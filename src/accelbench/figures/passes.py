"""A timed pass as its readers need it: the measurement with its columns, and what follows from them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from accelbench.errors import AccelbenchError
from accelbench.measure import columns, stats
from accelbench.measure import series as stored
from accelbench.measure.columns import Columns
from accelbench.measure.series import Series
from accelbench.measure.stats import Summary
from accelbench.measure.validity import reasons
from accelbench.model import Build, LoadGen, Measurement, Report
from accelbench.quality.checks import measurement_reasons
from accelbench.quality.verdict import executed_precision


@dataclass(frozen=True, eq=False)
class Pass:
    """One measurement. Without readable columns ``problem`` says why, and all that follows from them is None.
    ``loadgen`` is the run of the same plan under LoadGen, where there was one; ``peak`` is set for the probes of
    a search only."""

    measurement: Measurement
    build: Build | None
    columns: Columns | None = None
    summary: Summary | None = None
    validity: tuple[str, ...] | None = None
    problem: str | None = None
    loadgen: LoadGen | None = None
    peak: bool | None = None
    telemetry: tuple[Series, ...] = ()


def passes(report: Report, folder: Path, only: Collection[str] | None = None) -> list[Pass]:
    """The report's timed passes, in their order; ``folder`` holds the report and its columns. Where no more is wanted
    than figures, ``only`` names the quantiles; telemetry is then not read."""
    return [read(report, measurement, folder, only) for measurement in report.measurements]


def read(report: Report, measurement: Measurement, folder: Path, only: Collection[str] | None = None) -> Pass:
    """One timed pass of the report: of its measurements, or of what else was timed."""
    found = bare(report, measurement, folder)
    if found.columns is None:
        return found
    summary = stats.summary(found.columns, stats.QUANTILES if only is None else only)
    return replace(
        found,
        summary=summary,
        validity=_validity(report, measurement, found.columns, summary),
        telemetry=telemetry(measurement, folder) if only is None else (),
    )


def bare(report: Report, measurement: Measurement, folder: Path) -> Pass:
    """The same with its columns alone: nothing is computed from them."""
    build = build_of(report, measurement)
    beside = next((run for run in report.loadgen if run.plan == measurement.plan), None)
    try:
        table = columns.read(folder / measurement.columns)
    except AccelbenchError as error:
        return Pass(measurement, build, problem=str(error), loadgen=beside)
    return Pass(measurement, build, table, loadgen=beside)


def telemetry(measurement: Measurement, folder: Path) -> tuple[Series, ...]:
    """What the host told meanwhile; nothing where that was not kept, or cannot be read any more."""
    if measurement.telemetry is None:
        return ()
    try:
        return stored.read(folder / measurement.telemetry)
    except AccelbenchError:
        return ()


def _validity(report: Report, measurement: Measurement, table: Columns, summary: Summary) -> tuple[str, ...]:
    """Why the pass is not valid, from its columns and from the checks of its outputs; nothing twice."""
    executed = executed_precision(report, measurement)
    return tuple(dict.fromkeys((*reasons(measurement, table, summary), *measurement_reasons(measurement, executed))))


def build_of(report: Report, measurement: Measurement) -> Build | None:
    """The compiled form that a pass ran: that of its batch, for its purpose where the stack tells purposes apart."""
    plan = measurement.plan
    return next(
        (b for b in report.builds if b.batch == plan.compiled_batch and b.purpose in (None, plan.purpose)), None
    )
