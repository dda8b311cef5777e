from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.unit.report.sample import measurement, report

from accelbench.measure.columns import Columns
from accelbench.report.store import RunDirectory

ROWS = 500


def columns(rows: int = ROWS) -> Columns:
    begin = np.arange(rows, dtype=np.int64) * 40_000
    took = 30_000 + (np.arange(rows, dtype=np.int64) * 7919) % 900
    return Columns(
        scheduled=begin,
        issued=begin,
        done=begin + took,
        units=np.ones(rows, np.int32),
        ok=np.ones(rows, np.bool_),
        feed=np.arange(rows, dtype=np.int64) % 32,
        pauses=np.zeros((0, 2), np.int64),
    )


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """The folder of a report with everything that a run leaves."""
    run = RunDirectory.create(tmp_path / "run")
    with run.staging() as staging:
        columns().write(staging / "columns" / "0")
        np.savez_compressed(staging / "predictions.npz", allow_pickle=False, decision=np.arange(32))
        for name, text in {"logs/stdout.txt": "compiled\n", "requirements.lock": "numpy==2.0\n"}.items():
            (staging / name).parent.mkdir(exist_ok=True)
            (staging / name).write_text(text, encoding="utf-8")
        timed = replace(measurement("single_stream"), columns="columns/0", queries=ROWS)
        draft = replace(report(bins=2), measurements=(timed,))
        return run.put(draft, staging, {"user": "mei", "home": "/home/mei"})
