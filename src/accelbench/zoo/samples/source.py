"""What every generator of samples gives, and how it reads its options."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from accelbench.errors import UsageError
from accelbench.model import Dataset
from accelbench.tensors import Array, Record

Source = tuple[Iterator[Record], "Array | None"]
"""The samples, one record each, and their labels where they have some."""


def number(dataset: Dataset, name: str) -> int:
    """The data set's option ``name``, a whole number. Raises UsageError where it has none."""
    value = dataset.options.get(name)
    if not isinstance(value, int):
        raise UsageError(f"a data set of kind {dataset.kind} needs dataset.options.{name}, a whole number")
    return value


def choice(dataset: Dataset, name: str, known: Collection[str], default: str) -> str:
    """The data set's option ``name``, one of ``known``; ``default`` if it has none. Raises UsageError for another."""
    value = str(dataset.options.get(name, default))
    if value not in known:
        raise UsageError(
            f"a data set of kind {dataset.kind} has dataset.options.{name} one of {', '.join(known)}, not {value!r}"
        )
    return value
