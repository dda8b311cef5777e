from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.library import made
from tests.unit.page import factory

from accelbench import model
from accelbench.board.summary import division, watts
from accelbench.figures.passes import Pass, bare
from accelbench.measure.series import Series
from accelbench.report.stack import stack_version
from accelbench.report.store import open_report


def environment(**packages: str) -> model.Environment:
    return model.Environment("venv", "3.11.0", packages, None, factory.SHA)


@pytest.mark.parametrize(
    ("backend", "packages", "version"),
    [
        ("onnxruntime", {"onnxruntime": "1.2", "onnx": "1.9"}, "1.2"),
        ("tvm", {"apache-tvm-ffi": "0.1", "apache-tvm": "0.2"}, "0.2"),
        ("onnxruntime-openvino", {"onnxruntime_openvino": "3", "openvino": "4"}, "3"),
        ("mnn", {"MNN": "5"}, "5"),
        ("null", {"numpy": "2"}, None),
    ],
)
def test_the_stack_is_the_package_that_is_called_so(
    backend: str, packages: dict[str, str], version: str | None
) -> None:
    report = replace(factory.report("a", backend, "fp32"), environment=environment(**packages))
    assert stack_version(report) == version


def test_without_an_environment_no_version_is_known() -> None:
    assert stack_version(replace(factory.report("a", "b", "fp32"), environment=None)) is None


@pytest.mark.parametrize(
    ("precision", "passes", "kind", "told"),
    [
        ("fp32", (), "shipped", "same"),
        ("bf16", ("fp16",), "seeded", "same"),
        ("int8", (), "shipped", "quantised"),
        ("fp32", ("int8-nncf",), "shipped", "quantised"),
        ("int8", ("prune:0.5",), "shipped", "pruned"),
        ("int8", ("prune:2:4",), "local", "retrained"),
    ],
)
def test_divisions(precision: str, passes: tuple[str, ...], kind: str, told: str) -> None:
    draft = factory.report("a", "b", precision)
    target = replace(draft.target, precision=precision, passes=passes)
    weights = model.Weights(kind, factory.SHA, 10, "")  # type: ignore[arg-type]
    assert division(replace(draft, target=target, weights=weights, builds=())) == told


def timed(tmp_path: Path, *series: tuple[str, str, float]) -> Pass:
    """A pass with powers that were told all along."""
    folder = made.put(tmp_path / "store", made.report())
    report, _ = open_report(folder)
    found = bare(report, report.measurements[0], folder)
    assert found.columns is not None
    end = int(found.columns.done.max())
    times = (0, end // 2, end)
    told = [Series(name, unit, "test", times, (value, value, value)) for name, unit, value in series]
    return replace(found, telemetry=tuple(told))


@pytest.mark.parametrize(
    ("series", "target", "told"),
    [
        ([], "CPU", None),
        ([("gpu0.power", "W", 70.0)], "CPU", None),
        ([("gpu0.power", "W", 70.0)], "cuda:0", (70.0, "board")),
        ([("package-0.power", "W", 50.0), ("package-1.power", "W", 40.0)], "CPU", (90.0, "board")),
        ([("package-0.power", "W", 50.0), ("dram-0.power", "W", 9.0)], "cuda:0", None),
        ([("wall.power", "W", 300.0), ("gpu0.power", "W", 70.0)], "cuda:0", (300.0, "wall")),
        ([("gpu0.temperature", "°C", 40.0)], "cuda:0", None),
    ],
)
def test_power_is_of_what_was_used_and_says_where_it_was_read(
    tmp_path: Path, series: list[tuple[str, str, float]], target: str, told: tuple[float, str] | None
) -> None:
    found = watts(timed(tmp_path, *series), target)
    assert (found is None) == (told is None)
    if found is not None and told is not None:
        assert found[0] == pytest.approx(told[0], rel=1e-6)
        assert found[1] == told[1]
