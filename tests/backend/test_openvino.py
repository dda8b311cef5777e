import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from tests.backend.models import Lab, expected, many_kinds, relative_l2, unknown_operator

import accelbench
from accelbench.envs.install import interpreter
from accelbench.envs.spec import BackendSpec
from accelbench.envs.worker import Worker
from accelbench.errors import Unsupported
from accelbench.model import Purpose, Scenario


@pytest.mark.parametrize(
    ("purpose", "scenario", "batch"), [("latency", "single_stream", 1), ("throughput", "offline", 4)]
)
def test_float32_is_what_numpy_computes(
    here: Lab,
    tmp_path: Path,
    backend: Callable[[str], BackendSpec],
    purpose: Purpose,
    scenario: Scenario,
    batch: int,
) -> None:
    spec = backend("openvino")
    job = here.job(spec, "fp32", batch=batch, purpose=purpose)
    with Worker(spec, tmp_path / "logs") as worker:
        assert worker.devices()[0].id == "cpu"
        compiled, outputs, facts = here.outputs(worker, job)
        measured = here.measured(worker, job, compiled, scenario)
    assert relative_l2(outputs, expected(here.feeds)) < 1e-5
    assert np.allclose(here.output(job, "share").sum(axis=1), 1)
    assert (facts.records, facts.unready) == (10, 0)
    assert compiled.executed_precision == "fp32"
    assert compiled.settings["performance_hint"] == purpose.upper()
    assert {"c1", "r1", "c2", "r2", "f"} <= {node for placement in compiled.placements for node in placement.nodes}
    assert measured.queries > 0
    assert measured.errors == ()
    assert measured.integrity is not None
    assert measured.integrity.mismatched == 0


def test_bfloat16_is_run_or_said_not_to_be(here: Lab, tmp_path: Path, backend: Callable[[str], BackendSpec]) -> None:
    spec = backend("openvino")
    with Worker(spec, tmp_path / "logs") as worker:
        compiled, outputs, _ = here.outputs(worker, here.job(spec, "bf16", purpose="latency"))
    drift = relative_l2(outputs, expected(here.feeds))
    assert compiled.executed_precision in ("bf16", "fp32")
    if compiled.executed_precision == "bf16":
        assert 1e-3 < drift < 2e-2
    else:
        assert drift < 1e-5


def test_what_it_cannot_take(here: Lab, tmp_path: Path, backend: Callable[[str], BackendSpec]) -> None:
    spec = backend("openvino")
    with Worker(spec, tmp_path / "logs") as worker:
        with pytest.raises(Unsupported, match="precision int8: this adapter asks OpenVINO for fp32, bf16, fp16"):
            worker.compile(here.job(spec, "int8"))
        job = here.job(spec, "fp32")
        onnx.save(unknown_operator(), job.model)
        with pytest.raises(Unsupported, match="Levitate"):
            worker.compile(job)


def test_streams_are_an_option_that_shows(here: Lab, tmp_path: Path, backend: Callable[[str], BackendSpec]) -> None:
    spec = backend("openvino")
    job = here.job(spec, "fp32", purpose="throughput", streams="2", threads="2")
    with Worker(spec, tmp_path / "logs") as worker:
        compiled, _, _ = here.outputs(worker, job)
        measured = here.measured(worker, job, compiled, "offline")
    assert compiled.settings["num_streams"] == "2"
    assert compiled.concurrency == measured.concurrency == 2


def test_a_session_takes_feeds_of_every_kind(tmp_path: Path, backend: Callable[[str], BackendSpec]) -> None:
    python = interpreter(backend("openvino"))
    onnx.save(many_kinds(), tmp_path / "model.onnx")
    (tmp_path / "work").mkdir()
    script = Path(__file__).with_name("openvino_session.py")
    done = subprocess.run(
        [python, script, tmp_path / "model.onnx", tmp_path / "work"],
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(accelbench.__path__[0]).parent)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.stdout, done.returncode) == ("45\n", 0), done.stderr
