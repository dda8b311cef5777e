from collections.abc import Callable
from pathlib import Path

import pytest
from tests.backend.contract import computes, refuses
from tests.backend.models import Lab, expected, relative_l2

from accelbench.envs.spec import BackendSpec
from accelbench.envs.worker import Worker

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("batch", [1, 4])
def test_float32_is_what_numpy_computes(here: Lab, backend: Callable[[str], BackendSpec], batch: int) -> None:
    spec = backend("iree")
    job = here.job(spec, "fp32", batch=batch)
    compiled = computes(here, spec, job)
    assert compiled.files == ("model.vmfb", "weights.irpa", "ports.json")
    assert {path.name for path in Path(job.work).iterdir()} == set(compiled.files)
    assert {placement.device for placement in compiled.placements} == {"cpu"}
    assert "matmul_like" in {placement.op for placement in compiled.placements}
    assert "--iree-llvmcpu-target-cpu=host" in compiled.settings["compiler_flags"].split()


def test_what_it_cannot_take(here: Lab, backend: Callable[[str], BackendSpec]) -> None:
    refuses(here, backend("iree"), "bf16", "precision bf16: this adapter compiles for fp32")


def test_threads_are_an_option_that_shows(here: Lab, tmp_path: Path, backend: Callable[[str], BackendSpec]) -> None:
    spec = backend("iree")
    job = here.job(spec, "fp32", threads="1")
    with Worker(spec, tmp_path / "logs") as worker:
        compiled, outputs, _ = here.outputs(worker, job)
    assert compiled.settings["threads"] == "1"
    assert relative_l2(outputs, expected(here.feeds)) < 1e-5
