"""``--tune`` through the real command: what stacks chose, where it is told, and what is refused."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest
from tests.e2e.command import ACCELBENCH, accelbench, inside, left_behind

pytestmark = pytest.mark.backend

QUICK = ("--quick", "--scenario", "single_stream", "--max-time", "0.5")


def test_a_backend_without_the_ability_is_refused_with_those_that_have_it(tmp_path: Path) -> None:
    done = inside("run", "digits-cnn", "-b", "null", "--tune", "5", "-o", "out", cwd=tmp_path)
    assert done.returncode == 2
    assert "backend null has no tuning of its own: --tune takes" in done.stderr
    assert "onnxruntime, openvino" in done.stderr
    assert not (tmp_path / "out").exists()


def test_targets_that_race_are_not_tuned(tmp_path: Path) -> None:
    done = inside("run", "digits-cnn", "--ab", "onnxruntime", "openvino", "--tune", "5", cwd=tmp_path)
    assert done.returncode == 2
    assert "leave --tune out" in done.stderr


def test_what_was_chosen_is_in_the_report_and_on_the_page(tmp_path: Path) -> None:
    words = ("run", "digits-cnn", "-b", "onnxruntime", "--option", "onnxruntime.threads=1", "--tune", "2")
    done = accelbench(*words, *QUICK, "-o", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "by their clocks" in done.stdout
    (file,) = tmp_path.glob("out/reports/*/report.json")
    report = json.loads(file.read_text(encoding="utf-8"))
    (build,) = report["builds"]
    assert report["target"]["tune_s"] == 2
    assert report["target"]["options"] == {"threads": "1"}
    assert 0 < build["tune_s"] < 30
    assert build["tuning"]["trials"] == len(build["tuning"]["compared"]) >= 1
    assert "threads" not in build["tuning"]["chosen"]
    assert all(build["compiled"]["settings"][name] == value for name, value in build["tuning"]["chosen"].items())
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "Tuned before by the stack" in page
    shown = inside("report", "show", "out", cwd=tmp_path)
    assert "by their clocks" in shown.stdout


@pytest.mark.slow
@pytest.mark.parametrize("purpose", ["latency", "throughput"])
def test_what_was_chosen_is_deployed(tmp_path: Path, purpose: str) -> None:
    words = ("convert", "digits-cnn", "-b", "openvino", "--for", purpose, "--tune", "5", "-o", "deployed")
    done = accelbench(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    manifest = json.loads((tmp_path / "deployed" / "manifest.json").read_text(encoding="utf-8"))
    report = json.loads((tmp_path / "deployed" / "report" / "report.json").read_text(encoding="utf-8"))
    assert manifest["target"]["options"] == report["builds"][0]["tuning"]["chosen"]


@pytest.mark.slow
def test_an_interrupted_tuner_leaves_nothing(tmp_path: Path) -> None:
    words = ("run", "resnet50", "-b", "onnxruntime", "--tune", "600", *QUICK, "-o", "out")
    running = subprocess.Popen([str(ACCELBENCH), *words], cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    assert running.stderr is not None
    assert any(b"tuning for batch 1" in line for line in running.stderr)
    time.sleep(3)
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=60)
    assert running.returncode not in (0, 1)
    assert list(tmp_path.glob("out/reports/*")) == []
    assert left_behind(tmp_path) == []
