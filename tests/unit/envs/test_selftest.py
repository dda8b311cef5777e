"""The self-test seen from the host: a process of its own, and LoadGen's script under any interpreter."""

from pathlib import Path

import pytest

from accelbench.envs import overlay, selftest
from accelbench.envs.spec import find
from accelbench.errors import WorkerError

NAMES = {
    "single_stream.counted_ns",
    "single_stream.wall_ns",
    *(f"server_{rate}qps.{name}_ns" for rate in (1000, 200, 20) for name in ("p50", "p99")),
    "server_top_qps",
}
KNOWN = {f"known_{scenario}.{name}_ratio" for scenario in ("single_stream", "server") for name in ("p50", "p99")}


def test_the_harness_is_measured_in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ACCELBENCH_HOME", str(tmp_path))
    with selftest.harness(find("null")) as worker:
        found = worker.figures(0.05)
        with pytest.raises(WorkerError, match="the self-test's worker: KeyError: 'seconds'"):
            worker.ask({"verb": "selftest"})
    assert set(found) == NAMES | KNOWN
    assert 0 < found["single_stream.counted_ns"] < found["single_stream.wall_ns"]


def test_loadgen_is_measured_by_a_script_of_its_own(tmp_path: Path) -> None:
    source = selftest.LoadGenSource(_python(tmp_path, f"echo '{_answer()}'"), tmp_path / "overlay")
    found = source.figures(0.1)
    assert set(found) == NAMES
    assert found["single_stream.counted_ns"] == 2.0
    assert found["server_20qps.p99_ns"] == 99.0
    assert found["server_top_qps"] > 3e6
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked[0].endswith("loadgen_null.py single_stream 0.0 0.1 " + str(tmp_path / "overlay"))
    assert asked[3].endswith("loadgen_null.py server 20.0 0.4 " + str(tmp_path / "overlay"))


def test_a_loadgen_that_does_not_run_says_why(tmp_path: Path) -> None:
    source = selftest.LoadGenSource(_python(tmp_path, "echo first >&2; echo No module named x >&2; exit 1"))
    with pytest.raises(WorkerError, match=r"LoadGen under .*python: No module named x$"):
        source.figures(0.1)


def test_where_loadgen_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCELBENCH_HOME", str(tmp_path))
    null = find("null")
    assert selftest.loadgen_source(null, None) is None
    assert selftest.loadgen_source(null, Path("python-x")) == selftest.LoadGenSource(Path("python-x"))
    folder = overlay.location(overlay.LOADGEN, selftest.python_of(null))
    folder.mkdir(parents=True)
    assert selftest.loadgen_source(null, None) == selftest.LoadGenSource(selftest.python_of(null), folder)


def _answer() -> str:
    return '{"mean_ns": 2.0, "p50_ns": 50.0, "p99_ns": 99.0, "wall_ns": 3.0}'


def _python(folder: Path, does: str) -> Path:
    """A script in place of an interpreter, which notes what it is asked for."""
    script = folder / "python"
    script.write_text(f'#!/bin/sh\necho "$* $PYTHONPATH" >> {folder}/asked\n{does}\n', encoding="utf-8")
    script.chmod(0o755)
    return script
