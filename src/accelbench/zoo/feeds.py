"""The samples of a task: drawn or loaded once, kept as a tensor set, the same on every machine."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from accelbench import paths
from accelbench.errors import UsageError
from accelbench.model import Dataset, Task
from accelbench.tensors import Array, Record, TensorSet, TensorWriter
from accelbench.zoo.clicks import clicks
from accelbench.zoo.draws import Draws
from accelbench.zoo.pictures import pictures
from accelbench.zoo.tokens import tokens
from accelbench.zoo.weights import checked

FORMAT = 1
"""Goes up when a generator's output changes, so that old samples are not taken for new ones."""

LABELS = "labels.npz"
OTHER_SEED = 1_000_003
"""Added to a data set's seed for the samples that a stack may calibrate on."""

CALIBRATION_COUNT = 64

Source = tuple[Iterator[Record], Array | None]


@dataclass(frozen=True, eq=False)
class Feeds:
    """``count`` samples in the tensor set ``path``, one record each, without batch axis where the task is batched.
    ``labels`` has one row per sample, or is None; ``sha256`` is over the samples alone."""

    path: Path
    labels: Array | None
    sha256: str
    count: int


def feeds(task: Task, folder: Path) -> Feeds:
    """The samples of ``task``, whose files lie in ``folder``. Raises UsageError when they are damaged."""
    return _kept(task, folder, task.dataset)


def calibration(task: Task, folder: Path) -> Feeds:
    """Other samples of the same distribution: another seed, or, for data from a file, its samples under noise."""
    own = task.dataset
    return _kept(task, folder, replace(own, seed=own.seed + OTHER_SEED, count=min(CALIBRATION_COUNT, own.count)))


def keep(key: object, make: Callable[[], Source]) -> Feeds:
    """What ``make`` gives, kept under the hash of ``key``; made only when it is not there."""
    name = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:24]
    folder = paths.home() / "feeds" / name
    if not folder.is_dir():
        records, labels = make()
        with paths.building(folder) as temporary:
            with TensorWriter(temporary / "samples") as writer:
                for record in records:
                    writer.append(record)
            if labels is not None:
                np.savez(temporary / LABELS, labels=labels)
            (temporary / "sha256").write_text(TensorSet(temporary / "samples").sha256())
    samples = TensorSet(folder / "samples")
    found = None
    if (folder / LABELS).is_file():
        with np.load(folder / LABELS) as stored:
            found = stored["labels"]
    return Feeds(folder / "samples", found, (folder / "sha256").read_text(), len(samples))


def _kept(task: Task, folder: Path, dataset: Dataset) -> Feeds:
    kinds = {"digits": _digits, "images": _images, "tokens": _tokens, "clicks": _clicks}
    if dataset.kind not in kinds:
        raise UsageError(
            f"task {task.id} has a data set of unknown kind {dataset.kind!r}: known are {', '.join(kinds)}"
        )
    if dataset.count < 1 or (dataset.file is not None and dataset.sha256 is None):
        raise UsageError(f"task {task.id}: its data set needs a count of at least 1, and the sha256 of its file")
    return keep([FORMAT, asdict(dataset)], lambda: kinds[dataset.kind](dataset, folder))


def _digits(dataset: Dataset, folder: Path) -> Source:
    """The held-out test split; for another seed, the same pictures under noise of a sixteenth of their range."""
    path = folder / str(dataset.file)
    try:
        with np.load(io.BytesIO(checked(path, dataset.sha256))) as stored:
            images, labels = stored["x"][: dataset.count], stored["y"][: dataset.count]
    except (KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise UsageError(f"{path} is no .npz file with the arrays x and y ({error})") from error
    if dataset.seed:
        noise = Draws(dataset.seed, "digits").normal(images.size).reshape(images.shape) / 16
        images = (images + noise * np.ptp(images)).astype(np.float32)
    return ({"image": image} for image in images), labels


def _images(dataset: Dataset, _folder: Path) -> Source:
    size = _option(dataset, "size")
    return ({"image": picture} for picture in pictures(dataset.count, size, dataset.seed)), None


def _tokens(dataset: Dataset, _folder: Path) -> Source:
    length, vocabulary = _option(dataset, "length"), _option(dataset, "vocabulary")
    return (tokens(index, length, vocabulary, dataset.seed) for index in range(dataset.count)), None


def _clicks(dataset: Dataset, _folder: Path) -> Source:
    dense, sparse = clicks(dataset.count, dataset.seed)
    return ({"dense": row, "sparse": ids} for row, ids in zip(dense, sparse, strict=True)), None


def _option(dataset: Dataset, name: str) -> int:
    value = dataset.options.get(name)
    if not isinstance(value, int):
        raise UsageError(f"a data set of kind {dataset.kind} needs dataset.options.{name}, a whole number")
    return value
