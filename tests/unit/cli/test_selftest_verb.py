"""``accelbench self-test``: what it prints and keeps."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from accelbench.cli import selftest
from accelbench.report.harness import harness_of
from accelbench.report.host import host_facts

NAMES = [name for _, name, _ in selftest.ROWS]


class Figures:
    """Of run n: ``n`` times what the place of the figure in the table says, and so on for LoadGen times ten."""

    def __init__(self, times: float) -> None:
        self.run, self.times = 0, times

    def figures(self, _seconds: float) -> dict[str, float]:
        self.run += 1
        names = [name for name in NAMES if self.times == 1.0 or not name.startswith("known")]
        return {name: self.times * self.run * (place + 1) for place, name in enumerate(names)}


@pytest.fixture
def loadgen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Figures]:
    """Put a LoadGen into the list and it is there."""
    there: list[Figures] = []

    @contextmanager
    def harness(_spec: object) -> Iterator[Figures]:
        yield Figures(1.0)

    monkeypatch.setenv("ACCELBENCH_HOME", str(tmp_path))
    monkeypatch.setattr(selftest, "harness", harness)
    monkeypatch.setattr(selftest, "loadgen_source", lambda _spec, _python: there[0] if there else None)
    return there


def test_json_has_medians_of_both(loadgen: list[Figures]) -> None:
    loadgen.append(Figures(10.0))
    done = CliRunner().invoke(selftest.selftest, ["--json"])
    assert done.exit_code == 0
    assert json.loads(done.stdout) == {
        "accelbench": {
            "single_stream": {"counted_ns": 2.0, "wall_ns": 4.0},
            "server_1000qps": {"p50_ns": 6.0, "p99_ns": 8.0},
            "server_top_qps": 18.0,
        },
        "loadgen": {
            "single_stream": {"counted_ns": 20.0, "wall_ns": 40.0},
            "server_1000qps": {"p50_ns": 60.0, "p99_ns": 80.0},
            "server_top_qps": 180.0,
        },
    }


@pytest.mark.usefixtures("loadgen")
def test_without_loadgen_it_is_null_and_said(tmp_path: Path) -> None:
    done = CliRunner().invoke(selftest.selftest, ["--json", "--runs", "5"])
    assert json.loads(done.stdout)["loadgen"] is None
    assert "LoadGen is not measured" in done.stderr
    kept = harness_of(host_facts())
    assert kept is not None
    assert kept.runs["single_stream.wall_ns"] == (2.0, 4.0, 6.0, 8.0, 10.0)
    assert json.loads((tmp_path / "selftest.json").read_text())["loadgen"] is None


def test_the_table_has_ratios(loadgen: list[Figures]) -> None:
    loadgen.append(Figures(10.0))
    rows = [line.split() for line in CliRunner().invoke(selftest.selftest, []).stdout.splitlines()]
    assert rows[1][-4:] == ["2", "20", "10.0", "ns"]
    assert rows[9][-4:] == ["18", "180", "0.1", "queries/s"]
    assert rows[10][-6:] == ["20.0000", "–", "–", "measured", "÷", "true"]


@pytest.mark.usefixtures("loadgen")
def test_fewer_than_three_runs_are_refused() -> None:
    assert CliRunner().invoke(selftest.selftest, ["--runs", "2"]).exit_code == 2
