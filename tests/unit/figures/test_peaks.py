"""Probes of a search, some of them failed: which is the peak, and what table and page make of them."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from tests.unit.page import factory

from accelbench.measure.columns import Columns
from accelbench.model import Measurement, Plan, Report, Stop
from accelbench.page.document import page
from accelbench.page.rows import as_json, rows, settled
from accelbench.page.table import table

MS = factory.MS
BOUND_S = 0.01


def probe(root: Path, index: int, rate: float, latency_ns: int, queries: int = 1000, ok: bool = True) -> Measurement:
    """A probe whose columns lie under ``root``: all its queries take the same."""
    plan = Plan("server", Stop(max_s=1.0, statistic="p99"), rate=rate, seed=index, latency_bound_s=BOUND_S)
    scheduled = np.arange(queries, dtype=np.int64) * int(1e9 / rate)
    Columns(
        scheduled=scheduled,
        issued=scheduled,
        done=scheduled + latency_ns,
        units=np.ones(queries, np.int32),
        ok=np.full(queries, ok),
        feed=np.zeros(queries, np.int32),
        pauses=np.empty((0, 2), np.int64),
    ).write(root / f"columns/{index}")
    made = replace(factory.measurement("server", 1, queries), plan=plan, columns=f"columns/{index}")
    return made if ok else replace(made, stop_reason="error", errors=("ValueError: no",))


def searched(root: Path, *probes: tuple[float, int]) -> Report:
    """A report with a probe for each (rate, latency in ns)."""
    measured = tuple(probe(root, index, *each) for index, each in enumerate(probes))
    return replace(factory.report("resnet50", "openvino", "fp32"), measurements=measured)


FOUND = [(50.0, 5 * MS), (100.0, 50 * MS), (70.0, 5 * MS), (70.0, 5 * MS), (70.0, 5 * MS)]


def test_the_last_probe_at_the_confirmed_rate_is_the_peak(tmp_path: Path) -> None:
    every = rows(searched(tmp_path, *FOUND), tmp_path)
    assert [(row.rate, row.peak) for row in every] == [
        (50.0, False), (100.0, False), (70.0, False), (70.0, False), (70.0, True),
    ]  # fmt: skip
    assert {row.slo for row in every} == {"p99<=0.01s"}
    assert [as_json(row)["peak"] for row in settled(every)] == [True]


@pytest.mark.parametrize("probes", [FOUND[:2], [*FOUND[:4], (70.0, 50 * MS)]])
def test_without_confirmation_there_is_no_peak_and_the_last_probe_is_shown(
    tmp_path: Path, probes: list[tuple[float, int]]
) -> None:
    every = rows(searched(tmp_path, *probes), tmp_path)
    assert {row.peak for row in every} == {False}
    assert settled(every) == [every[-1]]


def test_batches_are_searched_apart(tmp_path: Path) -> None:
    report = searched(tmp_path, *FOUND, *FOUND)
    second = [replace(each, plan=replace(each.plan, batch=8)) for each in report.measurements[5:]]
    every = rows(replace(report, measurements=(*report.measurements[:5], *second)), tmp_path)
    assert [(row.batch, row.rate) for row in settled(every)] == [(1, 70.0), (8, 70.0)]


def test_other_passes_are_no_part_of_a_search(tmp_path: Path) -> None:
    report, folder = factory.timed(tmp_path, "r", factory.report("resnet50", "openvino", "fp32"))
    every = rows(report, folder)
    assert {(row.slo, row.peak) for row in every} == {(None, None)}
    assert settled(every) == every


def test_failed_probes_show_in_rows_table_and_page(tmp_path: Path) -> None:
    good = searched(tmp_path, *FOUND)
    failed = [
        probe(tmp_path, 10, 60.0, MS, ok=False),
        probe(tmp_path, 11, 60.0, MS, queries=0, ok=False),
        replace(probe(tmp_path, 12, 60.0, MS), columns="columns/lost"),
    ]
    report = replace(good, measurements=(*failed, *good.measurements))
    every = rows(report, tmp_path)
    assert [row.peak for row in every] == [False] * 7 + [True]
    assert [row.throughput for row in every[:3]] == [None] * 3
    for row in every[:2]:
        assert row.validity
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(table(every))
    shown = console.export_text()
    assert "70/s▲" in shown
    assert "60/s" not in shown
    assert "p99<=0.01s" in shown
    html = page([(report, tmp_path)], tmp_path)
    assert "ValueError: no" in html
    assert html.count("server 60") == 2 * 3, "a title in two languages for each"
