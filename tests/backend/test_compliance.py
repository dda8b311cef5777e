"""Each pass once more, with a seed that nobody could know, on samples that nobody has seen."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.e2e.command import accelbench

from accelbench.envs.spec import BackendSpec
from accelbench.measure import arrivals
from accelbench.measure.columns import read
from accelbench.report.store import reports


@pytest.mark.slow
def test_every_pass_is_run_again(tmp_path: Path, backend: Callable[[str], BackendSpec]) -> None:
    backend("onnxruntime")
    load = ("--scenario", "single_stream,server", "--rate", "300", "--quick", "--max-time", "0.3")
    done = accelbench("run", "digits-cnn", "-b", "onnxruntime", *load, "--compliance", "-o", "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    ((report, folder),) = reports(tmp_path / "run")
    assert [each.of for each in report.compliance] == [0, 1]
    seeds = {each.seed for each in report.compliance}
    samples = {each.samples_sha256 for each in report.compliance}
    assert len(seeds - {0}) == len(samples - {None, report.task.feeds_sha256}) == 2
    for first, again in zip(report.measurements, report.compliance, strict=True):
        assert (again.measurement.plan.scenario, again.measurement.plan.seed) == (first.plan.scenario, again.seed)
        assert again.measurement.integrity is not None
        assert (again.measurement.integrity.mismatched, again.measurement.errors) == (0, ())
        assert again.measurement.integrity.checked > 0
    server = report.compliance[1].measurement
    due = arrivals.scheduled(server.plan)
    kept = np.sort(read(folder / server.columns).scheduled)
    assert server.schedule_sha256 == arrivals.sha256(due)
    assert np.array_equal(kept, due[: len(kept)])
    assert not np.array_equal(due[:10], arrivals.scheduled(report.measurements[1].plan)[:10])
