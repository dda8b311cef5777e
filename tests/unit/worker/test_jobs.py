import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from tests.unit.worker.fakes import samples, written

from accelbench.model import Compiled, Placement, Plan, Stop, Target, TensorSpec
from accelbench.worker import jobs

JOB = jobs.Job(
    model="/m.onnx",
    inputs=(TensorSpec("x", "float32", (2, 3)),),
    outputs=(TensorSpec("y", "float32", (2, "n")),),
    target=Target("b", "cpu", "fp32", {"threads": "2"}),
    batch=2,
    batched=True,
    purpose="latency",
    work="/w",
)
COMPILED = Compiled(
    files=("a", "b"), format="f", executed_precision="bf16", placements=(Placement("Conv", "cpu", "bf16", 2, ("n",)),)
)
PLAN = Plan("server", Stop(max_s=2.0, ci_target=0.1), batch=4, rate=10.0)


def wired(value: Any) -> Any:
    return json.loads(json.dumps(asdict(value)))


def test_nouns_come_back_as_they_went() -> None:
    assert jobs.job(wired(JOB)) == JOB
    assert jobs.compiled(wired(COMPILED)) == COMPILED
    assert jobs.plan(wired(PLAN)) == PLAN


def test_unknown_and_missing_fields_raise() -> None:
    with pytest.raises(TypeError, match="colour"):
        jobs.plan({**wired(PLAN), "colour": "red"})
    with pytest.raises(KeyError, match="stop"):
        jobs.plan({"scenario": "server"})


@pytest.mark.parametrize(
    ("count", "batched", "expected"),
    [(5, True, [[0, 1], [2, 3]]), (2, True, [[0, 1]]), (1, True, []), (3, False, [0, 1, 2])],
)
def test_calibration_feeds_are_whole_batches(tmp_path: Path, count: int, batched: bool, expected: list[Any]) -> None:
    written(tmp_path / "feeds", samples(6))
    fields = {**asdict(JOB), "batched": batched, "calibration": str(tmp_path / "feeds"), "calibration_count": count}
    feeds = jobs.compile_job(jobs.job(json.loads(json.dumps(fields)))).calibration
    firsts = [feed["x"][:, 0].tolist() if batched else feed["x"][0] for feed in feeds]
    assert firsts == expected


def test_without_calibration_there_are_no_feeds() -> None:
    made = jobs.compile_job(JOB)
    assert (made.calibration, made.model, made.work) == ([], Path("/m.onnx"), Path("/w"))
