"""What is evaluated is complete: model, feeds, calibration, facts, hash."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper
from tests.unit.zoo.realism import is_realistic, model, save, value, weights

from accelbench.errors import UsageError
from accelbench.tensors import TensorSet
from accelbench.zoo import catalogue
from accelbench.zoo.subject import from_file, from_task


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ACCELBENCH_HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.fixture
def convolution(tmp_path: Path) -> Path:
    node = helper.make_node("Conv", ["x", "w"], ["y"], "n")
    made = model([node], [value("x", ["N", 3, "H", "W"])], [value("y", ["N", 4, "A", "B"])], [weights("w", 4, 3, 3, 3)])
    return save(made, tmp_path / "m.onnx")


def test_a_shipped_task() -> None:
    task = catalogue.find("digits-cnn")
    subject = from_task(task, None)
    assert subject.task == task
    assert subject.task_hash == catalogue.task_hash(task)
    assert subject.model(1).weights.kind == "shipped"
    assert subject.model(4).inputs[0].shape == (4, 1, 8, 8)
    assert subject.feeds.count == task.dataset.count
    assert subject.feeds.labels is not None
    assert subject.facts.parameters == subject.model(1).weights.parameters
    onnx.checker.check_model(str(subject.model(4).path))


def test_weights_by_kind_or_by_file() -> None:
    task = catalogue.find("digits-cnn")
    assert from_task(task, "shipped").model(1).weights.kind == "shipped"
    file = str(catalogue.folder(task) / "weights.safetensors")
    assert from_task(task, file).model(1).weights.kind == "local"
    with pytest.raises(UsageError, match="has no seeded weights: it has shipped"):
        from_task(task, "seeded")
    with pytest.raises(UsageError, match="has no hub weights"):
        from_task(task, "hub")
    with pytest.raises(UsageError, match="--weights nowhere: there is no such file"):
        from_task(task, "nowhere")


def test_a_users_file_is_counted_in_the_shape_that_it_runs_in(convolution: Path) -> None:
    subject = from_file(convolution, {"x": (1, 3, 16, 16)}, None, False)
    assert subject.facts.flops == 2 * 4 * 14 * 14 * 27
    assert subject.task.dataset.count == subject.feeds.count >= 8
    samples = [*TensorSet(subject.feeds.path), *TensorSet(subject.calibration.path)]
    assert is_realistic(samples), "calibration sees other samples"


def test_the_hash_tells_models_samples_and_weights_apart(convolution: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=np.ones((2, 1, 3, 16, 16), np.float32))
    shapes = {"x": (1, 3, 16, 16)}
    subjects = [
        from_file(convolution, shapes, None, False),
        from_file(convolution, shapes, None, True),
        from_file(convolution, shapes, tmp_path / "x.npz", False),
        from_file(convolution, {"x": (1, 3, 16, 17)}, None, False),
    ]
    assert len({subject.task_hash for subject in subjects}) == 4
    assert from_file(convolution, shapes, None, False).task_hash == subjects[0].task_hash
    assert subjects[2].feeds.count == 2
