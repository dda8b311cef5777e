"""A report's own words without names and paths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from accelbench.model import Build, Measurement, Report
from accelbench.report.privacy import Identity, scrub


def nobodys(report: Report, identity: Identity) -> Report:
    """``report`` without names and paths in what people, stacks and probes wrote: command, reasons, errors, settings,
    properties and probes. Names of tasks, backends and files stay as they are."""
    clean = partial(scrub, identity=identity)
    device, environment = report.device, report.environment
    return replace(
        report,
        command=tuple(scrub(word, identity.typed) for word in report.command),
        reasons=tuple(map(clean, report.reasons)),
        device=device and replace(device, properties=_values(device.properties, identity)),
        environment=environment and replace(environment, probes=_values(environment.probes, identity)),
        builds=tuple(_build(build, identity) for build in report.builds),
        measurements=tuple(_measurement(each, identity) for each in report.measurements),
        loadgen=tuple(
            replace(run, reasons=tuple(map(clean, run.reasons)), complaints=tuple(map(clean, run.complaints)))
            for run in report.loadgen
        ),
    )


def _values(told: Mapping[str, str], identity: Identity) -> dict[str, str]:
    return {name: scrub(value, identity) for name, value in told.items()}


def _build(build: Build, identity: Identity) -> Build:
    return replace(build, compiled=replace(build.compiled, settings=_values(build.compiled.settings, identity)))


def _measurement(measurement: Measurement, identity: Identity) -> Measurement:
    return replace(measurement, errors=tuple(scrub(error, identity) for error in measurement.errors))
