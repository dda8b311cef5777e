"""Reports of every schema, as real runs made them, are read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from accelbench.figures.figures import figures
from accelbench.model import REPORT_SCHEMA
from accelbench.report import codec, store

STORED = Path(__file__).parent / "stored"


def test_a_report_of_schema_1_is_read_and_verified() -> None:
    folder = STORED / "report-1"
    report, _ = store.open_report(folder)
    assert json.loads((folder / "report.json").read_text(encoding="utf-8"))["schema"] == 1
    assert (report.schema, report.task.id, report.status) == (REPORT_SCHEMA, "resnet50", "ok")
    assert (report.host.container, report.host.firmware, report.host.drivers) == (None, None, {})
    assert store.verify(folder) == ()
    found = {figure.name: figure for figure in figures(report, folder)}
    assert found["latency_p50_s"].value == pytest.approx(0.03, rel=0.9)
    assert found["accuracy" if report.quality and report.quality.accuracy else "agreement"].value <= 1


def test_an_upgraded_report_is_one_of_the_present_schema() -> None:
    report, _ = store.open_report(STORED / "report-1")
    again = codec.identify(report)
    assert again.id != report.id
    assert codec.decode(codec.encode(again), "here") == again


def test_there_is_a_step_from_every_schema_to_the_next() -> None:
    assert set(codec.UPGRADES) == set(range(1, REPORT_SCHEMA))
