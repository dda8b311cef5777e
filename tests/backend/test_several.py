"""Several instances of a session and batches of the harness's, on a real stack with a trained network."""

from collections.abc import Callable
from pathlib import Path

import pytest

from accelbench.bench import Bench
from accelbench.envs.spec import BackendSpec
from accelbench.envs.worker import Worker
from accelbench.measure import columns
from accelbench.model import Measurement, Plan, Stop, Target
from accelbench.zoo import catalogue
from accelbench.zoo.subject import from_task


def measured(spec: BackendSpec, tmp_path: Path, *plans: Plan) -> list[Measurement]:
    subject = from_task(catalogue.find("digits-cnn"), None)
    target = Target(spec.name, "cpu", "fp32", spec.options({}))
    (tmp_path / "work").mkdir()
    with Worker(spec, tmp_path / "logs") as worker:
        bench = Bench(worker, subject, target, tmp_path / "work", lambda _: None)
        bench.check(plans[0])
        return [bench.measure(plan, tmp_path / str(number)) for number, plan in enumerate(plans)]


def right(found: Measurement) -> bool:
    seen = found.integrity
    return seen is not None and seen.checked > 0 and seen.mismatched == 0 and (seen.worst_relative_l2 or 0) < 1e-5


@pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
def test_instances_share_the_load_and_the_single_session_is_back_afterwards(
    tmp_path: Path, backend: Callable[[str], BackendSpec], name: str
) -> None:
    stop = Stop(max_s=0.5)
    several, alone = measured(
        backend(name), tmp_path, Plan("offline", stop, instances=2), Plan("offline", stop, concurrency=1)
    )
    assert several.concurrency % 2 == 0
    assert alone.concurrency == 1
    for number, found in enumerate((several, alone)):
        assert (found.errors, right(found), found.batch_sizes) == ((), True, None)
        assert columns.read(tmp_path / str(number)).ok.all()


def test_batches_are_made_of_the_queries_that_wait(tmp_path: Path, backend: Callable[[str], BackendSpec]) -> None:
    plan = Plan("server", Stop(max_s=1.0), rate=1000.0, max_batch=4, max_delay_s=5e-3)
    again = Plan("closed_loop", Stop(max_s=0.5), max_batch=4, instances=2)
    for found in measured(backend("onnxruntime"), tmp_path, plan, again):
        assert (found.errors, right(found)) == ((), True)
        assert found.batch_sizes is not None
        queries = sum(int(size) * count for size, count in found.batch_sizes.items())
        assert queries == found.queries
        assert set(found.batch_sizes) <= {"1", "2", "3", "4"}
        assert queries > 1.5 * sum(found.batch_sizes.values())
