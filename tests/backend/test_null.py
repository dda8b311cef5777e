from collections.abc import Callable
from pathlib import Path

import pytest
from tests.backend.models import Lab

from accelbench.envs.spec import BackendSpec
from accelbench.envs.worker import Worker
from accelbench.errors import Unsupported
from accelbench.model import Scenario


@pytest.mark.parametrize("scenario", ["single_stream", "offline"])
def test_it_hands_back_zeros_and_costs_microseconds(
    here: Lab, tmp_path: Path, backend: Callable[[str], BackendSpec], scenario: Scenario
) -> None:
    spec = backend("null")
    job = here.job(spec, "fp32", batch=4)
    with Worker(spec, tmp_path / "logs") as worker:
        compiled, outputs, facts = here.outputs(worker, job)
        assert outputs.shape == (10, 10)
        assert not outputs.any()
        assert (facts.records, facts.runs) == (10, 3)
        measured = here.measured(worker, job, compiled, scenario, max_s=0.3)
    assert measured.queries > 1000
    assert measured.errors == ()


def test_other_precisions_are_unsupported(here: Lab, tmp_path: Path, backend: Callable[[str], BackendSpec]) -> None:
    spec = backend("null")
    with Worker(spec, tmp_path / "logs") as worker, pytest.raises(Unsupported, match="precision bf16"):
        worker.compile(here.job(spec, "bf16"))
