"""Criteo's clicks: a line per impression with the click, 13 counts and 26 categories, separated by tabs.

The form is that of the Kaggle challenge's ``train.txt`` and of the terabyte set's ``day_N`` files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelbench.errors import AccelbenchError, UsageError
from accelbench.metrics.concordance import roc_auc, roc_auc_error
from accelbench.model import Score
from accelbench.tensors import Array, Record
from accelbench.zoo.datasets.loaded import Loaded, Request, chosen, digest, option
from accelbench.zoo.samples.clicks import CARDINALITIES, DENSE

FIELDS = len(CARDINALITIES)
KAGGLE = "train.txt"
DAYS = 7
"""Days that the Kaggle set spans in the order of time: the last seventh is what is left to test on, as in DLRM (Naumov
et al. 2019)."""

RANKS = "categories.tsv"
BLOCK = 1 << 24


@dataclass(frozen=True)
class Click:
    """One line: counts are None where they are missing, categories empty."""

    label: int
    counts: tuple[int | None, ...]
    categories: tuple[str, ...]


def load(request: Request) -> Loaded:
    """The lines of a file, or of the only ``train.txt``, ``day_*`` or ``*.tsv`` of a folder; of a ``train.txt`` those
    of its last seventh. Options: ``ids`` is ``hashed`` (the hexadecimal value modulo the field's cardinality) or
    ``ranked`` (the place in ``categories.tsv`` beside the data: lines of a field's number, 1 to 26, and a value, in the
    order of the training set's ids; values beyond the cardinality and unknown ones share the field's last id).

    Raises UsageError for lines of another form.
    """
    path = _file(request.folder)
    lines = _Lines(path)
    first = len(lines) - len(lines) // DAYS if path.name == KAGGLE and len(lines) >= DAYS else 0
    used = [first + item for item in chosen(request, len(lines) - first)]
    ids = option(request, "ids", "hashed")
    if ids not in ("hashed", "ranked"):
        raise UsageError(f"[real] options.ids is hashed or ranked, not {ids!r}: correct the task")
    ranks = _ranks(path.parent / RANKS) if ids == "ranked" else None
    dense, sparse = _inputs(request)
    raw = [lines[item] for item in used]

    def prepare(click: Click) -> list[Record]:
        return [{dense: counts(click), sparse: categories(click, ranks)}]

    return Loaded(
        name=f"Criteo, {path.name}",
        sha256=digest([*raw, ids.encode(), repr(ranks).encode()]),
        items=len(used),
        read=lambda item: parsed(raw[item], path, used[item] + 1),
        prepare=prepare,
        judge=ClickJudge([parsed(line, path, item + 1).label for line, item in zip(raw, used, strict=True)],
                         request.outputs),
    )  # fmt: skip


class ClickJudge:
    """Scores probabilities of a click by the area under the ROC curve."""

    def __init__(self, labels: Sequence[int], outputs: tuple[str, ...]) -> None:
        self.labels, self.outputs = np.array(labels, np.int64), outputs

    def answer(self, item: int, outputs: Sequence[Record], notes: Sequence[Record]) -> float:  # noqa: ARG002
        """The score of a click: the only value of the output, or the second of two classes."""
        (record,) = outputs
        values = np.asarray(record[self.outputs[0] if self.outputs else next(iter(record))], np.float64).reshape(-1)
        if len(values) not in (1, 2):
            raise AccelbenchError(f"Criteo needs one score or two class probabilities, got {len(values)} values")
        return float(values[-1])

    def table(self, answers: Sequence[Any]) -> dict[str, Array]:
        """``label`` and ``score``, [items] each."""
        return {"label": self.labels, "score": np.array(answers, np.float64)}

    def score(self, table: Mapping[str, Array]) -> tuple[Score, ...]:
        """The AUC with Hanley and McNeil's standard error; nothing where all labels are the same."""
        label = table["label"]
        value = roc_auc(table["score"], label)
        if value is None:
            return ()
        positives = int((label == 1).sum())
        return (Score("auc", value, roc_auc_error(value, positives, len(label) - positives), len(label)),)


def parsed(line: bytes, path: Path, number: int) -> Click:
    """The click in a line. Raises UsageError that names file and line."""
    fields = line.rstrip(b"\r\n").split(b"\t")
    try:
        if len(fields) != 1 + DENSE + FIELDS or fields[0] not in (b"0", b"1"):
            raise ValueError(f"{len(fields)} fields, a label {fields[0][:8]!r}")
        return Click(
            label=int(fields[0]),
            counts=tuple(int(field) if field else None for field in fields[1 : 1 + DENSE]),
            categories=tuple(field.decode("ascii") for field in fields[1 + DENSE :]),
        )
    except ValueError as error:
        raise UsageError(
            f"{path}, line {number}: not a label, {DENSE} counts and {FIELDS} categories with tabs between ({error})"
        ) from error


def counts(click: Click) -> NDArray[np.float32]:
    """ln(1 + x) of the counts, float32 [13]: missing and negative ones count as 0, as in DLRM."""
    return np.log1p(np.array([max(count or 0, 0) for count in click.counts], np.float64)).astype(np.float32)


def categories(click: Click, ranks: Sequence[Mapping[str, int]] | None) -> NDArray[np.int64]:
    """The ids int64 [26] of the categories, below the fields' cardinalities; a missing one is id 0 when hashed."""
    found = np.empty(FIELDS, np.int64)
    for field, (value, cardinality) in enumerate(zip(click.categories, CARDINALITIES, strict=True)):
        if ranks is None:
            found[field] = int(value, 16) % cardinality if value else 0
        else:
            found[field] = min(ranks[field].get(value, cardinality - 1), cardinality - 1)
    return found


class _Lines(Sequence[bytes]):
    """The lines of a file of any size, by number from 0."""

    def __init__(self, path: Path) -> None:
        try:
            self._bytes = np.memmap(path, np.uint8, "r") if path.stat().st_size else np.empty(0, np.uint8)
        except OSError as error:
            raise UsageError(f"{path} cannot be read ({error.strerror})") from error
        ends = [
            start + 1 + np.flatnonzero(self._bytes[start : start + BLOCK] == ord("\n"))
            for start in range(0, len(self._bytes), BLOCK)
        ]
        self._ends = np.concatenate(ends) if ends else np.empty(0, np.int64)
        if len(self._bytes) and (not len(self._ends) or self._ends[-1] != len(self._bytes)):
            self._ends = np.append(self._ends, len(self._bytes))

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, number: Any) -> Any:
        start = int(self._ends[number - 1]) if number else 0
        return self._bytes[start : int(self._ends[number])].tobytes()


def _ranks(path: Path) -> list[dict[str, int]]:
    found: list[dict[str, int]] = [{} for _ in range(FIELDS)]
    try:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            field, tab, value = line.partition("\t")
            if not tab or not field.isdecimal() or not 1 <= int(field) <= FIELDS:
                raise UsageError(f"{path}, line {number}: not a field's number, 1 to {FIELDS}, a tab and a value")
            known = found[int(field) - 1]
            known.setdefault(value, len(known))
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}): ranked ids need it") from error
    return found


def _inputs(request: Request) -> tuple[str, str]:
    dense = [spec.name for spec in request.inputs if spec.dtype == "float32"]
    sparse = [spec.name for spec in request.inputs if spec.dtype == "int64"]
    if len(dense) != 1 or len(sparse) != 1:
        raise UsageError("Criteo feeds one float32 and one int64 input: correct the task")
    return dense[0], sparse[0]


def _file(data: Path) -> Path:
    if data.is_file():
        return data
    names = {path for pattern in (KAGGLE, "day_*", "*.tsv") for path in data.glob(pattern)} - {data / RANKS}
    if len(names) != 1:
        raise UsageError(f"--data {data} has {len(names)} of {KAGGLE}, day_* and *.tsv: name the file")
    return names.pop()
