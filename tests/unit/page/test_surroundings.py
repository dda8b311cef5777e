from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.page import factory

from accelbench.figures.passes import Pass, passes
from accelbench.measure import series
from accelbench.measure.series import Series
from accelbench.model import Plan, Stop
from accelbench.page.surroundings import sharing, told

S = 1_000_000_000
SECONDS = tuple(range(-S, 40 * S, S))


def steady(name: str, unit: str, *values: float) -> Series:
    return Series(name, unit, "test", SECONDS, tuple(values[i % len(values)] for i in range(len(SECONDS))))


def growing(name: str, unit: str, per_second: float) -> Series:
    return Series(name, unit, "test", SECONDS, tuple(per_second * i for i in range(len(SECONDS))))


def first(root: Path, telemetry: tuple[Series, ...] = ()) -> Pass:
    report, folder = factory.timed(root, "a", factory.report("digits-cnn", "openvino", "fp32"))
    measured = report.measurements[0]
    if telemetry:
        series.write(folder / "telemetry" / "0.json", telemetry)
        measured = replace(measured, telemetry="telemetry/0.json")
    return passes(replace(report, measurements=(measured,)), folder)[0]


def shown(facts: object) -> dict[str, tuple[str, str]]:
    """Facts by their English names, without the hard spaces."""
    found = {}
    for name, value, remark in facts:  # type: ignore[attr-defined]
        english = str(name).split("</span>")[0].rpartition(">")[2]
        found[english + (f" {remark}" if english == "Energy per sample" else "")] = (
            value.replace("\u00a0", " "),
            remark,
        )
    return found


def test_what_the_host_told_is_shown(tmp_path: Path) -> None:
    timed = first(
        tmp_path,
        (
            growing("worker.cpu_time", "s", 1.5),
            steady("worker.memory", "B", 1e8, 2.5e8),
            steady("cpu.frequency", "Hz", 3e9, 2.1e9),
            steady("cpu.temperature", "°C", 50.0, 71.0),
            steady("gpu0.power", "W", 100.0),
            growing("package-0.energy", "J", 50.0),
        ),
    )
    assert timed.columns is not None
    seconds = (timed.columns.done.max() - timed.columns.issued.min()) * 1e-9
    found = {name: value for name, (value, _) in shown(told(timed)).items()}
    gpu, package = found.pop("Energy per sample gpu0"), found.pop("Energy per sample package-0")
    assert found == {
        "Cores busy": "1.50",
        "Memory of the worker": "250 MB",
        "CPU frequency": "2.10 GHz",
        "CPU temperature": "71.0 °C",
    }
    joules = 100 * seconds / len(timed.columns)
    assert float(gpu.removesuffix(" J")) == pytest.approx(joules, rel=0.01)
    assert float(package.removesuffix(" J")) == pytest.approx(joules / 2, rel=0.01)


def test_what_was_not_told_is_not_shown(tmp_path: Path) -> None:
    assert list(told(first(tmp_path))) == []


def test_cpu_time_that_does_not_enclose_the_pass_is_no_figure(tmp_path: Path) -> None:
    short = Series("worker.cpu_time", "s", "proc", (-S, S), (0.0, 1.0))
    assert list(told(first(tmp_path, (short,)))) == []


def test_telemetry_that_cannot_be_read_takes_nothing_else_away(tmp_path: Path) -> None:
    report, folder = factory.timed(tmp_path, "a", factory.report("digits-cnn", "openvino", "fp32"))
    measured = replace(report.measurements[0], telemetry="telemetry/0.json")
    (timed,) = passes(replace(report, measurements=(measured,)), folder)
    assert (timed.telemetry, timed.problem) == ((), None)
    assert timed.summary is not None


def test_instances_and_batches_are_named(tmp_path: Path) -> None:
    timed = first(tmp_path)
    assert list(sharing(timed)) == []
    plan = Plan("server", Stop(max_s=1.0), rate=9.0, instances=2, max_batch=8)
    measured = replace(timed.measurement, plan=plan, batch_sizes={"2": 3, "6": 1})
    found = shown(sharing(Pass(measured, None)))
    assert {name: value for name, (value, _) in found.items()} == {
        "Instances": "2",
        "Queries in a batch of the harness": "3.00",
    }
