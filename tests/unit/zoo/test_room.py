"""A task that this machine cannot hold is refused before anything is written."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.unit.zoo.test_materialise import make_task

from accelbench.errors import TooLarge
from accelbench.zoo import room
from accelbench.zoo.materialise import materialise

WEIGHTS = 64 + 8  # of make_task: a tensor of 24 bytes, and one of 8 on the next multiple of 64
SAMPLES = 2 * 12


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ACCELBENCH_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def free(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=count))


def test_more_weights_than_memory(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = make_task(tmp_path / "task")
    monkeypatch.setattr(room, "memory_bytes", lambda: int(WEIGHTS / 0.85))
    with pytest.raises(
        TooLarge, match=r"task gemm has 0.0 GB of weights and this machine 0.0 GB of memory: run it on one"
    ):
        materialise(task, tmp_path / "task", batch=1)
    assert not home.exists()
    monkeypatch.setattr(room, "memory_bytes", lambda: int(WEIGHTS / 0.85) + 1)
    assert materialise(task, tmp_path / "task", batch=1).path.exists()


def test_more_weights_and_samples_than_the_disk_has_free(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = make_task(tmp_path / "task")
    free(monkeypatch, WEIGHTS + SAMPLES - 1)
    with pytest.raises(TooLarge, match=f"task gemm needs 0.0 GB in {home}/models/.*, where 0.0 GB are free: make room"):
        materialise(task, tmp_path / "task", batch=1)
    assert not home.exists()
    free(monkeypatch, WEIGHTS + SAMPLES)
    made = materialise(task, tmp_path / "task", batch=1)
    free(monkeypatch, 0)
    assert materialise(task, tmp_path / "task", batch=1) == made, "what is there needs no room"


def test_a_containers_limit_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "LIMITS", (tmp_path / "none",))
    whole = room.memory_bytes()
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(room, "LIMITS", (limit,))
    limit.write_text("max\n")
    assert room.memory_bytes() == whole
    limit.write_text("1000000\n")
    assert room.memory_bytes() == 1_000_000
