"""`accelbench compare` on what `accelbench run` wrote."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.command import accelbench, inside

QUICK = ["-b", "onnxruntime", "--quick", "--max-time", "0.3", "--json"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``one`` and ``two`` ran the same, ``three`` another plan in another precision."""
    folder = tmp_path_factory.mktemp("runs")
    for name, words in (
        ("one", []), ("two", []), ("three", ["--precision", "int8", "--scenario", "single_stream,closed_loop"]),
    ):  # fmt: skip
        done = accelbench("run", "digits-cnn", *QUICK, *words, "-o", name, cwd=folder)
        assert done.returncode == 0, done.stderr
    return folder


def compared(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


@pytest.mark.backend
def test_two_runs_plan_by_plan(runs: Path) -> None:
    found = compared(inside("compare", "one", "two", "--json", "--margin", "10%", cwd=runs))
    assert found["margin"] == 0.1
    assert found["unmatched"] == {"a": [], "b": []}
    (pair,) = found["pairs"]
    assert [each["plan"]["scenario"] for each in pair["plans"]] == ["single_stream", "offline"]
    assert pair["quality"]["relative_l2"] == {"a": 0.0, "b": 0.0}
    assert pair["quality"]["accuracy"]["a"] == pair["quality"]["accuracy"]["b"]
    figure = pair["plans"][0]["p50"]
    assert figure["comparison"]["ratio"] == pytest.approx(figure["b"] / figure["a"])
    assert figure["comparison"]["low"] <= figure["comparison"]["ratio"] <= figure["comparison"]["high"]
    throughput = pair["plans"][1]["throughput"]
    assert throughput["comparison"]["ratio"] == pytest.approx(throughput["a"] / throughput["b"])


@pytest.mark.backend
def test_a_report_with_itself_is_never_faster_or_slower(runs: Path) -> None:
    (report,) = (runs / "one" / "reports").iterdir()
    (pair,) = compared(inside("compare", report, "one", "--json", cwd=runs))["pairs"]
    outcomes = [each["p50"]["comparison"] for each in pair["plans"] if each["p50"]["comparison"]]
    assert {each["outcome"] for each in outcomes} <= {"same", "ambiguous"}
    assert {each["ratio"] for each in outcomes} == {1.0}


@pytest.mark.backend
def test_the_table_names_both_and_what_has_no_partner(runs: Path) -> None:
    done = inside("compare", "one", "three", cwd=runs)
    assert done.returncode == 0, done.stderr
    assert "A = onnxruntime:fp32, B = onnxruntime:int8" in done.stdout
    assert "Only in A: offline ×1" in done.stdout
    assert "Only in B: closed_loop ×1" in done.stdout
    assert "single_stream ×1" in done.stdout


@pytest.mark.backend
def test_what_is_no_report_is_refused(runs: Path) -> None:
    done = inside("compare", "one", "absent", cwd=runs)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "absent" in done.stderr
