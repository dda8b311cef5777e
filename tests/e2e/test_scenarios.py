"""Every scenario, through the real command."""

from pathlib import Path

import pytest
from tests.e2e.command import accelbench, inside, keys, rows_of

from accelbench.measure import columns
from accelbench.model import Report
from accelbench.report.store import reports


def only_report(run: Path) -> tuple[Report, Path]:
    (found,) = reports(run)
    return found


@pytest.mark.backend
def test_all_five_in_one_run(tmp_path: Path) -> None:
    done = accelbench(
        "run", "digits-cnn", "-b", "onnxruntime", "--quick", "--max-time", "0.5", "--batch", "2", "--seed", "3",
        "--scenario", "single_stream,multi_stream,server,offline,closed_loop",
        "--rate", "200", "--burst", "4", "--concurrency", "2", "--json", "-o", "out", cwd=tmp_path,
    )  # fmt: skip
    found = rows_of(done)
    assert [keys(row, ["scenario", "batch", "status"]) for row in found] == [
        {"scenario": scenario, "batch": 2, "status": "ok"}
        for scenario in ("single_stream", "multi_stream", "server", "offline", "closed_loop")
    ]
    report, folder = only_report(tmp_path / "out")
    by_scenario = {each.plan.scenario: each for each in report.measurements}
    assert by_scenario["single_stream"].concurrency == by_scenario["multi_stream"].concurrency == 1
    assert by_scenario["closed_loop"].concurrency == by_scenario["offline"].concurrency == 2
    served = columns.read(folder / by_scenario["server"].columns)
    assert by_scenario["server"].plan.rate == 200.0
    assert (served.scheduled.reshape(-1, 4) == served.scheduled[::4, None]).all(), "arrivals come in fours"
    assert (served.issued >= served.scheduled).all()
    assert set(served.units) == {2}


@pytest.mark.backend
@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--scenario", "server"], "--rate"),
        (["--scenario", "server", "--rate", "-1"], "--rate"),
        (["--rate", "10"], "server"),
        (["--scenario", "multi_stream"], "--batch"),
        (["--ci-target", "300%"], "300%"),
    ],
)
def test_what_makes_no_sense_is_one_line(tmp_path: Path, words: list[str], part: str) -> None:
    done = inside("run", "digits-cnn", "-b", "onnxruntime", "--quick", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert part in done.stderr
    assert list(tmp_path.iterdir()) == []
