"""Whatever a vendor's stack does, the run goes on, says what happened, and leaves no process behind."""

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.command import ACCELBENCH, accelbench, left_behind, rows_of

FAULTY = Path(__file__).parents[1] / "backends" / "faulty"

pytestmark = pytest.mark.backend


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    done = accelbench("backend", "install", "faulty", cwd=FAULTY, ACCELBENCH_BACKENDS=str(FAULTY))
    assert done.returncode == 0, done.stderr


def run(tmp_path: Path, behaviour: str, *words: str) -> tuple[int, list[dict[str, Any]]]:
    """Exit code and rows of a run of the faulty backend, which leaves no process."""
    done = accelbench(
        "run", "digits-cnn", "-b", "faulty", "--option", f"faulty.behaviour={behaviour}",
        "--quick", "--max-time", "0.5", "--scenario", "single_stream", "--json", "-o", "out", *words,
        cwd=tmp_path, ACCELBENCH_BACKENDS=str(FAULTY),
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert left_behind(tmp_path) == []
    return done.returncode, rows_of(done)


@pytest.mark.parametrize("behaviour", ["crash_run", "nan"])
def test_the_other_rows_complete(tmp_path: Path, behaviour: str) -> None:
    code, rows = run(tmp_path, behaviour, "-b", "onnxruntime", "--precision", "fp32,int8")
    sound = [row for row in rows if row["backend"] == "onnxruntime"]
    assert code == 1
    assert [(row["status"], row["verdict"]) for row in sound] == [("ok", "within")] * 2


@pytest.mark.parametrize(
    ("behaviour", "words", "reason"),
    [
        ("crash_compile", (), "crashed"),
        ("crash_run", (), "crashed"),
        ("hang_compile", ("--timeout", "5"), "hung"),
        ("hang_run", ("--timeout", "5"), "hung"),
        ("raises", (), "raised"),
        ("exits", (), "raised"),
        ("nonsense", (), "protocol"),
    ],
)
def test_what_breaks_the_worker_is_a_failed_report(
    tmp_path: Path, behaviour: str, words: tuple[str, ...], reason: str
) -> None:
    code, (faulty,) = run(tmp_path, behaviour, *words)
    assert code == 1
    assert faulty["status"] == "failed"
    assert faulty["verdict"] == "unknown"
    assert any(reason in text for text in faulty["reasons"]), faulty["reasons"]
    assert Path(tmp_path, faulty["report"], "report.json").is_file()
    assert Path(tmp_path, faulty["report"], "logs", "traceback.txt").is_file() == (reason == "raised")


@pytest.mark.parametrize(
    ("behaviour", "words", "reason"),
    [
        ("nan", (), "NaN"),
        ("wrong_shape", (), "shape"),
        ("wrong_dtype", (), "float64"),
        ("claims_bf16", ("--precision", "bf16"), "bf16"),
        ("cached", (), "vary"),
        ("remembers", (), "repeated"),
        ("ignores_inputs", (), "vary"),
        ("unready", (), "ready"),
        ("leaks", ("--max-time", "4"), "memory"),
    ],
)
def test_a_lie_is_found(tmp_path: Path, behaviour: str, words: tuple[str, ...], reason: str) -> None:
    code, (faulty, *_) = run(tmp_path, behaviour, *words)
    assert code == 1
    assert faulty["status"] == "ok"
    assert faulty["verdict"] == "out"
    assert any(reason in text for text in faulty["reasons"]), faulty["reasons"]


def test_a_stack_that_says_no_is_no_failure(tmp_path: Path) -> None:
    code, (faulty,) = run(tmp_path, "unsupported")
    assert code == 0
    assert (faulty["status"], faulty["verdict"]) == ("unsupported", "unknown")


@pytest.mark.parametrize("behaviour", ["none", "prints", pytest.param("slow", marks=pytest.mark.slow), "spawns"])
def test_what_only_annoys_is_bounded(tmp_path: Path, behaviour: str) -> None:
    code, (faulty,) = run(tmp_path, behaviour)
    assert (code, faulty["status"], faulty["verdict"]) == (0, "ok", "within")


def test_queries_that_fail_are_told(tmp_path: Path) -> None:
    _, (faulty,) = run(tmp_path, "raises_sometimes")
    assert any("error" in text or "failed" in text for text in faulty["validity"]), faulty


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_ended_run_leaves_no_process(tmp_path: Path, number: signal.Signals) -> None:
    process = subprocess.Popen(
        [str(ACCELBENCH), "run", "digits-cnn", "-b", "faulty", "--option", "faulty.behaviour=hang_run", "-o", "out"],
        cwd=tmp_path,
        env={**os.environ, "ACCELBENCH_BACKENDS": str(FAULTY)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        while "accuracy and drift" not in process.stderr.readline():
            assert process.poll() is None
        time.sleep(0.5)
        process.send_signal(number)
        _, said = process.communicate(timeout=30)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == (-signal.SIGKILL if number == signal.SIGKILL else 130)
    if number != signal.SIGKILL:
        assert (tmp_path / "out" / "index.html").is_file()
        assert said.strip().splitlines()[-1].startswith("accelbench: interrupted")
    wait_until_gone(tmp_path)
    assert not list(tmp_path.glob("out/reports/[!.]*"))


def wait_until_gone(mark: Path) -> None:
    for _ in range(100):
        if not left_behind(mark):
            return
        time.sleep(0.1)
    raise AssertionError(left_behind(mark))
