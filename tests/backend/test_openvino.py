import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from tests.backend import contract
from tests.backend.contract import computes, refuses
from tests.backend.models import Lab, many_kinds

import accelbench
from accelbench.envs.install import interpreter
from accelbench.envs.spec import BackendSpec
from accelbench.envs.worker import Worker
from accelbench.model import Purpose, Scenario


@pytest.mark.parametrize(
    ("purpose", "scenario", "batch"), [("latency", "single_stream", 1), ("throughput", "offline", 4)]
)
def test_float32_is_what_numpy_computes(
    here: Lab, backend: Callable[[str], BackendSpec], purpose: Purpose, scenario: Scenario, batch: int
) -> None:
    spec = backend("openvino")
    job = here.job(spec, "fp32", batch=batch, purpose=purpose)
    compiled = computes(here, spec, job, scenario)
    assert compiled.settings["performance_hint"] == purpose.upper()
    assert {"c1", "r1", "c2", "r2", "f"} <= {node for placement in compiled.placements for node in placement.nodes}


def test_bfloat16_is_run_or_said_not_to_be(here: Lab, backend: Callable[[str], BackendSpec]) -> None:
    spec = backend("openvino")
    contract.bfloat16_is_run_or_said_not_to_be(here, spec, here.job(spec, "bf16", purpose="latency"))


def test_what_it_cannot_take(here: Lab, backend: Callable[[str], BackendSpec]) -> None:
    refuses(here, backend("openvino"), "int8", "precision int8: this adapter asks OpenVINO for fp32, bf16, fp16")


def test_streams_are_an_option_that_shows(here: Lab, tmp_path: Path, backend: Callable[[str], BackendSpec]) -> None:
    spec = backend("openvino")
    job = here.job(spec, "fp32", purpose="throughput", streams="2", threads="2")
    with Worker(spec, tmp_path / "logs") as worker:
        compiled, _, _ = here.outputs(worker, job)
        measured = here.measured(worker, job, compiled, "offline")
    assert compiled.settings["num_streams"] == "2"
    assert compiled.concurrency == measured.concurrency == 2


def test_a_session_takes_feeds_of_every_kind(tmp_path: Path, backend: Callable[[str], BackendSpec]) -> None:
    python, folder = interpreter(backend("openvino")), backend("openvino").folder
    onnx.save(many_kinds(), tmp_path / "model.onnx")
    (tmp_path / "work").mkdir()
    script = Path(__file__).with_name("openvino_session.py")
    done = subprocess.run(
        [python, script, tmp_path / "model.onnx", tmp_path / "work"],
        check=False,
        env={**os.environ, "PYTHONPATH": f"{Path(accelbench.__path__[0]).parent}{os.pathsep}{folder}"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.stdout, done.returncode) == ("45\n", 0), done.stderr
