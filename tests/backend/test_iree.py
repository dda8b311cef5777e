from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from tests.backend.models import Lab, expected, relative_l2, unknown_operator

from accelbench.envs.spec import BackendSpec
from accelbench.envs.worker import Worker
from accelbench.errors import Unsupported

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("batch", [1, 4])
def test_float32_is_what_numpy_computes(
    here: Lab, tmp_path: Path, backend: Callable[[str], BackendSpec], batch: int
) -> None:
    spec = backend("iree")
    job = here.job(spec, "fp32", batch=batch)
    with Worker(spec, tmp_path / "logs") as worker:
        assert worker.devices()[0].id == "cpu"
        compiled, outputs, facts = here.outputs(worker, job)
        measured = here.measured(worker, job, compiled)
    assert relative_l2(outputs, expected(here.feeds)) < 1e-5
    assert np.allclose(here.output(job, "share").sum(axis=1), 1)
    assert (facts.records, facts.unready) == (10, 0)
    assert compiled.executed_precision == "fp32"
    assert compiled.files == ("model.vmfb", "weights.irpa", "ports.json")
    assert {path.name for path in Path(job.work).iterdir()} == set(compiled.files)
    assert {placement.device for placement in compiled.placements} == {"cpu"}
    assert "matmul_like" in {placement.op for placement in compiled.placements}
    assert "--iree-llvmcpu-target-cpu=host" in compiled.settings["compiler_flags"].split()
    assert measured.queries > 0
    assert measured.errors == ()
    assert measured.integrity is not None
    assert measured.integrity.mismatched == 0


def test_what_it_cannot_take(here: Lab, tmp_path: Path, backend: Callable[[str], BackendSpec]) -> None:
    spec = backend("iree")
    with Worker(spec, tmp_path / "logs") as worker:
        with pytest.raises(Unsupported, match="precision bf16: this adapter compiles for fp32"):
            worker.compile(here.job(spec, "bf16"))
        job = here.job(spec, "fp32")
        onnx.save(unknown_operator(), job.model)
        with pytest.raises(Unsupported, match="Levitate"):
            worker.compile(job)


def test_threads_are_an_option_that_shows(here: Lab, tmp_path: Path, backend: Callable[[str], BackendSpec]) -> None:
    spec = backend("iree")
    job = here.job(spec, "fp32", threads="1")
    with Worker(spec, tmp_path / "logs") as worker:
        compiled, outputs, _ = here.outputs(worker, job)
    assert compiled.settings["threads"] == "1"
    assert relative_l2(outputs, expected(here.feeds)) < 1e-5
