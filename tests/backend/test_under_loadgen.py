"""A session under the real LoadGen, in a process of its own, and what becomes of it when the session misbehaves."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.backend.conftest import quiet
from tests.backend.models import Lab

from accelbench.envs.loadgen import under_loadgen
from accelbench.envs.loadgen_log import DETAIL, SUMMARY
from accelbench.envs.overlay import LOADGEN, install
from accelbench.envs.spec import BackendSpec
from accelbench.envs.worker import Worker
from accelbench.model import LoadGen, Plan, Stop

SECONDS = 1.0
Find = Callable[[str], BackendSpec]


@pytest.fixture
def driven(here: Lab, tmp_path: Path, backend: Find) -> Callable[..., LoadGen]:
    """Compile for a backend, then one run of a plan under LoadGen."""

    def run(name: str, plan: Plan, timeout_s: float | None = None, behaviour: str | None = None) -> LoadGen:
        spec = backend(name)
        options = {"behaviour": behaviour} if behaviour else {}
        job = here.job(spec, "fp32", batch=plan.batch, purpose=None, **options)
        with Worker(spec, tmp_path / "logs") as worker:
            compiled = worker.compile(job).compiled
        return under_loadgen(
            spec,
            install(LOADGEN, spec, quiet),
            job,
            compiled,
            plan,
            feeds=here.feeds,
            scratch=tmp_path / "scratch",
            logs=tmp_path / "loadgen",
            timeout_s=timeout_s,
        )

    return run


@pytest.mark.parametrize(
    ("name", "plan"),
    [
        ("null", Plan("single_stream", Stop(max_s=SECONDS))),
        ("onnxruntime", Plan("single_stream", Stop(max_s=SECONDS))),
        ("onnxruntime", Plan("multi_stream", Stop(max_s=SECONDS), batch=4)),
        ("onnxruntime", Plan("server", Stop(max_s=SECONDS), rate=800.0)),
        ("openvino", Plan("offline", Stop(max_s=SECONDS))),
    ],
)
def test_each_scenario_ends_with_loadgens_figures(driven: Callable[..., LoadGen], name: str, plan: Plan) -> None:
    found = driven(name, plan)
    assert found.reasons == ()
    assert found.valid
    assert found.version == "6.0.17"
    assert found.settings["scenario"].lower() == plan.scenario.replace("_", "")
    assert found.figures["50.00 percentile latency (ns)"] > 0
    assert found.queries is not None
    assert found.queries > 200
    for text in (SUMMARY, DETAIL, "stderr.txt"):
        assert (Path(found.logs) / text).is_file()


def test_queries_that_raise_are_completed_and_make_the_run_invalid(driven: Callable[..., LoadGen]) -> None:
    found = driven("faulty", Plan("single_stream", Stop(max_s=SECONDS)), behaviour="raises_sometimes")
    assert found.valid, "LoadGen cannot know"
    assert found.figures["50.00 percentile latency (ns)"] > 0
    assert "queries failed, and LoadGen timed them as done" in found.reasons[0]
    assert found.reasons[1] == "RuntimeError: the device hiccuped"


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("crash_late", "crashed: the worker died in loadgen (SIGABRT)"),
        ("hang_late", "hung: loadgen did not end within"),
    ],
)
def test_a_session_that_takes_its_process_along(driven: Callable[..., LoadGen], behaviour: str, reason: str) -> None:
    found = driven("faulty", Plan("single_stream", Stop(max_s=4.0)), timeout_s=5.0, behaviour=behaviour)
    assert found.reasons[0].startswith(reason)
    assert (found.version, found.valid, found.queries) == ("6.0.17", None, None)
    assert found.settings["min_duration_ms"] == "4000"
    assert not found.figures
    assert (Path(found.logs) / "stderr.txt").is_file()


def test_a_session_that_raises_from_the_start_is_not_driven(driven: Callable[..., LoadGen]) -> None:
    found = driven("faulty", Plan("offline", Stop(max_s=SECONDS)), behaviour="raises")
    assert "LoadGen was not started" in found.reasons[0]
    assert "the device is on fire" in found.reasons[0]
