"""The runner of cases against a real worker, whose adapter answers, raises, dies and sleeps by the case's name."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from tests.unit.envs.stub import descendants_of_marker, stub

from accelbench.acceptance.cases import NodeCase
from accelbench.acceptance.operators import Watch, by_operator, counts, problems, run
from accelbench.acceptance.result import CaseResult
from accelbench.envs.spec import BackendSpec
from accelbench.envs.worker import Worker
from accelbench.errors import WorkerError
from accelbench.model import Target

ADAPTER = """
import os, pathlib, time
from accelbench.errors import Unsupported
from accelbench.model import Compiled, DeviceInfo

MARK = pathlib.Path(os.environ["MARK"])

class Session:
    def run(self, feed):
        return {"y": feed["x"] * 2}
    def close(self):
        pass

def devices():
    return [DeviceInfo(id="cpu", name="stub")]

def compile(job):
    name = job.model.parent.name
    with MARK.open("a") as file:
        file.write(name + "\\n")
    if "refused" in name:
        raise Unsupported("no")
    if "dies" in name or ("once" in name and MARK.read_text().splitlines().count(name) == 1):
        os.abort()
    if "sleeps" in name:
        time.sleep(600)
    return Compiled(files=(), format="stub", executed_precision="fp32")

def load(compiled, job):
    return Session()
"""
X = np.ones((1, 2), np.float32)


def made(folder: Path, names: list[str]) -> tuple[NodeCase, ...]:
    spec = {"name": "x", "dtype": "float32", "shape": [1, 2]}
    row = {"inputs": [spec], "outputs": [{**spec, "name": "y"}], "rtol": 1e-3, "atol": 1e-7}
    for name in names:
        (folder / name).mkdir(parents=True)
        np.savez(folder / name / "data.npz", i0=X, o0=2 * X)
    (folder / "index.json").write_text(json.dumps(dict.fromkeys(names, row)))
    return tuple(NodeCase(name, "Op", 1, None) for name in names)


def spec_of(folder: Path, mark: Path) -> BackendSpec:
    return stub(folder, ADAPTER, f'[environment.variables]\nMARK = "{mark}"\n')


def test_crashes_and_hangs_cost_one_case_each(tmp_path: Path) -> None:
    names = ["a", "b dies", "c dies", "d", "e refused", "f once", "g sleeps", "h"]
    cases = made(tmp_path / "cases", names)
    none = NodeCase("z", "Seq", 1, "x is of a sequence type")
    spec, said = spec_of(tmp_path / "stub", tmp_path / "mark"), list[str]()
    rows = run(
        lambda: Worker(spec, tmp_path / "logs"),
        tmp_path / "cases",
        (*cases, none),
        Target("stub", "cpu", "fp32"),
        tmp_path / "scratch",
        1.0,
        said.append,
    )
    assert {row.case: row.outcome for row in rows} == {
        "a": "passed",
        "b dies": "crashed",
        "c dies": "crashed",
        "d": "passed",
        "e refused": "unsupported",
        "f once": "passed",
        "g sleeps": "hung",
        "h": "passed",
        "z": "not expressible",
    }
    details = {row.case: row.detail for row in rows}
    assert "SIGABRT" in details["b dies"]
    assert details["g sleeps"] == "did not end within 1 s; the worker was ended"
    assert details["z"] == "x is of a sequence type"
    # A case that dies after others gets a process of its own; one that dies first there is not tried again.
    assert Counter((tmp_path / "mark").read_text().splitlines()) == Counter(
        {**dict.fromkeys(names, 1), "b dies": 2, "f once": 2}
    )
    assert said
    assert all(text.endswith("of 8 cases") for text in said)


def test_a_stack_that_cannot_start_ends_the_part(tmp_path: Path) -> None:
    cases = made(tmp_path / "cases", ["a"])
    spec = stub(tmp_path / "stub", "raise ImportError('no driver')")
    with pytest.raises(WorkerError, match="no driver"):
        run(
            lambda: Worker(spec, tmp_path / "logs"),
            tmp_path / "cases",
            cases,
            Target("stub", "cpu", "fp32"),
            tmp_path / "scratch",
            1.0,
            lambda _text: None,
        )


def test_the_watch_takes_whole_lines_and_counts_from_the_last_one(tmp_path: Path) -> None:
    now = [0.0]
    watch = Watch(tmp_path / "log", 2.0, lambda _ended: None, clock=lambda: now[0])
    watch()
    (tmp_path / "log").write_text('{"case": "a"}\n{"case": "a", "outco')
    now[0] = 10.0
    watch()
    assert (watch.begun, watch.ended) == ("a", {})
    with (tmp_path / "log").open("a") as file:
        file.write('me": "wrong", "detail": "off"}\n')
    now[0] = 11.0
    watch()
    assert (watch.begun, watch.ended) == (None, {"a": ("wrong", "off")})
    now[0] = 100.0
    watch()
    with (tmp_path / "log").open("a") as file:
        file.write('{"case": "b"}\n')
    watch()
    now[0] = 102.1
    with pytest.raises(WorkerError, match="did not end within 2 s") as caught:
        watch()
    assert caught.value.kind == "hung"


def test_an_interrupt_leaves_no_process(tmp_path: Path) -> None:
    made(tmp_path / "cases", ["sleeps"])
    spec_of(tmp_path / "stub", tmp_path / "mark")
    program = (
        "import sys; from pathlib import Path; from accelbench.acceptance import operators, cases\n"
        "from accelbench.envs.spec import read; from accelbench.envs.worker import Worker\n"
        "from accelbench.model import Target\n"
        "root = Path(sys.argv[1]); spec = read(root / 'stub')\n"
        "operators.run(lambda: Worker(spec, root / 'logs'), root / 'cases', [cases.NodeCase('sleeps', 'Op', 1, None)],"
        " Target('stub', 'cpu', 'fp32'), root / 'scratch', 60.0, lambda text: None)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program, tmp_path], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while not (tmp_path / "mark").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(20) != 0
    assert descendants_of_marker(f"MARK={tmp_path}") == []


def test_sums_are_by_outcome_and_by_operator() -> None:
    rows = [
        CaseResult("b", "Mul", 14, "passed", ""),
        CaseResult("a", "Add", 14, "wrong", "off"),
        CaseResult("c", "Add", 7, "crashed", "SIGSEGV"),
        CaseResult("d", "Add", 14, "passed", ""),
        CaseResult("e", "Add", 14, "unsupported", "no"),
    ]
    assert counts(rows) == {"passed": 2, "wrong": 1, "crashed": 1, "unsupported": 1}
    assert by_operator(rows) == {
        ("Add", 7): {"crashed": 1},
        ("Add", 14): {"wrong": 1, "passed": 1, "unsupported": 1},
        ("Mul", 14): {"passed": 1},
    }
    assert problems(rows) == ["1 wrong and not declared: a", "1 crashed: c"]
    assert problems(rows[:1]) == []
