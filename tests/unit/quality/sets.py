"""Tensor sets for the tests of this room."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from accelbench.tensors import Record, TensorSet, TensorWriter


def write(folder: Path, records: Iterable[Record]) -> TensorSet:
    """A set with these records in a new folder under ``folder``."""
    place = Path(tempfile.mkdtemp(dir=folder)) / "set"
    with TensorWriter(place) as writer:
        for record in records:
            writer.append(record)
    return TensorSet(place)


def rows(folder: Path, values: Iterable[Any], name: str = "y", dtype: Any = np.float32) -> TensorSet:
    """A set of one output; each of ``values`` is one record's tensor."""
    return write(folder, ({name: np.asarray(value, dtype=dtype)} for value in values))


def columns(folder: Path, tensors: Mapping[str, Iterable[Any]], dtype: Any = np.float32) -> TensorSet:
    """A set of several outputs, each given as its records' tensors."""
    names = list(tensors)
    return write(
        folder,
        (
            {name: np.asarray(value, dtype=dtype) for name, value in zip(names, group, strict=True)}
            for group in zip(*tensors.values(), strict=True)
        ),
    )
