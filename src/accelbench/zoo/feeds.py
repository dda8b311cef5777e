"""The samples of a task: drawn or loaded once, kept as a tensor set, the same on every machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from accelbench import paths
from accelbench.errors import UsageError
from accelbench.model import Dataset, Task
from accelbench.tensors import Array, TensorSet, TensorWriter
from accelbench.zoo.samples import (
    arrays,
    captions,
    clicks,
    digits,
    latents,
    operands,
    pictures,
    prompts,
    speech,
    tokens,
)
from accelbench.zoo.samples.source import Source

FORMAT = 1
"""Goes up when a generator's output changes, so that old samples are not taken for new ones."""

LABELS = "labels.npz"
OTHER_SEED = 1_000_003
"""Added to a data set's seed for the samples that a stack may calibrate on."""

CALIBRATION_COUNT = 64

KINDS: Mapping[str, Callable[[Dataset, Path], Source]] = {
    arrays.KIND: arrays.source,
    "digits": digits.source,
    "images": pictures.source,
    "captions": captions.source,
    "captioned-images": captions.captioned_pictures,
    "tokens": tokens.source,
    "clicks": clicks.source,
    "operands": operands.source,
    "latents": latents.source,
    "denoising": latents.denoising,
    "speech": speech.source,
    "prompts": prompts.source,
    "decoding": prompts.decoding,
}
"""Every kind of data set that is drawn or shipped, and what yields its samples."""


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


def draw(task: Task, folder: Path, seed: int, into: Path) -> None:
    """Write samples of the same distribution that nobody has seen to the new folder ``into``, as many as calibration
    has; they are not kept. ``seed`` is above 0."""
    own = task.dataset
    records, _ = KINDS[own.kind](replace(own, seed=own.seed + seed, count=min(CALIBRATION_COUNT, own.count)), folder)
    with TensorWriter(into) as writer:
        for record in records:
            writer.append(record)


def labels(task: Task, folder: Path) -> Array | None:
    """The labels of the task's samples without the samples: one row each, None where they mean nothing. Raises
    UsageError when the file that they are read from is damaged."""
    return KINDS[task.dataset.kind](task.dataset, folder)[1]


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
    if dataset.kind not in KINDS:
        raise UsageError(
            f"task {task.id} has a data set of unknown kind {dataset.kind!r}: known are {', '.join(KINDS)}"
        )
    if dataset.count < 1 or (dataset.file is not None and dataset.sha256 is None):
        raise UsageError(f"task {task.id}: its data set needs a count of at least 1, and the sha256 of its file")
    return keep([FORMAT, asdict(dataset)], lambda: KINDS[dataset.kind](dataset, folder))
