"""The worker's side really runs on the oldest Python that it keeps to: imported whole, and at work as a worker.

The interpreter is the one that ``ACCELBENCH_OLD_PYTHON`` names, else a Python 3.9 on PATH or of pyenv.
"""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from tests.unit.envs.stub import ADAPTER, TOML, measured
from tests.unit.test_thin_core import SOURCE, WORKER_SIDE, modules

from accelbench import paths
from accelbench.envs.spec import read
from accelbench.measure import columns
from accelbench.model import Plan, Stop
from accelbench.tensors import TensorWriter


def candidates() -> list[Path]:
    named = os.environ.get("ACCELBENCH_OLD_PYTHON")
    if named:
        return [Path(named)]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    on_path = shutil.which("python3.9")
    found = [*sorted(pyenv.glob("versions/3.9.*/bin/python")), *([Path(on_path)] if on_path else [])]
    return [python for python in found if runs(python, "import venv")]


@pytest.fixture(scope="module")
def old() -> Path:
    """An interpreter with NumPy and nothing else, in an environment that is kept for the next time."""
    found = candidates()
    if not found:
        pytest.skip("no Python 3.9 here: name one with ACCELBENCH_OLD_PYTHON")
    key = hashlib.sha256(str(found[0].resolve()).encode()).hexdigest()[:12]
    python = paths.home() / "tests" / f"old-python-{key}" / "bin" / "python"
    if not runs(python, "import numpy"):
        shutil.rmtree(python.parents[1], ignore_errors=True)
        subprocess.run([found[0], "-m", "venv", python.parents[1]], check=True, capture_output=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "numpy"]
        done = subprocess.run(install, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"NumPy cannot be installed for {found[0].name}: {done.stderr.strip()[-200:]}")
    return python


def runs(python: Path, program: str) -> bool:
    return python.exists() and subprocess.run([python, "-c", program], capture_output=True, check=False).returncode == 0


def test_every_module_of_the_workers_side_is_imported(old: Path) -> None:
    program = "import importlib, sys\nfor name in sys.argv[1:]:\n    importlib.import_module(name)"
    done = subprocess.run(
        [old, "-W", "error", "-c", program, *modules(*WORKER_SIDE)],
        env={"PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "plan",
    [
        Plan("single_stream", Stop(max_s=0.2)),
        Plan("server", Stop(max_s=0.3), rate=200.0, instances=2),
        Plan("closed_loop", Stop(max_s=0.2), max_batch=2, max_delay_s=1e-3),
    ],
    ids=lambda plan: plan.scenario,
)
def test_a_worker_measures(old: Path, tmp_path: Path, plan: Plan) -> None:
    folder = tmp_path / "stub"
    folder.mkdir()
    (folder / "backend.toml").write_text(TOML.format(python=old) + "[abilities]\nthreads = true\n")
    (folder / "adapter.py").write_text(ADAPTER)
    with TensorWriter(tmp_path / "feeds") as writer:
        for i in range(8):
            writer.append({"x": np.full(3, i, np.float32)})
    found = measured(read(folder), plan, tmp_path)
    assert len(columns.read(tmp_path / "columns")) == found.queries > 0
    assert found.errors == ()
    assert found.integrity is not None
    assert found.integrity.worst_relative_l2 == 0.0
