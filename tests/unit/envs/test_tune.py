"""Tuning through a real worker: what is passed on, what is refused, and that its time limit holds."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.envs.stub import ADAPTER, job, stub

from accelbench.envs.worker import Worker
from accelbench.errors import WorkerError
from accelbench.model import Target, Trial

ABLE = """
[abilities]
tune = true
[options.threads]
type = "int"
text = "threads"
min = 1
[timeouts]
tune_s = 1
"""
TUNER = """
from accelbench.model import Trial, Tuning

def tune(job, limit_s):
    STATEMENT
    (job.work / "records").write_text(str(limit_s))
    return Tuning("a guess", 2, (Trial({}, 2.0), Trial({"threads": "03"}, 1.5)), chosen=CHOSEN)
"""


def tuner(statement: str = "pass", chosen: str = '{"threads": "03"}') -> str:
    return ADAPTER + TUNER.replace("STATEMENT", statement).replace("CHOSEN", chosen)


def test_what_the_tuner_did_is_passed_on(tmp_path: Path) -> None:
    with Worker(stub(tmp_path / "stub", tuner(), ABLE), tmp_path / "logs") as worker:
        tuning, seconds = worker.tune(job(tmp_path / "work"), 7.0)
    assert (tuning.means, tuning.trials, tuning.compared[1]) == ("a guess", 2, Trial({"threads": "03"}, 1.5))
    assert tuning.chosen == {"threads": "3"}
    assert 0 < seconds < 1
    assert (tmp_path / "work" / "records").read_text() == "7.0"


@pytest.mark.parametrize(
    ("chosen", "given", "text"),
    [
        ('{"cores": "3"}', {}, "no option 'cores'"),
        ('{"threads": "0"}', {}, "it takes"),
        ('{"threads": "2"}', {"threads": "1"}, "stays 1"),
    ],
)
def test_only_options_that_are_free_may_be_chosen(
    tmp_path: Path, chosen: str, given: dict[str, str], text: str
) -> None:
    asked = replace(job(tmp_path / "work"), target=Target("stub", "cpu", "fp32", given))
    with (
        Worker(stub(tmp_path / "stub", tuner(chosen=chosen), ABLE), tmp_path / "logs") as worker,
        pytest.raises(WorkerError, match=text) as caught,
    ):
        worker.tune(asked, 7.0)
    assert caught.value.kind == "protocol"


def test_a_tuner_that_does_not_end_is_ended(tmp_path: Path) -> None:
    began = time.monotonic()
    with (
        Worker(stub(tmp_path / "stub", tuner("import time; time.sleep(3600)"), ABLE), tmp_path / "logs") as worker,
        pytest.raises(WorkerError, match=r"tune did not end within 1\.5 s") as caught,
    ):
        worker.tune(job(tmp_path / "work"), 0.5)
    assert caught.value.kind == "hung"
    assert time.monotonic() - began < 20


def test_the_ability_needs_its_function(tmp_path: Path) -> None:
    with (
        Worker(stub(tmp_path / "stub", ADAPTER, ABLE), tmp_path / "logs") as worker,
        pytest.raises(WorkerError, match="no function tune"),
    ):
        worker.tune(job(tmp_path / "work"), 1.0)
