"""Searches through the real command: the highest rate under a bound, the best batch and concurrency."""

from itertools import pairwise
from pathlib import Path

import pytest
from tests.e2e.command import accelbench, rows_of

from accelbench.measure import columns, stats
from accelbench.report.store import reports

FAULTY = Path(__file__).parents[1] / "backends" / "faulty"
QUICK = ["-b", "onnxruntime", "--quick", "--max-time", "0.2", "-o", "out", "--json"]


@pytest.mark.backend
@pytest.mark.slow
def test_a_bound_that_is_easily_kept_has_a_peak(tmp_path: Path) -> None:
    done = accelbench("run", "digits-cnn", "--scenario", "server", "--slo", "p50<=10s", *QUICK, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    closed, *probes = rows_of(done)
    assert closed["scenario"] == "closed_loop"
    assert {(row["scenario"], row["slo"]) for row in probes} == {("server", "p50<=10s")}
    assert [row["peak"] for row in probes] == [False] * (len(probes) - 1) + [True]
    assert probes[-1]["rate"] == probes[-2]["rate"] == max(row["rate"] for row in probes)
    ((report, folder),) = reports(tmp_path / "out")
    assert len(report.measurements) == len(probes) + 1, "every probe is in the report"
    for measured in report.measurements[1:]:
        assert measured.plan.latency_bound_s == 10.0
        median = stats.quantile(stats.latencies(columns.read(folder / measured.columns)), 0.5)
        assert median is not None
        assert median.value_s < 10.0
    shown = accelbench("report", "show", "out", cwd=tmp_path)
    assert shown.stdout.count("▲") == 2, "in one row, and under the table"


@pytest.mark.backend
@pytest.mark.slow
def test_a_bound_that_nothing_keeps_has_none(tmp_path: Path) -> None:
    done = accelbench("run", "digits-cnn", "--scenario", "server", "--slo", "p50<=0.001us", *QUICK, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    _, *probes = rows_of(done)
    assert {row["peak"] for row in probes} == {False}
    assert all(after["rate"] < before["rate"] for before, after in pairwise(probes))


@pytest.mark.backend
@pytest.mark.slow
@pytest.mark.parametrize("over", ["batch", "concurrency"])
def test_settings_are_doubled(tmp_path: Path, over: str) -> None:
    done = accelbench("run", "digits-cnn", "--scenario", "closed_loop", f"--{over}", "auto", *QUICK, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    settings = [row[over] for row in rows_of(done)]
    assert settings[:3] == [1, 2, 4]
    assert settings == [2**power for power in range(len(settings))]
    assert f"the best {over} for closed_loop: " in done.stderr


@pytest.mark.backend
@pytest.mark.slow
@pytest.mark.parametrize(("behaviour", "status"), [("raises_sometimes", "ok"), ("crash_late", "failed")])
def test_probes_that_fail_are_kept_and_shown(tmp_path: Path, behaviour: str, status: str) -> None:
    words = ["-b", "faulty", "--option", f"faulty.behaviour={behaviour}", "--slo", "p50<=0.001us"]
    words += ["--scenario", "server", "--quick", "--max-time", "0.2"]
    place = str(FAULTY)
    assert accelbench("backend", "install", "faulty", cwd=tmp_path, ACCELBENCH_BACKENDS=place).returncode == 0
    done = accelbench("run", "digits-cnn", *words, "--json", "-o", "out", cwd=tmp_path, ACCELBENCH_BACKENDS=place)
    assert "Traceback" not in done.stderr
    rows = rows_of(done)
    assert {row["status"] for row in rows} == {status}
    assert done.returncode == int(status == "failed")
    ((report, _),) = reports(tmp_path / "out")
    assert len(report.measurements) == len(rows), "what was measured before is kept"
    assert not any(row["peak"] for row in rows)
    page = (tmp_path / "out" / "index.html").read_text()
    assert behaviour in page
