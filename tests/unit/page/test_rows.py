from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from tests.unit.page import factory

from accelbench.measure import columns
from accelbench.measure.stats import summary
from accelbench.page.document import page
from accelbench.page.rows import Row, as_json, rows
from accelbench.page.table import table

KEYS = {
    *("task", "weights", "backend", "device", "precision", "executed_precision", "batch", "scenario", "status"),
    *("verdict", "reasons", "validity", "compile_s", "accuracy", "agreement", "drift", "latency_s", "throughput"),
    *("throughput_ci", "report", "effort", "loadgen", "indicative"),
    *("concurrency", "rate", "slo", "peak"),
    "accuracy_error",
    "scores",
    "data",
    "stages",
    *("tier", "domain", "roster"),
    *("passes", "size_bytes", "sparsity"),
    "untested",
    "tune_s",
}


@pytest.fixture(scope="module")
def entries(tmp_path_factory: pytest.TempPathFactory) -> factory.Entries:
    return factory.entries(tmp_path_factory.mktemp("run"))


@pytest.fixture
def every(entries: factory.Entries) -> list[Row]:
    return [row for report, folder in entries for row in rows(report, folder)]


def test_one_row_per_pass_and_one_where_nothing_was_timed(entries: factory.Entries) -> None:
    assert [len(rows(report, folder)) for report, folder in entries] == [2, 2, 2, 2, 2, 1, 1]


def test_verdicts_and_statuses(every: list[Row]) -> None:
    found = list(dict.fromkeys((row.task, row.precision, row.status, row.verdict) for row in every))
    assert found == [
        ("resnet50", "bf16", "ok", "within"),
        ("resnet50", "int8", "ok", "out"),
        ("digits-cnn", "fp32", "ok", "within"),
        ("digits-cnn", "bf16", "ok", "out"),
        ("digits-cnn", "fp32", "ok", "out"),
        ("bert-base", "fp32", "failed", "unknown"),
        ("widedeep", "fp32", "unsupported", "unknown"),
    ]


def test_figures_are_those_of_the_raw_columns(entries: factory.Entries) -> None:
    report, folder = entries[0]
    for row, measured in zip(rows(report, folder), report.measurements, strict=True):
        expected = summary(columns.read(folder / measured.columns))
        median = expected.quantiles["p50"]
        assert median is not None
        assert (row.throughput, row.throughput_ci) == (expected.throughput, expected.throughput_ci)
        assert row.latency_s["p50"] == median.value_s
        assert (row.scenario, row.batch) == (measured.plan.scenario, measured.plan.batch)


def test_a_pass_has_the_compile_time_of_its_own_build(entries: factory.Entries) -> None:
    report, folder = entries[0]
    assert [row.compile_s for row in rows(report, folder)] == [build.compile_s for build in report.builds]
    one = replace(report, builds=(replace(report.builds[0], purpose=None),))
    assert [row.compile_s for row in rows(one, folder)] == [report.builds[0].compile_s] * 2


def test_drift_is_that_of_the_worst_output(entries: factory.Entries) -> None:
    drift = rows(*entries[0])[0].drift
    assert drift["relative_l2"] == pytest.approx(6e-3 / 2.5, rel=0.02)
    assert rows(*entries[3])[0].drift["nan_count"] == 5


def test_a_failed_report_has_its_reason_and_nothing_else(entries: factory.Entries) -> None:
    document = as_json(rows(*entries[5])[0])
    assert document["reasons"] == ["worker crashed (signal 11) while compiling"]
    absent = {key for key, value in document.items() if value is None}
    assert absent == {
        *("weights", "executed_precision", "batch", "scenario", "validity", "compile_s", "accuracy", "agreement"),
        *("throughput", "throughput_ci", "loadgen", "concurrency", "rate", "slo", "peak"),
        *("accuracy_error", "data", "roster", "size_bytes", "sparsity", "tune_s"),
    }
    assert set(document["drift"].values()) == set(document["latency_s"].values()) == {None}


def test_json_has_exactly_the_documented_keys(every: list[Row]) -> None:
    for row in every:
        document = as_json(row)
        assert document.keys() == KEYS
        assert set(document["drift"]) == {"relative_l2", "sqnr_db", "cosine", "max_abs", "nan_count"}
        assert set(document["latency_s"]) == {"p50", "p99"}
        json.dumps(document, allow_nan=False)


