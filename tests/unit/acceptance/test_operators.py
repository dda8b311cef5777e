"""The runner of cases against a real worker, whose adapter answers, raises, dies and sleeps by the case's name."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.unit.envs.stub import descendants_of_marker, stub

from accelbench.acceptance.operators import Ground, Watch, by_operator, counts, lanes, problems, run
from accelbench.acceptance.result import CaseResult
from accelbench.envs.spec import BackendSpec
from accelbench.envs.tables import AbilitiesTable
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


def made(folder: Path, names: list[str]) -> None:
    spec = {"name": "x", "dtype": "float32", "shape": [1, 2]}
    row = {"inputs": [spec], "outputs": [{**spec, "name": "y"}], "rtol": 1e-3, "atol": 1e-7}
    for name in names:
        (folder / name).mkdir(parents=True)
        np.savez(folder / name / "data.npz", i0=X, o0=2 * X)
    (folder / "index.json").write_text(json.dumps(dict.fromkeys(names, row)))


def spec_of(folder: Path, mark: Path) -> BackendSpec:
    return stub(folder, ADAPTER, f'[environment.variables]\nMARK = "{mark}"\n')


def ground(spec: BackendSpec, folder: Path, lanes: int = 1, limit_s: float = 1.0) -> Ground:
    return Ground(
        start=lambda lane: Worker(spec, folder / "logs" / str(lane)),
        folder=folder / "cases",
        target=Target("stub", "cpu", "fp32"),
        scratch=folder / "scratch",
        limit_s=limit_s,
        lanes=lanes,
    )


@pytest.mark.parametrize("lanes", [1, 2])
def test_crashes_and_hangs_cost_one_case_each(tmp_path: Path, lanes: int) -> None:
    names = ["a", "b dies", "c dies", "d", "e refused", "f once", "g sleeps", "h"]
    made(tmp_path / "cases", names)
    told = dict[str, tuple[str, str]]()

    def tell(case: str, outcome: str, detail: str) -> None:
        assert case not in told
        told[case] = outcome, detail

    run(ground(spec_of(tmp_path / "stub", tmp_path / "mark"), tmp_path, lanes), names, tell)
    assert {case: outcome for case, (outcome, _) in told.items()} == {
        "a": "passed",
        "b dies": "crashed",
        "c dies": "crashed",
        "d": "passed",
        "e refused": "unsupported",
        "f once": "passed",
        "g sleeps": "hung",
        "h": "passed",
    }
    assert "SIGABRT" in told["b dies"][1]
    assert told["g sleeps"][1] == "did not end within 1 s; the worker was ended"
    # A case that dies after others gets a process of its own; one that dies first there is not tried again. Of two
    # lanes each has every other case.
    tries = Counter({**dict.fromkeys(names, 1), "b dies": 2, "f once": 2})
    if lanes == 2:
        tries.update({"b dies": -1, "c dies": 1})
    assert Counter((tmp_path / "mark").read_text().splitlines()) == tries


@pytest.mark.alone
def test_workers_are_at_work_at_once_where_the_backend_allows_it(tmp_path: Path) -> None:
    names = ["sleeps 1", "sleeps 2"]
    made(tmp_path / "cases", names)
    told = list[str]()
    begun = time.monotonic()
    run(
        ground(spec_of(tmp_path / "stub", tmp_path / "mark"), tmp_path, lanes=2, limit_s=4.0),
        names,
        lambda case, _outcome, _detail: told.append(case),
    )
    assert sorted(told) == names
    assert time.monotonic() - begun < 8.0


def test_a_stack_that_cannot_start_ends_the_part_and_the_other_lane(tmp_path: Path) -> None:
    made(tmp_path / "cases", ["a", "sleeps"])
    broken = stub(tmp_path / "broken", "raise ImportError('no driver')")
    well = spec_of(tmp_path / "stub", tmp_path / "mark")
    place = ground(well, tmp_path, lanes=2, limit_s=60.0)
    place = replace(place, start=lambda lane: Worker((broken, well)[lane], tmp_path / "logs" / str(lane)))
    begun = time.monotonic()
    with pytest.raises(WorkerError, match="no driver"):
        run(place, ["a", "sleeps"], lambda _case, _outcome, _detail: None)
    assert time.monotonic() - begun < 30.0


def test_several_workers_need_the_ability(tmp_path: Path) -> None:
    spec = spec_of(tmp_path / "stub", tmp_path / "mark")
    able = replace(spec, table=spec.table.model_copy(update={"abilities": AbilitiesTable(processes=True)}))
    assert lanes(spec) == 1
    assert 1 <= lanes(able) <= 4


def test_the_watch_takes_whole_lines_and_counts_from_the_last_one(tmp_path: Path) -> None:
    now = [0.0]
    told = list[tuple[str, str, str]]()
    watch = Watch(tmp_path / "log", 2.0, lambda *ended: told.append(ended), clock=lambda: now[0])
    watch()
    (tmp_path / "log").write_text('{"case": "a"}\n{"case": "a", "outco')
    now[0] = 10.0
    watch()
    assert (watch.begun, told) == ("a", [])
    with (tmp_path / "log").open("a") as file:
        file.write('me": "wrong", "detail": "off"}\n')
    now[0] = 11.0
    watch()
    assert (watch.begun, told) == (None, [("a", "wrong", "off")])
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
        "import sys; from pathlib import Path; from accelbench.acceptance import operators\n"
        "from accelbench.envs.spec import read; from accelbench.envs.worker import Worker\n"
        "from accelbench.model import Target\n"
        "root = Path(sys.argv[1]); spec = read(root / 'stub')\n"
        "operators.run(operators.Ground(lambda lane: Worker(spec, root / 'logs'), root / 'cases',"
        " Target('stub', 'cpu', 'fp32'), root / 'scratch', 60.0), ['sleeps'], lambda *ended: None)\n"
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
