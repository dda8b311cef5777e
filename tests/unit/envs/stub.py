"""Small backends for the tests of this room: they run in the tests' own interpreter and need no installation."""

import sys
from pathlib import Path

from accelbench.envs.spec import BackendSpec, read
from accelbench.envs.worker import Worker
from accelbench.model import Measurement, Plan, Target, TensorSpec
from accelbench.worker.jobs import Job

ADAPTER = """
import numpy as np
from accelbench.model import Compiled, DeviceInfo

class Session:
    def run(self, feed):
        return {"y": feed["x"] * 2}
    def close(self):
        pass

def devices():
    return [DeviceInfo(id="cpu", name="stub")]

def compile(job):
    (job.work / "model.bin").write_bytes(b"12345")
    return Compiled(files=("model.bin",), format="stub", executed_precision="fp32", concurrency=3)

def load(compiled, job):
    return Session()
"""

TOML = """
name = "stub"
version = "1"
title = "Stub"
vendor = "tests"
precisions = ["fp32"]

[environment]
kind = "system"
python = "{python}"
"""

OPTIONS = """
[options.threads]
type = "int"
text = "threads"
min = 1
max = 8

[options.scale]
type = "float"
text = "scale"
default = 0.5

[options.mode]
type = "str"
text = "mode"
default = "fast"
choices = ["fast", "exact"]
"""
"""Some options, for the end of a backend.toml."""


def stub(folder: Path, adapter: str = ADAPTER, more: str = "") -> BackendSpec:
    """A backend in ``folder`` with this adapter; ``more`` is appended to its backend.toml."""
    folder.mkdir(exist_ok=True)
    (folder / "backend.toml").write_text(TOML.format(python=sys.executable) + more)
    (folder / "adapter.py").write_text(adapter)
    return read(folder)


def job(work: Path) -> Job:
    work.mkdir(exist_ok=True)
    return Job(
        model=str(work / "model.onnx"),
        inputs=(TensorSpec("x", "float32", (1, 3)),),
        outputs=(TensorSpec("y", "float32", (1, 3)),),
        target=Target("stub", "cpu", "fp32"),
        batch=1,
        batched=True,
        purpose=None,
        work=str(work),
    )


def measured(spec: BackendSpec, plan: Plan, folder: Path) -> Measurement:
    """A timed pass on the feeds in ``folder``; its columns lie there too."""
    with Worker(spec, folder / "logs") as worker:
        asked = job(folder / "work")
        built = worker.compile(asked)
        worker.load(built.compiled, asked)
        worker.infer(folder / "feeds", folder / "out", batch=1, batched=True)
        return worker.measure(
            plan,
            feeds=folder / "feeds",
            outputs=folder / "out",
            columns=folder / "columns",
            batched=True,
            concurrency=1,
        )


def descendants_of_marker(marker: str) -> list[int]:
    """Processes whose environment holds ``marker``: a worker and all that it started."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if marker.encode() in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found
