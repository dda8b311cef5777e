"""The samples of every shipped task are realistic, kept once, and the same everywhere."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.unit.zoo.realism import is_prefix, is_realistic

from accelbench.errors import UsageError
from accelbench.model import Dataset, Task
from accelbench.tensors import TensorSet
from accelbench.zoo import catalogue
from accelbench.zoo.feeds import Feeds, calibration, feeds, keep
from accelbench.zoo.samples.clicks import CARDINALITIES

NAMES = ["bert-base", "resnet50", "widedeep", "digits-cnn", "digits-resnet"]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ACCELBENCH_HOME", str(tmp_path))
    return tmp_path


def small(name: str, count: int = 8) -> Task:
    """A shipped task with its first samples only."""
    task = catalogue.find(name)
    return replace(task, dataset=replace(task.dataset, count=count))


def of(task: Task) -> Feeds:
    return feeds(task, catalogue.folder(task))


@pytest.mark.parametrize("name", NAMES)
def test_samples_suit_the_task_and_are_realistic(name: str) -> None:
    task = small(name)
    records = list(TensorSet(of(task).path))
    assert len(records) == 8
    assert is_realistic(records)
    for record in records:
        found = [(key, array.dtype.name, array.shape) for key, array in record.items()]
        assert sorted(found) == sorted((spec.name, spec.dtype, spec.shape[1:]) for spec in task.inputs)


@pytest.mark.parametrize("name", NAMES)
def test_shipped_tasks_have_at_least_eight_samples(name: str) -> None:
    assert catalogue.find(name).dataset.count >= 8


def test_zeros_and_random_numbers_cast_to_integers_are_not_realistic() -> None:
    generator = np.random.default_rng(0)
    zeros = [{"x": np.zeros(9, np.float32)} for _ in range(8)]
    cast = [{"x": generator.random(9).astype(np.int64)} for _ in range(8)]
    alike = [{"x": np.arange(9)} for _ in range(8)]
    good = [{"x": generator.integers(0, 9, 9)} for _ in range(8)]
    assert [is_realistic(records) for records in (zeros, cast, alike, good)] == [False, False, False, True]


def test_one_bad_input_among_good_ones_is_seen() -> None:
    generator = np.random.default_rng(0)
    assert not is_realistic([{"x": generator.normal(size=9), "ids": np.zeros(9, int)} for _ in range(8)])


def test_token_masks_are_prefixes() -> None:
    records = TensorSet(of(small("bert-base")).path)
    assert all(is_prefix(record["attention_mask"]) for record in records)


def test_every_category_reaches_both_ends_of_its_table() -> None:
    ids = np.stack([record["sparse"] for record in TensorSet(of(catalogue.find("widedeep")).path)])
    assert (ids.min(axis=0) == 0).all()
    assert (ids.max(axis=0) == np.array(CARDINALITIES) - 1).all()
    assert (np.array([len(set(column)) for column in ids.T]) > np.minimum(np.array(CARDINALITIES), 100) * 0.8).all()


@pytest.mark.parametrize("name", NAMES)
def test_calibration_samples_are_others_of_the_same_kind(name: str) -> None:
    task = small(name)
    other = calibration(task, catalogue.folder(task))
    tested, calibrated = ([*TensorSet(f.path)] for f in (of(task), other))
    assert is_realistic([*tested, *calibrated])
    assert calibrated[0].keys() == tested[0].keys()
    assert all(c[key].dtype == t[key].dtype for c, t in zip(calibrated, tested, strict=True) for key in c)


def test_digits_have_labels_and_drawn_samples_none() -> None:
    digits = of(small("digits-cnn"))
    assert digits.labels is not None
    assert digits.labels.shape == (8,)
    assert of(small("widedeep")).labels is None


def test_the_second_time_nothing_is_made_and_all_is_equal() -> None:
    task = small("digits-cnn")
    first = of(task)
    stamp = first.path.stat().st_mtime_ns
    second = of(task)
    assert (second.path, second.sha256, second.count) == (first.path, first.sha256, 8)
    assert second.labels is not None
    assert (second.labels == first.labels).all()
    assert second.path.stat().st_mtime_ns == stamp


@pytest.mark.parametrize(
    ("name", "golden"),
    [
        ("bert-base", "cf60936da4499855a5fc4c7f6a43ae6340f4ee0a08a2c725012d30679d20cc8d"),
        ("resnet50", "56813accd1053b1864a7e9fabb130adff7922d121a097566f07abdfb4871ad5b"),
        ("widedeep", "d18911cdf3fc0ffd9c9152abc6c79d603e3f9108a520cdd256254fbe71f55ff7"),
        ("digits-cnn", "748849d10a4a8cc783beb4d9b9a10fec1056795e76cfcc9fd5634b40623edc85"),
    ],
)
def test_golden_samples(name: str, golden: str) -> None:
    assert of(small(name, 2)).sha256 == golden


def test_a_failure_leaves_nothing_behind(home: Path) -> None:
    def broken() -> tuple[object, None]:
        def records() -> object:
            yield {"x": np.zeros(3)}
            raise RuntimeError("half way")

        return records(), None

    with pytest.raises(RuntimeError, match="half way"):
        keep("key", broken)  # type: ignore[arg-type]
    assert list((home / "feeds").iterdir()) == []


@pytest.mark.parametrize(
    ("dataset", "complaint"),
    [
        (Dataset("sounds", 8), "unknown kind 'sounds': known are arrays, digits"),
        (Dataset("images", 8), "dataset.options.size"),
        (Dataset("images", 8, options={"size": "large"}), "dataset.options.size"),
        (Dataset("tokens", 8, options={"length": 9}), "dataset.options.vocabulary"),
        (Dataset("clicks", 0), "count of at least 1"),
        (Dataset("digits", 8, file="data.npz"), "sha256 of its file"),
    ],
)
def test_a_wrong_data_set_is_one_line(dataset: Dataset, complaint: str) -> None:
    task = replace(catalogue.find("digits-cnn"), dataset=dataset)
    with pytest.raises(UsageError, match=complaint):
        of(task)


def test_damaged_data_names_its_file(tmp_path: Path) -> None:
    task = catalogue.find("digits-cnn")
    folder = Path(shutil.copytree(catalogue.folder(task), tmp_path / "copy"))
    (folder / "data.npz").write_bytes(b"nonsense")
    with pytest.raises(UsageError, match=r"data\.npz is corrupted"):
        feeds(task, folder)
    sha256 = hashlib.sha256(b"nonsense").hexdigest()
    with pytest.raises(UsageError, match=r"data\.npz is no \.npz file"):
        feeds(replace(task, dataset=replace(task.dataset, sha256=sha256)), folder)
