"""Each fault of the faulty backend, as the host sees it through a worker."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import numpy as np
import pytest
from tests.backend.models import Floats, Lab, expected, relative_l2
from tests.e2e.command import left_behind

from accelbench.envs.spec import BackendSpec
from accelbench.envs.worker import Worker
from accelbench.errors import Unsupported, WorkerError
from accelbench.model import Integrity, Measurement
from accelbench.worker.infer import InferFacts
from accelbench.worker.jobs import Job


class Bench:
    """The faulty backend with one behaviour, at work."""

    def __init__(self, worker: Worker, lab: Lab, job: Job) -> None:
        self.worker, self.lab, self.job = worker, lab, job

    def outputs(self) -> tuple[Floats, InferFacts]:
        self.compiled, outputs, facts = self.lab.outputs(self.worker, self.job)
        return outputs, facts

    def measured(self, max_s: float = 0.5) -> Measurement:
        return self.lab.measured(self.worker, self.job, self.compiled, max_s=max_s)

    def integrity(self) -> Integrity:
        found = self.measured().integrity
        assert found is not None
        return found


Start = Callable[..., AbstractContextManager[Bench]]


@pytest.fixture
def start(here: Lab, tmp_path: Path, backend: Callable[[str], BackendSpec]) -> Start:
    spec = backend("faulty")

    @contextmanager
    def started(behaviour: str, timeout_s: float = 30.0, memory_bytes: int | None = None) -> Iterator[Bench]:
        job = here.job(spec, "fp32", batch=2, behaviour=behaviour)
        with Worker(spec, tmp_path / "logs", timeout_s=timeout_s, memory_bytes=memory_bytes) as worker:
            yield Bench(worker, here, job)

    return started


def test_without_a_fault_all_is_well(start: Start) -> None:
    with start("none") as bench:
        outputs, facts = bench.outputs()
        integrity = bench.integrity()
    assert relative_l2(outputs, expected(bench.lab.feeds)) < 1e-6
    assert facts.unready == 0
    assert integrity.mismatched == 0
    assert integrity.worst_relative_l2 is not None
    assert integrity.worst_relative_l2 < 1e-6
    assert np.median(integrity.unseen_ns) < 10 * np.median(integrity.seen_ns)


@pytest.mark.parametrize(
    ("behaviour", "kind", "text"),
    [
        ("crash_compile", "crashed", r"the worker died in compile \(SIGSEGV\)"),
        ("crash_run", "crashed", r"the worker died in infer \(SIGABRT\); stderr ends: .*about to abort"),
        ("hang_compile", "hung", "compile did not end within 5 s"),
        ("hang_run", "hung", "infer did not end within 5 s"),
        ("raises", "raised", "infer: RuntimeError: the device is on fire"),
        ("exits", "raised", "infer: SystemExit: 3"),
        ("nonsense", "protocol", "compile of backend faulty gave a wrong Compiled: executed_precision"),
    ],
)
def test_what_ends_a_step_is_an_error_of_its_kind(start: Start, behaviour: str, kind: str, text: str) -> None:
    with start(behaviour, timeout_s=5.0) as bench, pytest.raises(WorkerError, match=text) as caught:
        bench.outputs()
    assert caught.value.kind == kind


def test_unsupported_names_what_stopped_it(start: Start) -> None:
    with start("unsupported") as bench, pytest.raises(Unsupported, match="operator Softmax of node sm"):
        bench.outputs()


def test_a_leak_is_ended_at_the_memory_limit(start: Start) -> None:
    with start("leaks", memory_bytes=600 << 20) as bench:
        bench.outputs()
        with pytest.raises(WorkerError, match=r"more than the limit of 0\.59 GiB") as caught:
            bench.measured(max_s=20.0)
    assert caught.value.kind == "memory"


def test_sometimes_raising_is_recorded_per_query(start: Start) -> None:
    with start("raises_sometimes") as bench:
        bench.outputs()
        measured = bench.measured(max_s=1.5)
    assert measured.errors == ("RuntimeError: the device hiccuped",)


def test_prints_do_not_disturb(start: Start, tmp_path: Path) -> None:
    with start("prints") as bench:
        outputs, _ = bench.outputs()
        assert bench.measured().queries > 0
    assert relative_l2(outputs, expected(bench.lab.feeds)) < 1e-6
    assert (tmp_path / "logs" / "stdout.txt").stat().st_size > 1 << 20


def test_nan_is_a_finding(start: Start) -> None:
    with start("nan") as bench:
        outputs, _ = bench.outputs()
        integrity = bench.integrity()
    assert np.isnan(outputs).all()
    assert (integrity.mismatched, integrity.worst_relative_l2) == (0, 0.0), "as in the accuracy pass, whose drift tells"


@pytest.mark.parametrize(
    ("behaviour", "shape", "dtype"), [("wrong_shape", (10, 10, 1), "float32"), ("wrong_dtype", (10, 10), "float64")]
)
def test_shapes_and_types_come_through_as_they_are(
    start: Start, behaviour: str, shape: tuple[int, ...], dtype: str
) -> None:
    with start(behaviour) as bench:
        outputs, _ = bench.outputs()
    assert (outputs.shape, str(outputs.dtype)) == (shape, dtype)


def test_slow_is_slow(start: Start) -> None:
    with start("slow") as bench:
        bench.outputs()
        measured = bench.measured(max_s=1.0)
    assert 0 < measured.queries <= 50


def test_a_claimed_precision_stands_beside_float32s_numbers(start: Start) -> None:
    with start("claims_bf16") as bench:
        outputs, _ = bench.outputs()
    assert bench.compiled.executed_precision == "bf16"
    assert relative_l2(outputs, expected(bench.lab.feeds)) < 1e-6


@pytest.mark.parametrize("behaviour", ["cached", "ignores_inputs"])
def test_outputs_that_do_not_depend_on_the_feed(start: Start, behaviour: str) -> None:
    with start(behaviour) as bench:
        outputs, _ = bench.outputs()
    assert all(np.array_equal(outputs[0], outputs[i]) for i in range(0, 10, 2))


def test_a_session_that_remembers_is_faster_on_what_it_has_seen(start: Start) -> None:
    with start("remembers") as bench:
        bench.outputs()
        integrity = bench.integrity()
    assert np.median(integrity.unseen_ns) > 10 * np.median(integrity.seen_ns)


def test_outputs_that_are_not_ready_are_counted(start: Start) -> None:
    with start("unready") as bench:
        outputs, facts = bench.outputs()
    # On a busy machine a filling thread may come before the first look or after the second.
    assert 1 <= facts.unready <= 4
    assert (outputs == 0).all(axis=1).any()


def test_what_it_starts_ends_with_it(start: Start, tmp_path: Path) -> None:
    with start("spawns") as bench:
        bench.outputs()
        assert left_behind(tmp_path).count("sleep 3600 ") >= 2
    assert left_behind(tmp_path) == []
