"""``backend check`` and ``backend new`` as commands: exit codes, tables, JSON, files, interruption."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from tests.e2e.command import ACCELBENCH, accelbench, left_behind
from tests.e2e.pages import blocks

from accelbench.envs.install import location
from accelbench.envs.spec import find, read

pytestmark = pytest.mark.backend

FAULTY = Path(__file__).parents[1] / "backends" / "faulty"


def test_what_fails_is_told_and_kept(tmp_path: Path) -> None:
    assert accelbench("backend", "install", "null", cwd=tmp_path).returncode == 0
    done = accelbench("backend", "check", "null", "--only", "bad-inputs", "--json", "-o", "found.json", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    assert told == json.loads((tmp_path / "found.json").read_text())
    assert (told["backend"], told["passed"], told["cases"], told["counts"]) == ("null", False, [], {})
    (part,) = told["parts"]
    assert (part["part"], part["outcome"]) == ("bad-inputs", "failed")
    assert "a wrong shape: answered" in part["reasons"]


@pytest.mark.slow
def test_bad_requests_are_refused(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("")
    for words, text in (
        (("null", "--only", "contracts"), "unknown part 'contracts': did you mean contract"),
        (("null", "-o", "there"), "exists already"),
        (("nul",), "did you mean null?"),
        (("./nowhere",), "a backend is a folder with backend.toml"),
        (("null", "--option", "openvino.threads=1"), "--option is for backend 'openvino'"),
        (("null", "--tasks", "digits"), "no task is called 'digits'"),
        (("null", "--only", "operators", "--cases", "conv"), "no case of onnx"),
    ):
        done = accelbench("backend", "check", *words, cwd=tmp_path)
        assert (done.returncode, text in done.stderr) == (2, True), done.stderr


@pytest.mark.slow
def test_a_table_has_operators_parts_and_sums(tmp_path: Path) -> None:
    done = accelbench(
        "backend", "check", "null", "--only", "operators", "--cases", "test_a[bd]*", cwd=tmp_path, timeout=120
    )
    assert done.returncode == 1, done.stderr
    assert "wrong and not" in done.stdout
    (sums,) = [line for line in done.stdout.splitlines() if line.startswith("all ")]
    assert int(sums.split()[1]) > 10


@pytest.mark.slow
def test_an_interrupt_leaves_nothing(tmp_path: Path) -> None:
    assert accelbench("backend", "install", str(FAULTY), cwd=tmp_path, ACCELBENCH_BACKENDS=str(FAULTY)).returncode == 0
    command = [str(ACCELBENCH), "backend", "check", str(FAULTY), "--only", "contract"]
    process = subprocess.Popen(
        [*command, "--option", "faulty.behaviour=hang_run"],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PROBED": str(tmp_path)},
    )
    assert process.stderr is not None
    assert next(line for line in process.stderr if "contract" in line)
    time.sleep(5)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert (process.returncode, "interrupted" in told) == (130, True)
    assert left_behind(tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_what_is_interrupted_goes_on(tmp_path: Path, how: signal.Signals) -> None:
    assert accelbench("backend", "install", "null", cwd=tmp_path).returncode == 0
    words = ("backend", "check", "null", "--only", "bad-inputs,operators", "--cases", "test_[a-c]*", "-o", "found.json")
    process = subprocess.Popen(
        [str(ACCELBENCH), *words],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PROBED": str(tmp_path)},
    )
    partial, deadline = tmp_path / "found.json.partial", time.monotonic() + 60
    while not (partial.exists() and '"case"' in partial.read_text()) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(how)
    _, told = process.communicate(timeout=30)
    if how != signal.SIGKILL:
        assert (process.returncode, "the same command goes on from there" in told) == (130, True), told
        assert left_behind(tmp_path) == []
    kept = [json.loads(line) for line in partial.read_text().splitlines()[1:]]
    found = dict.fromkeys(line["case"][0] for line in kept if "case" in line)
    assert found
    done = accelbench(*words, cwd=tmp_path, timeout=120)
    assert done.returncode == 1, done.stderr
    assert f"goes on from 1 parts, {len(found)} cases" in done.stderr
    assert not partial.exists()
    told_all = json.loads((tmp_path / "found.json").read_text())
    assert len(told_all["cases"]) == sum(told_all["counts"].values()) > len(found)


@pytest.mark.slow
def test_a_new_backend_passes_as_it_stands_and_can_be_run(tmp_path: Path) -> None:
    assert accelbench("backend", "install", "onnxruntime", cwd=tmp_path).returncode == 0
    guide = blocks(Path(__file__).parents[2] / "docs" / "vendor-guide.md")
    assert ("sh", "accelbench backend new mystack\naccelbench backend check ./mystack\n") in guide
    made = accelbench("backend", "new", "mystack", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert "accelbench backend check ./mystack" in made.stdout
    home = tmp_path / "home"
    (home / "envs").mkdir(parents=True)
    ready = location(find("onnxruntime"))
    key = location(read(tmp_path / "mystack")).name
    for name in (ready.name, key):
        (home / "envs" / name).symlink_to(ready)
    done = accelbench("backend", "check", "./mystack", cwd=tmp_path, timeout=900, ACCELBENCH_HOME=str(home))
    assert done.returncode == 0, done.stdout + done.stderr
    words = ("run", "digits-cnn", "-b", "mystack", "--quick", "--scenario", "single_stream", "--json", "-o", "out")
    ran = accelbench(*words, cwd=tmp_path, ACCELBENCH_HOME=str(home), ACCELBENCH_BACKENDS=str(tmp_path / "mystack"))
    assert [row["verdict"] for row in json.loads(ran.stdout)] == ["within"], ran.stderr
