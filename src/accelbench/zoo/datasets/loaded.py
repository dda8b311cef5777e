"""What a loader of real data takes and gives: one module per data set, each with ``load(request) -> Loaded``.

The items of a set (a picture, a question) are read, prepared and answered one at a time, so that each step can be timed
as a stage of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from accelbench.errors import UsageError
from accelbench.model import Score, TensorSpec
from accelbench.tensors import Array, Record
from accelbench.zoo.samples.draws import Draws

Options = Mapping[str, int | float | str | bool]

CALIBRATION_COUNT = 64


@dataclass(frozen=True)
class Request:
    """What is asked of a loader: the folder (or the file) with the data, the task's inputs and options, the outputs
    that its metric reads, how many items at most (None: all), a tokeniser's file, how many ids the model knows (None:
    no matter), and whether the items are to calibrate on."""

    folder: Path
    inputs: tuple[TensorSpec, ...]
    options: Options = field(default_factory=dict)
    outputs: tuple[str, ...] = ()
    samples: int | None = None
    tokenizer: Path | None = None
    vocabulary: int | None = None
    calibrating: bool = False


class Judge(Protocol):
    """Turns the outputs of a set's items into answers, and answers into scores."""

    def answer(self, item: int, outputs: Sequence[Record], notes: Sequence[Record]) -> Any:
        """What the model says about item ``item`` of the set: ``outputs`` of its records in their order, and the
        ``notes`` that preparing made. This is the postprocessing, and is timed as that."""

    def table(self, answers: Sequence[Any]) -> dict[str, Array]:
        """The answers of all items in their order, with what the truth says of each, as arrays worth storing."""

    def score(self, table: Mapping[str, Array]) -> tuple[Score, ...]:
        """The scores, each a fraction of 1 with its standard error; the first is the task's accuracy."""


@dataclass(frozen=True, eq=False)
class Loaded:
    """A data set that is there: ``items`` of them are used, ``sha256`` is over what was read.

    ``read(i)`` reads and decodes item i from storage; ``prepare`` makes the records of one item: a record holds the
    task's inputs without batch axis, and whatever else it holds is a note for the judge, which the model does not see.
    All records have the same names. Both may raise UsageError that names the file. ``opening_ns``: what opening the set
    cost, where it is one file that is parsed whole. ``tokenizer_sha256`` is of the tokeniser's file.
    """

    name: str
    sha256: str
    items: int
    read: Callable[[int], Any]
    prepare: Callable[[Any], Sequence[Record]]
    judge: Judge
    opening_ns: int = 0
    tokenizer_sha256: str | None = None


def chosen(request: Request, count: int) -> list[int]:
    """Which of the ``count`` items of the set are used, in its order: all, or as many as are asked for, drawn
    the same way everywhere. To calibrate on, it is some that are not used otherwise, or any where all are. Raises
    UsageError for an empty set."""
    if not count:
        raise UsageError(f"--data {request.folder} holds no items of the data set: name its folder")
    used = count if request.samples is None else min(request.samples, count)
    if used == count and not request.calibrating:
        return list(range(count))
    order = Draws(0, f"items/{count}").permutation(count)
    if request.calibrating:
        rest = order[used:] if used < count else order
        return sorted(rest[:CALIBRATION_COUNT].tolist())
    return sorted(order[:used].tolist())


def option(request: Request, name: str, default: Any) -> Any:
    """The option ``name`` of the task's data, of the type of ``default``. Raises UsageError for another type."""
    value = request.options.get(name, default)
    if not isinstance(value, type(default)) and not (isinstance(default, float) and isinstance(value, int)):
        raise UsageError(f"[real] options.{name} is {value!r}; it must be like {default!r}: correct the task")
    return value


def digest(parts: Iterable[bytes]) -> str:
    """One sha256 over byte strings, each with its length."""
    total = hashlib.sha256()
    for part in parts:
        total.update(len(part).to_bytes(8, "little"))
        total.update(part)
    return total.hexdigest()
