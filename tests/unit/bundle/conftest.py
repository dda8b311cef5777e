from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.unit.report.sample import measurement, report

from accelbench.backends.identity import adapter_sha256
from accelbench.measure.columns import Columns
from accelbench.report.store import RunDirectory
from accelbench.tensors import TensorSet, TensorWriter

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
def kept(tmp_path: Path) -> Path:
    """The outputs of an accuracy pass, where a run keeps them."""
    made = tmp_path / "made"
    with TensorWriter(made) as writer:
        writer.append({"logits": np.arange(10, dtype=np.float32)})
    final = tmp_path / "run" / "outputs" / TensorSet(made).sha256()[:12]
    final.parent.mkdir(parents=True)
    return made.rename(final)


@pytest.fixture
def stored(tmp_path: Path, kept: Path) -> Path:
    """The folder of a report with everything that a run leaves."""
    run = RunDirectory(tmp_path / "run")
    run.reports.mkdir()
    with run.staging() as staging:
        columns().write(staging / "columns" / "0")
        np.savez_compressed(staging / "predictions.npz", allow_pickle=False, decision=np.arange(32))
        texts = {
            "logs/stdout.txt": "compiled\n",
            "requirements.lock": "numpy==2.0\n",
            "adapter/adapter.py": "def devices(): ...\n",
            "adapter/backend.toml": 'name = "openvino"\n',
            "adapter/requirements.lock": "numpy==2.0\n",
        }
        for name, text in texts.items():
            (staging / name).parent.mkdir(exist_ok=True)
            (staging / name).write_text(text, encoding="utf-8")
        timed = replace(measurement("single_stream"), columns="columns/0", queries=ROWS)
        draft = report(bins=2)
        assert draft.environment
        assert draft.quality
        lock = hashlib.sha256(texts["requirements.lock"].encode()).hexdigest()
        environment = replace(draft.environment, adapter_sha256=adapter_sha256(staging / "adapter"), lock_sha256=lock)
        quality = replace(draft.quality, predictions="predictions.npz", outputs_sha256=TensorSet(kept).sha256())
        whole = replace(draft, measurements=(timed,), environment=environment, quality=quality)
        return run.put(whole, staging, {"user": "mei", "home": "/home/mei", "cwd": "/home/mei/lab"})
