from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.unit.quality.sets import columns, rows, write

from accelbench.errors import AccelbenchError
from accelbench.model import Dataset, Metric, Task, Tolerance
from accelbench.quality.assess import assess

LOGITS = np.array([[3, 1, 0], [0, 4, 1], [1, 0, 5], [0, 2, 1]])


def task(metric: Metric) -> Task:
    return Task(
        id="t",
        version=1,
        title="T",
        tier="smoke",
        domain="vision",
        graph="t.onnx",
        graph_sha256="",
        weights=(),
        batched=True,
        inputs=(),
        outputs=(),
        dataset=Dataset("digits", 4),
        metric=metric,
        tolerance=Tolerance(),
    )


TOP1 = task(Metric("top1", ("y",)))


def test_with_labels_both_accuracies_are_there(tmp_path: Path) -> None:
    outputs = LOGITS + np.array([[0, 0, 0], [9, 0, 0], [0, 0, 0], [0, 0, 0]])
    quality, stored = assess(TOP1, rows(tmp_path, outputs), rows(tmp_path, LOGITS), np.array([0, 1, 2, 2]), unready=2)
    assert quality.accuracy is not None
    assert quality.reference_accuracy is not None
    assert quality.agreement is not None
    assert (quality.accuracy.value, quality.reference_accuracy.value, quality.agreement.value) == (0.5, 0.75, 0.75)
    assert (quality.samples, quality.unready, quality.constant, quality.predictions) == (4, 2, False, None)
    assert stored["top1"].tolist() == [[0], [0], [2], [1]]
    assert stored["reference_top1"].tolist() == [[0], [1], [2], [1]]


def test_without_labels_agreement_remains(tmp_path: Path) -> None:
    quality, _ = assess(TOP1, rows(tmp_path, LOGITS), rows(tmp_path, LOGITS), None, 0)
    assert quality.accuracy is None
    assert quality.reference_accuracy is None
    assert quality.agreement is not None
    assert quality.agreement.value == 1.0


@pytest.mark.parametrize("name", ["y", "z"])
def test_what_cannot_be_compared_has_no_scores(tmp_path: Path, name: str) -> None:
    outputs = rows(tmp_path, LOGITS[:, :2], name=name)
    quality, stored = assess(TOP1, outputs, rows(tmp_path, LOGITS), np.array([0, 1, 2, 2]), 0)
    assert quality.drift[0].mismatch is not None
    assert (quality.accuracy, quality.agreement, quality.constant) == (None, None, False)
    assert quality.reference_accuracy is not None
    assert list(stored) == ["reference_top1"]


def test_another_output_s_mismatch_leaves_the_scores(tmp_path: Path) -> None:
    reference = columns(tmp_path, {"y": LOGITS, "aux": LOGITS})
    quality, _ = assess(TOP1, rows(tmp_path, LOGITS), reference, None, 0)
    assert quality.agreement is not None
    assert [sums.mismatch is None for sums in quality.drift] == [True, False]


@pytest.mark.parametrize(
    ("reference", "outputs", "constant"),
    [
        (LOGITS, np.repeat(LOGITS[:1], 4, axis=0), True),
        (LOGITS, np.full((4, 3), np.nan), True),
        (LOGITS, LOGITS, False),
        (np.ones((4, 3)), np.ones((4, 3)), False),
        ([[1, 1], [1, 1.001]], [[1, 1], [1, 1]], False),  # may vanish in rounding
    ],
)
def test_outputs_that_ignore_the_feed(tmp_path: Path, reference: Any, outputs: Any, constant: bool) -> None:
    quality, _ = assess(task(Metric("none")), rows(tmp_path, outputs), rows(tmp_path, reference), None, 0)
    assert quality.constant == constant
    assert quality.agreement is None


def test_one_output_that_varies_is_enough(tmp_path: Path) -> None:
    reference = columns(tmp_path, {"y": LOGITS, "z": LOGITS})
    outputs = columns(tmp_path, {"y": LOGITS, "z": np.zeros((4, 3))})
    assert not assess(TOP1, outputs, reference, None, 0)[0].constant


def test_an_empty_reference_is_an_error(tmp_path: Path) -> None:
    empty = write(tmp_path, [])
    with pytest.raises(AccelbenchError, match="holds no outputs"):
        assess(TOP1, empty, empty, None, 0)
