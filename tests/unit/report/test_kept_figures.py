"""The harness's figures of a host: kept once, found again on that host alone."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.report.sample import report

from accelbench.model import Harness, Host
from accelbench.report.harness import FILE, Kept, harness_of, keep

FIGURES = Harness("2026-01-02T03:04:05+00:00", "0.1.0", {"single_stream.counted_ns": (120.0, 121.5, 119.0)})


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setenv("ACCELBENCH_HOME", str(tmp_path / "home"))
    return report().host


def test_what_is_kept_is_found_on_the_same_host(host: Host, tmp_path: Path) -> None:
    assert harness_of(host) is None
    keep(Kept(host, replace(FIGURES, runs={}), None))
    file = keep(Kept(host, FIGURES, {"server_top_qps": (1e5,)}))
    assert file == tmp_path / "home" / FILE
    assert [path.name for path in file.parent.iterdir()] == [FILE]
    assert harness_of(host) == FIGURES
    assert harness_of(replace(host, python="3.99.0")) == FIGURES


def test_another_machine_s_figures_are_absent(host: Host) -> None:
    keep(Kept(host, FIGURES, None))
    assert harness_of(replace(host, cpu="another")) is None
    assert harness_of(replace(host, logical_cpus=host.logical_cpus + 1)) is None


@pytest.mark.parametrize("text", ["", "{}", '{"host": null}', "[1"])
def test_a_damaged_file_is_as_good_as_none(host: Host, text: str) -> None:
    keep(Kept(host, FIGURES, None)).write_text(text, encoding="utf-8")
    assert harness_of(host) is None
