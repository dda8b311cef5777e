"""Samples from a task's own file."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from accelbench.errors import UsageError
from accelbench.model import Dataset
from accelbench.zoo.samples import arrays


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    rng = np.random.default_rng(0)
    np.savez(
        tmp_path / "data.npz",
        x=rng.standard_normal((6, 2, 3)).astype(np.float32),
        ids=np.arange(6, dtype=np.int64)[:, None],
        labels=np.arange(6) % 2,
    )
    digest = hashlib.sha256((tmp_path / "data.npz").read_bytes()).hexdigest()
    return Dataset("arrays", 4, file="data.npz", sha256=digest, options={"labels": "labels"})


def test_rows_are_samples_and_labels_are_apart(dataset: Dataset, tmp_path: Path) -> None:
    records, labels = arrays.source(dataset, tmp_path)
    rows = list(records)
    assert [int(row["ids"][0]) for row in rows] == [0, 1, 2, 3]
    assert {name: row.shape for name, row in rows[0].items()} == {"x": (2, 3), "ids": (1,)}
    assert labels is not None
    assert labels.tolist() == [0, 1, 0, 1]


def test_without_the_option_labels_are_an_input(dataset: Dataset, tmp_path: Path) -> None:
    records, labels = arrays.source(replace(dataset, options={}), tmp_path)
    assert labels is None
    assert set(next(records)) == {"x", "ids", "labels"}


def test_to_calibrate_on_floats_have_noise_and_whole_numbers_stay(dataset: Dataset, tmp_path: Path) -> None:
    own, other = (list(arrays.source(replace(dataset, seed=seed), tmp_path)[0]) for seed in (0, 7))
    for a, b in zip(own, other, strict=True):
        assert (a["ids"] == b["ids"]).all()
        assert b["x"].dtype == np.float32
        assert 0 < np.abs(a["x"] - b["x"]).max() < 4


def test_a_changed_file_and_too_few_rows_are_told(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"data\.npz has not 7 samples of x"):
        arrays.source(replace(dataset, count=7), tmp_path)
    with pytest.raises(UsageError, match="corrupted"):
        arrays.source(replace(dataset, sha256="0" * 64), tmp_path)
    (tmp_path / "data.npz").write_bytes(b"nonsense")
    with pytest.raises(UsageError, match="no readable"):
        arrays.source(replace(dataset, sha256=None), tmp_path)
