"""Samples that somebody gave: the arrays in a task's own file."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from accelbench.errors import UsageError
from accelbench.model import Dataset
from accelbench.tensors import Array, Record
from accelbench.zoo.samples.draws import Draws
from accelbench.zoo.samples.source import Source
from accelbench.zoo.weights import checked

KIND = "arrays"
LABELS = "labels"


def source(dataset: Dataset, folder: Path) -> Source:
    """The first ``count`` rows of every array in the task's ``.npz``, one sample each; option ``labels`` names the
    array that holds labels and no input. For another seed, the same with floating-point values under noise of a
    sixteenth of their range."""
    path = folder / str(dataset.file)
    try:
        with np.load(io.BytesIO(checked(path, dataset.sha256)), allow_pickle=False) as stored:
            arrays = {name: np.asarray(stored[name])[: dataset.count] for name in stored.files}
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise UsageError(f"{path} is no readable .npz file ({error})") from error
    labels = arrays.pop(str(dataset.options.get(LABELS)), None)
    short = [name for name, array in arrays.items() if len(array) < dataset.count]
    if not arrays or short:
        raise UsageError(f"{path} has not {dataset.count} samples of {short[0] if short else 'any input'}")
    if dataset.seed:
        arrays = {name: _disturbed(name, array, dataset.seed) for name, array in arrays.items()}
    return _records(arrays, dataset.count), labels


def _records(arrays: dict[str, Array], count: int) -> Iterator[Record]:
    return ({name: array[index] for name, array in arrays.items()} for index in range(count))


def _disturbed(name: str, array: Array, seed: int) -> Array:
    if array.dtype.kind != "f":
        return array
    noise = Draws(seed, name).normal(array.size).reshape(array.shape) / 16
    disturbed: Array = (array + noise * np.ptp(array)).astype(array.dtype)
    return disturbed
