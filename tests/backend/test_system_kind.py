"""Backends of kind ``system``, run for real in a second interpreter: the one of the onnxruntime backend's environment.

There is no accelerator here. So the adapters for one are seen without their device, and ONNX Runtime's sessions for
accelerators run with the CPU provider in the place of an accelerator's.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.command import accelbench, rows_of

from accelbench.envs.install import interpreter
from accelbench.envs.spec import find

pytestmark = pytest.mark.backend

INSTEAD = """
import nvidia
import ort_session
from accelbench.model import DeviceInfo
from nvidia import compile, load

# The CPU's provider plays the accelerator; an installed provider that takes no node, the CPU.
ort_session.CPU = "AzureExecutionProvider"
nvidia._providers = lambda job: [("CPUExecutionProvider", {})]


def devices():
    return [DeviceInfo(id="gpu0", name="the CPU instead")]
"""


def copied(name: str, to: Path, packages: str) -> Path:
    """A shipped backend under the name ``NAME-here``, on the second interpreter."""
    folder = to / f"{name}-here"
    shutil.copytree(find(name).folder, folder, ignore=shutil.ignore_patterns("__pycache__"))
    toml = folder / "backend.toml"
    lines = toml.read_text().splitlines()
    changed = {"name": f'"{folder.name}"', "python": f'"{interpreter(find("onnxruntime"))}"', "packages": packages}
    for index, line in enumerate(lines):
        if (key := line.partition(" = ")[0]) in changed:
            lines[index] = f"{key} = {changed.pop(key)}"
    assert not changed
    toml.write_text("\n".join(lines) + "\n")
    return folder


def run(*words: str, cwd: Path, backends: list[Path]) -> list[dict[str, Any]]:
    listed = os.pathsep.join(map(str, backends))
    done = accelbench(
        "run",
        "digits-cnn",
        "--quick",
        "--scenario",
        "single_stream",
        "--json",
        *words,
        cwd=cwd,
        ACCELBENCH_BACKENDS=listed,
    )
    assert done.returncode == 0, done.stderr
    return rows_of(done)


def test_an_adapter_without_its_device_is_unsupported(tmp_path: Path) -> None:
    folders = [copied(name, tmp_path, '["onnxruntime", "onnx"]') for name in ("onnxruntime-gpu", "ascend")]
    rows = run("-b", folders[0].name, "-b", folders[1].name, cwd=tmp_path, backends=folders)
    for row, folder in zip(rows, folders, strict=True):
        assert (row["backend"], row["status"], row["untested"]) == (folder.name, "unsupported", True)
        assert row["reasons"] == [
            f"{folder.name} sees no device here: its driver or this build of its library has none"
        ]


def test_a_model_runs_in_a_second_interpreter(tmp_path: Path) -> None:
    folder = copied("onnxruntime-gpu", tmp_path, '["onnxruntime", "onnx"]')
    (folder / "adapter.py").write_text(INSTEAD)
    calibrated = ("--precision", "fp32,int8-static", "--option", f"{folder.name}.provider=tensorrt")
    full, _ = run("-b", folder.name, *calibrated, cwd=tmp_path, backends=[folder])
    assert (full["status"], full["verdict"], full["executed_precision"]) == ("ok", "within", "fp32")
    assert full["drift"]["relative_l2"] < 1e-5


def test_what_is_not_there_is_named_with_what_to_do(tmp_path: Path) -> None:
    for name, package in (
        ("onnxruntime-gpu", "onnxruntime-gpu"),
        ("ascend", "onnxruntime-cann"),
        ("gaudi", "habana-torch-plugin"),
    ):
        done = accelbench("run", "digits-cnn", "-b", name, cwd=tmp_path)
        assert done.returncode == 2
        assert f"backend {name} needs " in done.stderr
        assert package in done.stderr
        assert "README.md names, or put the interpreter that has it first on PATH" in done.stderr
    listed = {row["backend"]: row for row in json.loads(accelbench("backend", "list", "--json", cwd=tmp_path).stdout)}
    for name in ("onnxruntime-gpu", "ascend", "gaudi"):
        assert (listed[name]["installed"], listed[name]["untested"]) == (False, True)