def test_loadgens_account_stands_in_the_row_of_its_plan(entries: factory.Entries) -> None:
    report, folder = entries[0]
    run = factory.loadgen(report.measurements[1].plan)
    shown = [as_json(row)["loadgen"] for row in rows(replace(report, loadgen=(run,)), folder)]
    assert shown[0] is None
    assert (shown[1]["valid"], shown[1]["version"], shown[1]["reasons"]) == (True, "6.0.17", ["1 of 9 queries failed"])
    assert shown[1]["figures"] == {"50.00 percentile latency (ns)": 2008.0}


def test_json_has_null_for_what_json_does_not_know(every: list[Row]) -> None:
    assert as_json(replace(every[0], throughput=math.inf))["throughput"] is None


def test_rows_of_a_report_share_its_path(entries: factory.Entries) -> None:
    report, folder = entries[0]
    assert {as_json(row)["report"] for row in rows(report, folder)} == {str(folder)}


def test_columns_that_are_gone_leave_the_row_without_figures(entries: factory.Entries, tmp_path: Path) -> None:
    row = rows(entries[0][0], tmp_path)[0]
    assert (row.throughput, row.validity, row.latency_s["p50"]) == (None, None, None)
    assert row.compile_s is not None


def test_validity_joins_columns_and_outputs(entries: factory.Entries) -> None:
    report, folder = entries[0]
    first = report.measurements[0]
    wrong = replace(first, errors=("no memory",), audit=replace(first.audit, overhead_ns=5e6))
    reasons = rows(replace(report, measurements=(wrong,)), folder)[0].validity
    assert reasons is not None
    assert [reason.split(":")[0] for reason in reasons] == ["overhead", "queries failed"]
    assert rows(report, folder)[0].validity == ()


def printed(shown: list[Row], width: int) -> str:
    console = Console(width=width, force_terminal=False, color_system=None)
    with console.capture() as capture:
        console.print(table(shown, width))
    return capture.get()


@pytest.mark.parametrize("width", [80, 120, 160])
def test_the_table_fits_and_cuts_nothing(every: list[Row], width: int) -> None:
    text = printed(every, width)
    assert max(map(len, text.splitlines())) <= width
    for words in ("onnxruntime", "bf16→fp32", "unsupported", "✓ within*", "✗ out*", "≈0.9844", "21.1 ms", "10,618"):
        assert words in text
    assert "\x1b" not in text


def test_a_wide_table_has_a_line_for_each_row(every: list[Row]) -> None:
    lines = printed(every, 160).splitlines()
    assert len(lines) == 2 + 1 + len(every) + 1
    assert lines[-1].startswith("* indicative: quick effort; ≈ agreement with float32")


def test_marks_are_explained_only_where_they_stand(every: list[Row]) -> None:
    plain = [replace(row, effort="standard", agreement=None) for row in every]
    text = printed(plain, 160)
    assert "*" not in text
    assert "≈" not in text


def test_a_backend_that_nobody_has_tested_on_its_hardware_is_marked(entries: factory.Entries, every: list[Row]) -> None:
    report, folder = entries[0]
    untested = rows(replace(report, untested=True), folder)
    assert "openvino†" in printed(untested, 160)
    assert "† untested on hardware by the backend's author" in printed(untested, 160)
    assert "†" not in printed(every, 160)
    marked, plain = (page([(each, folder), entries[1]], folder) for each in (replace(report, untested=True), report))
    assert marked.count("untested on hardware") > len(untested), "in the overview, and beside the report"
    assert "untested on hardware" not in plain


def test_a_row_says_that_its_stack_was_tuned(entries: factory.Entries) -> None:
    report, folder = entries[0]
    tuned = replace(report, target=replace(report.target, tune_s=20.0))
    (row, *_), (plain, *_) = rows(tuned, folder), rows(report, folder)
    console = Console(width=300, no_color=True)
    with console.capture() as shown:
        console.print(table([row]))
    assert (row.tune_s, plain.tune_s) == (20.0, None)
    assert "tuned 20 s" in shown.get()
