from pathlib import Path

import numpy as np
import pytest
from tests.unit.envs.stub import measured, stub

from accelbench.envs import traces
from accelbench.errors import UsageError
from accelbench.measure import arrivals, columns
from accelbench.model import Plan, Stop
from accelbench.tensors import TensorWriter


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCELBENCH_HOME", str(tmp_path / "home"))


def test_a_trace_is_found_by_the_hash_of_its_times(tmp_path: Path) -> None:
    for name, text in (("a.txt", "0.5\n1\n"), ("b.txt", "0.50\n1.0\n")):
        (tmp_path / name).write_text(text)
    sha256 = traces.keep(tmp_path / "a.txt")
    assert traces.keep(tmp_path / "b.txt") == sha256
    assert traces.find(sha256).read_text() == "0.5\n1\n"


def test_what_is_no_trace_or_not_kept_is_told(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("soon\n")
    with pytest.raises(UsageError, match=r"words\.txt is no trace"):
        traces.keep(tmp_path / "words.txt")
    with pytest.raises(UsageError, match=r"missing\.txt"):
        traces.keep(tmp_path / "missing.txt")
    with pytest.raises(UsageError, match="no trace abcabcabcabc"):
        traces.find("abc" * 20)


def test_a_worker_follows_a_trace(tmp_path: Path) -> None:
    times = np.linspace(0.0, 0.3, 61)
    np.savetxt(tmp_path / "trace.txt", times)
    with TensorWriter(tmp_path / "feeds") as writer:
        writer.append({"x": np.ones(3, np.float32)})
    plan = Plan("server", Stop(max_s=5.0), trace=traces.keep(tmp_path / "trace.txt"))
    found = measured(stub(tmp_path / "stub"), plan, tmp_path)
    assert (found.queries, found.stop_reason, found.schedule_sha256) == (61, "queries", plan.trace)
    assert columns.read(tmp_path / "columns").scheduled.tolist() == arrivals.trace(tmp_path / "trace.txt").tolist()
