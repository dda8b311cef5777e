"""The stacks' own loops, each run by the interpreter of its backend's environment, without accelbench."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from tests.backend.models import Lab

from accelbench.envs.install import interpreter
from accelbench.envs.spec import BackendSpec

pytestmark = pytest.mark.slow
LOOPS = Path(__file__).parents[2] / "benchmarks" / "loops"


@pytest.mark.parametrize("name", ["iree", "mnn", "onnxruntime", "onnxruntime-openvino", "openvino", "tinygrad", "tvm"])
def test_a_loop_prints_a_median_in_microseconds_for_each_line(
    name: str, here: Lab, tmp_path: Path, backend: Callable[[str], BackendSpec]
) -> None:
    spec = backend(name)
    if name == "tinygrad" and shutil.which("clang") is None:
        pytest.skip("tinygrad needs clang, and there is none on PATH")
    model = onnx.load(here.job(spec, "fp32").model)
    del model.opset_import[1:]
    onnx.save(model, tmp_path / "net.onnx")
    before = sorted(tmp_path.rglob("*"))
    done = subprocess.run(
        [interpreter(spec), LOOPS / f"{name}.py", tmp_path / "net.onnx", "0.3"],
        check=False,
        input="\n\n",
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    medians = [float(line.split()[0]) for line in done.stdout.splitlines()]
    assert len(medians) == 2, done.stdout
    assert all(1 < median < 1e6 for median in medians)
    assert sorted(tmp_path.rglob("*")) == before
