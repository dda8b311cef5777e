"""Readings taken beside a process, by a clock that is set by hand, and beside a worker at work."""

import json
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from tests.unit.envs.stub import ADAPTER, job, stub
from tests.unit.envs.test_sensors import process, tree

from accelbench.envs import sensors
from accelbench.envs.monitors import Monitor, declared, json_lines
from accelbench.envs.telemetry import Telemetry
from accelbench.envs.worker import Worker
from accelbench.measure import series as stored
from accelbench.model import Plan, Stop
from accelbench.tensors import TensorWriter

POWER = """
import json, sys, time
for watts in (10, 11, 12):
    print(json.dumps({"name": "npu0.power", "unit": "W", "value": watts}))
    print("starting", file=sys.stderr, flush=True)
    time.sleep(0.1)
time.sleep(60)
"""


def named(series: Iterable[stored.Series]) -> dict[str, stored.Series]:
    return {each.name: each for each in series}


def test_looks_are_as_far_apart_as_they_should_be(tmp_path: Path) -> None:
    tree(tmp_path, process(10, "worker", (100, 0, 0, 0), 5))
    clock = [1_000]
    with Telemetry(10, [], log=tmp_path / "log", root=tmp_path, now=lambda: clock[0]) as beside:
        for _ in range(10):
            clock[0] += 100_000_000
            beside.look()
        tree(tmp_path, process(10, "worker", (400, 0, 0, 0), 9))
    found = named(beside.series(began_ns=500_001_000))
    assert found["worker.cpu_time"].time_ns == (-500_000_000, -200_000_000, 100_000_000, 400_000_000, 500_000_000)
    assert found["worker.cpu_time"].values[0] == 100 / sensors.TICKS
    assert found["worker.cpu_time"].values[-1] == 400 / sensors.TICKS
    assert found["worker.memory"].values == tuple(pages * sensors.PAGE_BYTES for pages in (5, 5, 5, 5, 9))
    assert (found["worker.memory"].unit, found["worker.memory"].source) == ("B", "proc")


def test_a_process_that_has_gone_leaves_what_was_read(tmp_path: Path) -> None:
    tree(tmp_path, process(10, "worker", (100, 0, 0, 0), 5))
    with Telemetry(10, [], log=tmp_path / "log", root=tmp_path) as beside:
        (tmp_path / "proc/10/stat").unlink()
    assert [len(each.values) for each in beside.series(0)] == [1, 1]


def test_lines_of_a_monitor_become_a_series_and_it_is_ended(tmp_path: Path) -> None:
    monitor = declared([sys.executable, "-c", POWER])
    with Telemetry(os.getpid(), [monitor], log=tmp_path / "log") as beside:
        until = time.monotonic() + 10
        while time.monotonic() < until and "npu0.power" not in named(beside.series(0)):
            time.sleep(0.05)
            beside.look()
        time.sleep(0.5)
        begun = time.monotonic()
    assert time.monotonic() - begun < 2
    power = named(beside.series(0))["npu0.power"]
    assert (power.unit, power.source, power.values[-1]) == ("W", "backend", 12.0)
    assert "starting" in (tmp_path / "log").read_text()


@pytest.mark.parametrize("argv", [("/nowhere/at-all",), (sys.executable, "-c", "print('{}'); raise SystemExit(3)")])
def test_a_monitor_that_cannot_be_had_is_absent(tmp_path: Path, argv: tuple[str, ...]) -> None:
    with Telemetry(os.getpid(), [Monitor("broken", argv, lambda: json_lines)], log=tmp_path / "log") as beside:
        time.sleep(0.2)
    assert {each.source for each in beside.series(0)} == {"proc", *(s.source for s in sensors.sensors())}


@pytest.mark.alone
def test_a_monitor_that_floods_costs_little(tmp_path: Path) -> None:
    with Telemetry(os.getpid(), [declared([sys.executable, "-c", "while True: print('x' * 999)"])], log=tmp_path / "l"):
        time.sleep(0.3)
        begun = time.perf_counter()
    assert time.perf_counter() - begun < 1


@pytest.mark.alone
def test_a_worker_at_work(tmp_path: Path) -> None:
    script = tmp_path / "stub" / "watch.py"
    table = '[telemetry]\ncommand = ["{python}", "{folder}/watch.py"]\n'
    spec = stub(tmp_path / "stub", ADAPTER, more=table)
    script.write_text(POWER)
    with TensorWriter(tmp_path / "feeds") as writer:
        writer.append({"x": np.ones(3, np.float32)})
    with Worker(spec, tmp_path / "logs") as worker:
        task = job(tmp_path / "work")
        built = worker.compile(task)
        worker.load(built.compiled, task)
        worker.infer(tmp_path / "feeds", tmp_path / "out", batch=1, batched=True)
        measured = worker.measure(
            Plan("single_stream", Stop(max_s=0.8)),
            feeds=tmp_path / "feeds",
            outputs=tmp_path / "out",
            columns=tmp_path / "columns",
            batched=True,
            concurrency=1,
            telemetry=tmp_path / "telemetry" / "0.json",
        )
    assert measured.telemetry == str(tmp_path / "telemetry" / "0.json")
    found = named(stored.read(Path(measured.telemetry)))
    used = found["worker.cpu_time"]
    assert used.time_ns[0] < 0 < used.time_ns[-1]
    assert used.time_ns[-1] > 0.5e9
    rate = (used.values[-1] - used.values[0]) / (used.time_ns[-1] - used.time_ns[0]) * 1e9
    assert 0.02 < rate < os.cpu_count() + 0.5  # type: ignore[operator]
    assert min(found["worker.memory"].values) > 2**20
    assert found["npu0.power"].values[-1] == 12.0
    assert json.loads(Path(measured.telemetry).read_text())["version"] == stored.VERSION
