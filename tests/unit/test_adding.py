"""Metric and tolerance of a new task, as far as labels and the reference tell them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from accelbench.adding import _metric, _tolerance
from accelbench.errors import UsageError
from accelbench.model import Metric, Tolerance
from accelbench.tensors import TensorSet, TensorWriter

LOGITS = np.eye(4, 5, dtype=np.float32)
CLASSES = np.arange(4)


def outputs(tmp_path: Path, **arrays: NDArray[Any]) -> TensorSet:
    with TensorWriter(tmp_path / "outputs") as writer:
        for row in zip(*arrays.values(), strict=True):
            writer.append(dict(zip(arrays, row, strict=True)))
    return TensorSet(tmp_path / "outputs")


def test_classes(tmp_path: Path) -> None:
    assert _metric("auto", outputs(tmp_path, y=LOGITS, z=LOGITS), CLASSES) == Metric("top1", ("y",))


def test_clicks(tmp_path: Path) -> None:
    scores = np.linspace(0, 1, 4, dtype=np.float32)[:, None]
    assert _metric("auto", outputs(tmp_path, y=scores), np.array([0, 1, 0, 1])) == Metric("auc", ("y",))


def test_spans(tmp_path: Path) -> None:
    found = _metric("auto", outputs(tmp_path, s=LOGITS, e=LOGITS), np.array([[0, 1]] * 4))
    assert found == Metric("span", ("s", "e"))


def test_no_labels_no_metric_but_one_can_be_asked_for(tmp_path: Path) -> None:
    found = outputs(tmp_path, y=LOGITS)
    assert _metric("auto", found, None) == Metric("none")
    assert _metric("top1", found, None) == Metric("top1", ("y",))
    assert _metric("none", found, CLASSES) == Metric("none")
    with pytest.raises(UsageError, match="span reads 2 outputs; the model has y"):
        _metric("span", found, None)


@pytest.mark.parametrize("labels", [np.array([0, 1, 2, 5]), np.array([0, -1, 2, 3]), np.linspace(0, 1, 4), LOGITS])
def test_labels_of_no_metric(tmp_path: Path, labels: NDArray[Any]) -> None:
    with pytest.raises(UsageError, match="are of no metric for outputs of"):
        _metric("auto", outputs(tmp_path, y=LOGITS), labels)


def test_tolerance_follows_the_reference(tmp_path: Path) -> None:
    found, metric = outputs(tmp_path, y=np.tile(LOGITS, (25, 1))), Metric("top1", ("y",))
    labels = np.tile(CLASSES, 25)
    assert _tolerance(Tolerance(), metric, found, labels) == Tolerance(0.02, None, 0.99, 0.9)
    labels[:20] = (labels[:20] + 1) % 4  # 0.8, of which two standard errors are 0.08
    assert _tolerance(Tolerance(), metric, found, labels).min_accuracy == 0.72
    assert _tolerance(Tolerance(), metric, found, None) == Tolerance(0.02, None, None, 0.9)
    assert _tolerance(Tolerance(), Metric("none"), found, None) == Tolerance(0.02)
    asked = Tolerance(max_relative_l2=0.1, min_accuracy=0.5, min_agreement=0.6)
    assert _tolerance(asked, metric, found, labels) == asked
