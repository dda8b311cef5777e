"""A timed pass as its readers need it: the measurement with its columns, and what follows from them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from accelbench.errors import AccelbenchError
from accelbench.measure import columns, stats
from accelbench.measure import series as stored
from accelbench.measure.columns import Columns
from accelbench.measure.series import Series
from accelbench.measure.stats import Summary, Times
from accelbench.measure.validity import reasons
from accelbench.model import Build, LoadGen, Measurement, Report
from accelbench.quality.checks import measurement_reasons
from accelbench.quality.verdict import executed_precision

Opener = Callable[[str], Columns]
"""Gives the columns that a measurement names."""


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
    found = summarised(report, measurement, partial(_columns, folder), stats.QUANTILES if only is None else only)
    if only is not None or found.columns is None:
        return found
    return replace(found, telemetry=telemetry(measurement, folder))


def summarised(report: Report, measurement: Measurement, columns_of: Opener, quantiles: Collection[str]) -> Pass:
    """The same without telemetry and with these quantiles only, of columns that ``columns_of`` gives."""
    found = _bare(report, measurement, columns_of)
    if found.columns is None:
        return found
    times = Times.of(found.columns)
    summary = stats.summary(found.columns, quantiles, times)
    return replace(found, summary=summary, validity=_validity(report, measurement, found.columns, summary, times))


def bare(report: Report, measurement: Measurement, folder: Path) -> Pass:
    """The same with its columns alone: nothing is computed from them."""
    return _bare(report, measurement, partial(_columns, folder))


def _columns(folder: Path, name: str) -> Columns:
    return columns.read(folder / name)


def _bare(report: Report, measurement: Measurement, columns_of: Opener) -> Pass:
    build = build_of(report, measurement)
    beside = next((run for run in report.loadgen if run.plan == measurement.plan), None)
    try:
        table = columns_of(measurement.columns)
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


def _validity(
    report: Report, measurement: Measurement, table: Columns, summary: Summary, times: Times
) -> tuple[str, ...]:
    """Why the pass is not valid, from its columns and from the checks of its outputs; nothing twice."""
    found = reasons(measurement, table, summary, times)
    return tuple(dict.fromkeys((*found, *measurement_reasons(measurement, executed_precision(report, measurement)))))


def build_of(report: Report, measurement: Measurement) -> Build | None:
    """The compiled form that a pass ran: that of its batch, for its purpose where the stack tells purposes apart."""
    plan = measurement.plan
    return next(
        (b for b in report.builds if b.batch == plan.compiled_batch and b.purpose in (None, plan.purpose)), None
    )
