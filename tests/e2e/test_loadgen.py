"""``--driver loadgen``: LoadGen's account beside ours, its failures as findings."""

from pathlib import Path

import pytest
from tests.e2e.command import accelbench, inside, left_behind, rows_of

FAULTY = Path(__file__).parents[1] / "backends" / "faulty"

pytestmark = pytest.mark.backend


def test_what_the_session_raises_under_loadgen_is_in_the_row(tmp_path: Path) -> None:
    assert accelbench("backend", "install", "faulty", cwd=FAULTY, ACCELBENCH_BACKENDS=str(FAULTY)).returncode == 0
    done = accelbench(
        "run", "digits-cnn", "-b", "faulty", "--option", "faulty.behaviour=raises_sometimes", "--quick",
        "--scenario", "single_stream", "--driver", "loadgen", "--json", "-o", "out",
        cwd=tmp_path, ACCELBENCH_BACKENDS=str(FAULTY),
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    (row,) = rows_of(done)
    assert row["throughput"] > 0
    assert row["loadgen"]["valid"] is True
    assert row["loadgen"]["figures"]["50.00 percentile latency (ns)"] > 0
    assert row["loadgen"]["reasons"][1:] == ["RuntimeError: the device hiccuped"]
    logs = tmp_path / row["report"] / "logs" / "loadgen-single_stream-1"
    assert (logs / "mlperf_log_summary.txt").is_file()
    assert "The same under LoadGen 6.0.17" in (tmp_path / "out" / "index.html").read_text()
    assert left_behind(tmp_path) == []


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--scenario", "closed_loop"], "LoadGen has no scenario closed_loop"),
        (["--scenario", "server", "--rate", "100", "--burst", "4"], "LoadGen has no bursts"),
    ],
)
def test_what_loadgen_does_not_have(tmp_path: Path, words: list[str], reason: str) -> None:
    done = inside("run", "digits-cnn", "-b", "onnxruntime", "--driver", "loadgen", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert reason in done.stderr
    assert list(tmp_path.iterdir()) == []
