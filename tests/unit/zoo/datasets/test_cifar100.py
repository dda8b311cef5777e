"""CIFAR-100: pickles that are read without being run, and classes found by their prompts."""

from __future__ import annotations

import os
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.unit.zoo.datasets.made import request, vocabulary

from accelbench.errors import UsageError
from accelbench.model import TensorSpec
from accelbench.zoo.datasets.cifar100 import load, pictures, unpickled
from accelbench.zoo.datasets.loaded import Loaded

COUNT = 130
INPUTS = (TensorSpec("image", "float32", ("batch", 3, 8, 8)), TensorSpec("input_ids", "int64", ("batch", 20)))
OPTIONS = {"resize": 8, "crop": 8, "normalisation": "clip"}


def batch(count: int = COUNT) -> dict[bytes, Any]:
    rows = np.arange(count * 3072, dtype=np.int64).reshape(count, 3072) % 251
    return {b"data": rows.astype(np.uint8), b"fine_labels": [number % 100 for number in range(count)]}


def folder(where: Path, count: int = COUNT) -> Path:
    made = where / "cifar-100-python"
    made.mkdir(parents=True)
    (made / "test").write_bytes(pickle.dumps(batch(count), protocol=4))
    names = [f"class_{number}".encode() for number in range(100)]
    (made / "meta").write_bytes(pickle.dumps({b"fine_label_names": names}, protocol=4))
    return where


def loaded(where: Path, **asked: Any) -> Loaded:
    words = {"options": OPTIONS, "outputs": ("image_embedding", "text_embedding"), "tokenizer": vocabulary(where)}
    return load(request(where, INPUTS, **{**words, **asked}))


def test_pictures_are_rows_of_three_planes() -> None:
    photos, labels = pictures(pickle.dumps(batch(), protocol=4), Path("test"))
    assert photos.shape == (COUNT, 32, 32, 3)
    assert photos[1, 2, 3].tolist() == [(3072 + plane * 1024 + 2 * 32 + 3) % 251 for plane in range(3)]
    assert labels[:101].tolist() == [*range(100), 0]


def test_a_pickle_of_python_2_is_read() -> None:
    """What the published file holds: protocol 2, byte strings as str, the array's state as str."""
    opcodes = (
        b"\x80\x02}(U\x04datacnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        b"(K\x01K\x01K\x02\x86cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        b"\x89U\x02\x07\x09tbU\x0bfine_labels]K\x05au."
    )
    found = unpickled(opcodes, Path("test"))
    assert found[b"data"].tolist() == [[7, 9]]
    assert found[b"fine_labels"] == [5]


class Evil:
    def __reduce__(self) -> Any:
        return os.system, ("touch /tmp/never",)


def test_a_pickle_cannot_run_anything(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"asks for (posix|os|nt).system is not CIFAR-100, and is not read"):
        unpickled(pickle.dumps({b"data": Evil()}), tmp_path)
    with pytest.raises(UsageError, match="arrays of anything but bytes"):
        unpickled(pickle.dumps({b"data": np.arange(3.0)}, protocol=4), tmp_path)
    with pytest.raises(UsageError, match=r"asks for builtins.eval"):
        unpickled(b"cbuiltins\neval\n(X\x01\x00\x00\x001tR.", tmp_path)
    with pytest.raises(UsageError, match="holds no readable pickle"):
        unpickled(b"\x80\x04 nonsense", tmp_path)


def embeddings(labels: NDArray[np.int64]) -> list[dict[str, NDArray[np.float32]]]:
    """What a perfect model says: each class has an axis of its own; text i is that of class i modulo 100."""
    axes = np.eye(100, dtype=np.float32)
    return [
        {"image_embedding": 3 * axes[label], "text_embedding": 0.1 * axes[item % 100]}
        for item, label in enumerate(labels.tolist())
    ]


def test_a_picture_is_of_the_class_whose_text_is_nearest(tmp_path: Path) -> None:
    found = loaded(folder(tmp_path))
    records = [found.prepare(found.read(item))[0] for item in range(found.items)]
    assert records[0]["image"].shape == (3, 8, 8)
    assert records[0]["input_ids"].shape == (20,)
    assert np.array_equal(records[1]["input_ids"], records[101]["input_ids"])
    assert not np.array_equal(records[1]["input_ids"], records[2]["input_ids"])
    outputs = embeddings(np.array([item % 100 for item in range(COUNT)]))
    outputs[5]["image_embedding"] = outputs[6]["image_embedding"] + np.float32(0.5) * outputs[5]["image_embedding"]
    outputs[7]["image_embedding"] = np.full(100, np.nan, np.float32)
    table = found.judge.table([found.judge.answer(item, [each], []) for item, each in enumerate(outputs)])
    assert table["top5"][5][:2].tolist() == [6, 5]
    scores = found.judge.score(table)
    assert [(each.name, each.value) for each in scores] == [
        ("top1", (COUNT - 2) / COUNT),
        ("top5", (COUNT - 1) / COUNT),
    ]


def test_an_archive_is_read_in_place(tmp_path: Path) -> None:
    folder(tmp_path / "made")
    with tarfile.open(tmp_path / "cifar-100-python.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "made" / "cifar-100-python", "cifar-100-python")
    assert loaded(tmp_path).sha256 == loaded(tmp_path / "made").sha256
    (tmp_path / "cifar-100-python.tar.gz").write_bytes(b"no archive")
    with pytest.raises(UsageError, match=r"has neither cifar-100-python/test nor cifar-100-python.tar.gz"):
        loaded(tmp_path)


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    folder(tmp_path)
    with pytest.raises(UsageError, match="--samples 20: CIFAR-100 needs at least 100"):
        loaded(tmp_path, samples=20)
    assert loaded(tmp_path, samples=100, calibrating=True).items == 30
    with pytest.raises(UsageError, match="feeds one picture and one text"):
        load(request(tmp_path, INPUTS[:1], options=OPTIONS, outputs=("a", "b"), tokenizer=vocabulary(tmp_path)))
    with pytest.raises(UsageError, match="names two outputs, image and text embeddings"):
        loaded(tmp_path, outputs=())
    (tmp_path / "cifar-100-python" / "test").write_bytes(pickle.dumps({b"data": [1]}))
    with pytest.raises(UsageError, match="its test batch is not CIFAR-100's"):
        loaded(tmp_path)
    with pytest.raises(UsageError, match="takes 20"):
        loaded(folder(tmp_path / "again"), options={**OPTIONS, "prompt": "a {} " * 9})
