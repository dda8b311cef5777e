"""What the tests of several stacks ask of a backend, with the network of ``models``."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from tests.backend.models import Lab, expected, relative_l2, unknown_operator

from accelbench.envs.spec import BackendSpec
from accelbench.envs.worker import Worker
from accelbench.errors import Unsupported
from accelbench.model import Compiled, Scenario
from accelbench.worker.jobs import Job


def computes(
    here: Lab, spec: BackendSpec, job: Job, scenario: Scenario = "single_stream", *, bound: float = 1e-5
) -> Compiled:
    """Float32 gives what NumPy computes, within ``bound`` as relative L2, untimed and in a timed pass."""
    with Worker(spec, here.folder / "logs") as worker:
        assert worker.devices()[0].id == "cpu"
        compiled, outputs, facts = here.outputs(worker, job)
        measured = here.measured(worker, job, compiled, scenario)
    assert relative_l2(outputs, expected(here.feeds)) < bound
    assert np.allclose(here.output(job, "share").sum(axis=1), 1, atol=1e-5)
    assert (facts.records, facts.unready) == (10, 0)
    assert compiled.executed_precision == "fp32"
    assert measured.queries > 0
    assert measured.errors == ()
    assert measured.integrity is not None
    assert measured.integrity.mismatched == 0
    assert measured.integrity.worst_relative_l2 is not None
    assert measured.integrity.worst_relative_l2 < bound
    return compiled


def bfloat16_is_run_or_said_not_to_be(here: Lab, spec: BackendSpec, job: Job) -> None:
    with Worker(spec, here.folder / "logs") as worker:
        compiled, outputs, _ = here.outputs(worker, job)
    drift = relative_l2(outputs, expected(here.feeds))
    assert compiled.executed_precision in ("bf16", "fp32")
    if compiled.executed_precision == "bf16":
        assert 1e-3 < drift < 2e-2
    else:
        assert drift < 1e-5


def refuses(here: Lab, spec: BackendSpec, precision: str, words: str, operator: str = "Levitate") -> None:
    """A precision that the stack has not, in such words, and an operator that nobody has, by its name."""
    with Worker(spec, here.folder / "logs") as worker:
        with pytest.raises(Unsupported, match=words):
            worker.compile(here.job(spec, precision))
        job = here.job(spec, "fp32")
        onnx.save(unknown_operator(), job.model)
        with pytest.raises(Unsupported, match=operator):
            worker.compile(job)
