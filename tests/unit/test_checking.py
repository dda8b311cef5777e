"""What a check says of samples and files; what it says of the reference's outputs is tested with the reference."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from accelbench.checking import _judged, check
from accelbench.zoo import catalogue


@pytest.mark.parametrize(
    ("values", "rows", "kind", "text"),
    [
        ([[0, 1]], None, "problem", ""),
        ([[3], [3]], None, "remark", "is 3 everywhere"),
        ([[0], [0]], 2, "remark", "is 0 everywhere"),
        ([[0], [0]], 30, "problem", "is 0 everywhere, although it indexes 30 rows"),
        ([[0, 9]], 9, "problem", "has values from 0 to 9, but indexes 9 rows"),
        ([[-10, 3]], 9, "problem", "has values from -10 to 3, but indexes 9 rows"),
        ([[-9, 8]], 9, "problem", ""),
        ([[0.0, 0.0]], None, "problem", ""),
        ([[0.0], [np.nan]], None, "problem", "has NaN or infinity"),
    ],
)
def test_inputs(values: list[list[float]], rows: int | None, kind: str, text: str) -> None:
    columns: list[NDArray[Any]] = [np.array(row) for row in values]
    assert _judged(columns, rows) == (kind, text)


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ACCELBENCH_HOME", str(tmp_path / "home"))
    return Path(shutil.copytree(catalogue.TASKS / "digits-cnn", tmp_path / "mine"))


def problem(folder: Path) -> tuple[str, str]:
    found = [finding for finding in check(folder, lambda _: None) if finding.kind == "problem"]
    assert len(found) == 1
    return found[0].check, found[0].text


def test_no_task(tmp_path: Path) -> None:
    check_, text = problem(tmp_path)
    assert check_ == "schema"
    assert "task.toml cannot be read" in text


@pytest.mark.parametrize("name", ["data.npz", "weights.safetensors", "graph.onnx.gz"])
def test_a_changed_file_is_a_problem(copied: Path, name: str) -> None:
    (copied / name).write_bytes((copied / name).read_bytes()[:-1] + b"!")
    check_, text = problem(copied)
    assert (check_, name in text) == ("files", True)


def test_a_file_elsewhere_is_a_problem(copied: Path) -> None:
    text = (copied / "task.toml").read_text()
    (copied / "task.toml").write_text(text.replace('file = "data.npz"', 'file = "../data.npz"'))
    assert problem(copied)[1].startswith("../data.npz is no file of the task's own folder")
