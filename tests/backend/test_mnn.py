import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from tests.backend.contract import computes, refuses
from tests.backend.models import Lab, expected, relative_l2

import accelbench
from accelbench.envs.install import interpreter
from accelbench.envs.spec import BackendSpec
from accelbench.envs.worker import Worker
from accelbench.errors import WorkerError

pytestmark = pytest.mark.slow
Backend = Callable[[str], BackendSpec]


@pytest.mark.parametrize("batch", [1, 4])
def test_float32_is_what_numpy_computes(here: Lab, backend: Backend, batch: int) -> None:
    spec = backend("mnn")
    compiled = computes(here, spec, here.job(spec, "fp32", batch=batch))
    assert (compiled.files, compiled.placements) == (("model.mnn",), ())


def test_int8_weights_meet_int8_activations(here: Lab, tmp_path: Path, backend: Backend) -> None:
    spec = backend("mnn")
    with Worker(spec, tmp_path / "logs") as worker:
        compiled, outputs, _ = here.outputs(worker, here.job(spec, "int8"))
    assert 1e-3 < relative_l2(outputs, expected(here.feeds)) < 0.1
    assert compiled.executed_precision == "int8"
    assert compiled.settings["quantised_layers"] == "3"


def test_int8_of_a_model_without_weights_is_float32(here: Lab, tmp_path: Path, backend: Backend) -> None:
    spec = backend("mnn")
    job = here.job(spec, "int8")
    value = onnx.helper.make_tensor_value_info
    nodes = [
        onnx.helper.make_node("ReduceMean", ["x"], ["m"], axes=[1, 2]),
        onnx.helper.make_node("Concat", ["m", "m"], ["c"], axis=1),
        onnx.helper.make_node("Slice", ["c", "from", "to"], ["y"]),
        onnx.helper.make_node("Neg", ["y"], ["share"]),
    ]
    bounds = [onnx.numpy_helper.from_array(np.array([0, edge]), name) for name, edge in (("from", 0), ("to", 10))]
    for node in nodes[:1]:
        node.attribute.append(onnx.helper.make_attribute("keepdims", 0))
    bounds[1] = onnx.numpy_helper.from_array(np.array([1, 10]), "to")
    graph = onnx.helper.make_graph(
        nodes, "plain", [value("x", 1, [1, 1, 8, 8])], [value("y", 1, [1, 10]), value("share", 1, [1, 10])], bounds
    )
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8), job.model)
    with Worker(spec, tmp_path / "logs") as worker:
        compiled, _, _ = here.outputs(worker, job)
    assert compiled.executed_precision == "fp32"
    assert compiled.settings["quantised_layers"] == "0"


def test_what_it_cannot_take(here: Lab, tmp_path: Path, backend: Backend) -> None:
    spec = backend("mnn")
    refuses(here, spec, "bf16", "precision bf16: this adapter has fp32, int8 on MNN", "ONNX::Levitate")
    job = here.job(spec, "fp32")
    Path(job.model).write_bytes(b"not a model")
    with Worker(spec, tmp_path / "more") as worker, pytest.raises(WorkerError, match="wrote no model"):
        worker.compile(job)


def test_threads_are_an_option_that_shows(here: Lab, tmp_path: Path, backend: Backend) -> None:
    spec = backend("mnn")
    with Worker(spec, tmp_path / "logs") as worker:
        assert worker.compile(here.job(spec, "fp32", threads="1")).compiled.settings["threads"] == "1"


def test_nothing_is_installed(here: Lab, tmp_path: Path, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ``pip`` that leaves a mark is first on the path. MNN's own command calls it; the worker does not."""
    spec = backend("mnn")
    python = interpreter(spec)
    mark = tmp_path / "called"
    pip = tmp_path / "bin" / "pip"
    pip.parent.mkdir()
    pip.write_text(f"#!/bin/sh\ntouch {mark}\n")
    pip.chmod(0o755)
    monkeypatch.setenv("PATH", f"{pip.parent}:{os.environ['PATH']}")
    packages = next((python.parents[1] / "lib").glob("python*/site-packages"))
    before = sorted(path.name for path in packages.iterdir())
    with Worker(spec, tmp_path / "logs") as worker:
        here.outputs(worker, here.job(spec, "fp32"))
    assert not mark.exists()
    assert sorted(path.name for path in packages.iterdir()) == before
    subprocess.run([python, "-c", "import MNN.tools.utils.log"], check=False, capture_output=True, timeout=120)
    assert mark.exists()


def test_a_session_outlives_feeds_and_threads(here: Lab, backend: Backend) -> None:
    """Outputs hold until the next run, on whichever thread; the feed is not written to."""
    python = interpreter(backend("mnn"))
    job = here.job(backend("mnn"), "fp32")
    script = Path(__file__).with_name("mnn_session.py")
    done = subprocess.run(
        [python, script, job.model, job.work],
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(accelbench.__path__[0]).parent)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("\nright\n")
