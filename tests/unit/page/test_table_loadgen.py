from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console
from tests.unit.page import factory

from accelbench.model import Plan, Stop
from accelbench.page.rows import Row, rows
from accelbench.page.table_loadgen import loadgen_table


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    report, folder = factory.entries(tmp_path_factory.mktemp("run"))[0]
    return rows(report, folder)


def printed(shown: list[Row]) -> str:
    table = loadgen_table(shown)
    assert table is not None
    text = StringIO()
    Console(width=200, file=text).print(table)
    return text.getvalue()


def test_without_loadgen_there_is_no_table(every: list[Row]) -> None:
    assert loadgen_table(every) is None


def test_figures_are_loadgens_own_per_sample_of_the_task(every: list[Row]) -> None:
    plan = Plan("single_stream", Stop(max_s=1.0), batch=4)
    run = replace(
        factory.loadgen(plan),
        samples=4,
        figures={"50.00 percentile latency (ns)": 2_000_000.0, "QPS w/ loadgen overhead": 500.0},
    )
    told = printed([every[0], replace(every[1], loadgen=run)])
    assert "single stream ×4" in told
    assert "2.00" in told
    assert "2,000" in told
    assert "valid" in told
    assert "1 of 9 queries failed" in told


def test_latencies_of_offline_are_left_out_and_so_is_what_is_absent(every: list[Row]) -> None:
    run = replace(factory.loadgen(Plan("offline", Stop(max_s=1.0))), valid=None, reasons=("crashed: it died",))
    row = replace(every[0], latency_s={"p50": None, "p99": None}, throughput=None, loadgen=run)
    line = next(line for line in printed([row]).splitlines() if "offline" in line)
    assert line.split("offline ×1")[1].split() == ["–"] * 5 + ["crashed:", "it", "died"]


def test_a_run_that_loadgen_calls_invalid_has_its_complaint(every: list[Row]) -> None:
    run = replace(factory.loadgen(Plan("offline", Stop(max_s=1.0))), valid=False, reasons=(), complaints=("too short",))
    assert "too short" in printed([replace(every[0], loadgen=run)])
    assert "too short" not in printed([replace(every[0], loadgen=replace(run, valid=True))])
