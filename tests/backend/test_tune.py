"""Tuners that compile for what they try: what they chose is compiled, and still computes the same."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.backend.models import Lab, expected, relative_l2

from accelbench.envs.spec import BackendSpec
from accelbench.envs.worker import Worker
from accelbench.errors import Unsupported
from accelbench.model import Tuning
from accelbench.worker.jobs import Job

pytestmark = pytest.mark.slow


def chosen(job: Job, tuning: Tuning) -> Job:
    return replace(job, target=replace(job.target, options={**job.target.options, **tuning.chosen}))


def test_iree_tries_flags_of_its_compiler(here: Lab, tmp_path: Path, backend: Callable[[str], BackendSpec]) -> None:
    spec = backend("iree")
    job = here.job(spec, "fp32", opt_level="O2")
    with Worker(spec, tmp_path / "logs") as worker:
        tuning, seconds = worker.tune(job, 40)
        assert list(Path(job.work).iterdir()) == []
        compiled, outputs, _ = here.outputs(worker, chosen(job, tuning))
    assert seconds < 45
    assert tuning.trials == len(tuning.compared) > 3
    assert sum(trial.seconds is not None for trial in tuning.compared) > 3
    assert "opt_level" not in {name for trial in tuning.compared for name in trial.settings}
    assert "--iree-opt-level=O2" in compiled.settings["compiler_flags"].split()
    assert relative_l2(outputs, expected(here.feeds)) < 1e-5


@pytest.mark.parametrize("name", ["iree", "tvm"])
def test_too_short_a_time_leaves_the_stack_as_it_is(
    name: str, here: Lab, tmp_path: Path, backend: Callable[[str], BackendSpec]
) -> None:
    spec = backend(name)
    job = here.job(spec, "fp32")
    with Worker(spec, tmp_path / "logs") as worker:
        tuning, _ = worker.tune(job, 0.01)
        assert list(Path(job.work).iterdir()) == []
    assert (dict(tuning.chosen), tuning.finished) == ({}, False)


def test_tvm_keeps_the_schedules_that_it_found(
    here: Lab, tmp_path: Path, backend: Callable[[str], BackendSpec]
) -> None:
    spec = backend("tvm")
    job = here.job(spec, "fp32", batch=4)
    with Worker(spec, tmp_path / "logs") as worker:
        tuning, seconds = worker.tune(job, 60)
        compiled, outputs, _ = here.outputs(worker, chosen(job, tuning))

    assert seconds < 90
    assert tuning.trials >= 8
    assert relative_l2(outputs, expected(here.feeds)) < 1e-5
    assert tuning.chosen == {"database": "."}
    assert compiled.settings["tuning"].startswith("MetaSchedule, ")
    again = here.job(spec, "fp32", batch=4, database=job.work)
    with Worker(spec, tmp_path / "logs-again") as worker:
        compiled_again, outputs, _ = here.outputs(worker, again)
    assert compiled_again.settings["tuning"] == compiled.settings["tuning"]
    assert compiled_again.files == compiled.files
    assert relative_l2(outputs, expected(here.feeds)) < 1e-5


def test_tvm_says_where_no_schedules_are(here: Lab, tmp_path: Path, backend: Callable[[str], BackendSpec]) -> None:
    spec = backend("tvm")
    with Worker(spec, tmp_path / "logs") as worker, pytest.raises(Unsupported, match=r"database_workload\.json"):
        worker.compile(here.job(spec, "fp32", database=str(tmp_path)))
