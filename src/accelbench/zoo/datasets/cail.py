"""CAIL2019-SCM (C. Xiao et al. 2019, arXiv:1911.08962): which of two legal cases, B or C, is more like case A.

The model scores the pairs (A, B) and (A, C); the higher score is its choice.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from accelbench.errors import AccelbenchError, UsageError
from accelbench.metrics.means import mean
from accelbench.model import Score
from accelbench.tensors import Array, Record
from accelbench.zoo.datasets.loaded import Loaded, Request, chosen, digest
from accelbench.zoo.datasets.tokenizing import Frame, Ids, Tokenizer, laid_out

CHOICES = "BC"


@dataclass(frozen=True)
class Triple:
    """Three cases and which of B and C is more like A."""

    a: str
    b: str
    c: str
    label: str


def load(request: Request) -> Loaded:
    """The lines of ``test.json``, or of the only ``*.json`` of a folder, or of a file: objects with ``A``, ``B``, ``C``
    and ``label``. Option ``lowercase`` (true) is for a vocabulary that does not say it. A pair that is too long loses
    tokens at the end of its longer text. Raises UsageError for lines of another form, and without a tokeniser."""
    path = _file(request.folder)
    began = time.perf_counter_ns()
    every = triples(path)
    opening = (time.perf_counter_ns() - began) // max(1, len(every))
    used = [every[item] for item in chosen(request, len(every))]
    tokenizer = Tokenizer(request)
    frame, length = tokenizer.frame(), _length(request)
    inputs = {spec.name for spec in request.inputs}

    def prepare(triple: Triple) -> list[Record]:
        a, b, c = (tokenizer.words(text).ids for text in (triple.a, triple.b, triple.c))
        return [_pair(frame, a, other, length, inputs) for other in (b, c)]

    return Loaded(
        name=f"CAIL2019-SCM, {path.name}",
        sha256=digest(json.dumps([t.a, t.b, t.c, t.label]).encode() for t in used),
        items=len(used),
        read=used.__getitem__,
        prepare=prepare,
        judge=PairJudge([triple.label for triple in used], request.outputs),
        opening_ns=opening,
        tokenizer_sha256=tokenizer.sha256,
    )


class PairJudge:
    """Chooses B or C by the scores of the two pairs."""

    def __init__(self, labels: Sequence[str], outputs: tuple[str, ...]) -> None:
        self.labels, self.outputs = np.array([CHOICES.index(label) for label in labels], np.int64), outputs

    def answer(self, item: int, outputs: Sequence[Record], notes: Sequence[Record]) -> tuple[float, float]:  # noqa: ARG002
        """The likeness of both pairs: the only value of the output, or by how much the second of two classes is ahead
        of the first."""
        first, second = (self._likeness(record) for record in outputs)
        return first, second

    def table(self, answers: Sequence[Any]) -> dict[str, Array]:
        """``label`` and ``choice`` (0 for B, 1 for C, -1 where a score is NaN), and the two ``scores`` [items, 2]."""
        scores = np.array(answers, np.float64).reshape(-1, 2)
        choice = np.where(np.isnan(scores).any(axis=1), -1, scores.argmax(axis=1))
        return {"label": self.labels, "choice": choice, "scores": scores}

    def score(self, table: Mapping[str, Array]) -> tuple[Score, ...]:
        """The share of right choices."""
        return (mean("choice", table["choice"] == table["label"]),)

    def _likeness(self, record: Record) -> float:
        values = np.asarray(record[self.outputs[0] if self.outputs else next(iter(record))], np.float64).reshape(-1)
        if len(values) not in (1, 2):
            raise AccelbenchError(f"CAIL2019-SCM needs one score or two classes for a pair, got {len(values)} values")
        return float(values[0] if len(values) == 1 else values[1] - values[0])


def triples(path: Path) -> list[Triple]:
    """All triples of a file, in its order. Raises UsageError that names the line."""
    found = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read ({error})") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
            triple = Triple(*(str(fields[name]) for name in ("A", "B", "C", "label")))
            if triple.label not in tuple(CHOICES):
                raise ValueError(f"label {triple.label:.20}")
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{path}, line {number}: not an object with A, B, C and label B or C ({error})") from error
        found.append(triple)
    return found


def shortened(first: int, second: int, room: int) -> tuple[int, int]:
    """How many tokens of each of two texts are kept so that both fit into ``room``: the longer one is cut, one token
    after another."""
    half = room // 2
    if first + second <= room:
        return first, second
    if first <= half:
        return first, room - first
    if second <= room - half:
        return room - second, second
    return room - half, half


def _pair(frame: Frame, first: Ids, second: Ids, length: int, inputs: set[str]) -> Record:
    kept = shortened(len(first), len(second), length - frame.size)
    made = laid_out(frame, first[: kept[0]], second[: kept[1]], length)
    return {name: value for name, value in made.items() if name in inputs}


def _length(request: Request) -> int:
    length = next((spec.shape[-1] for spec in request.inputs if spec.name == "input_ids"), None)
    if not isinstance(length, int):
        raise UsageError("CAIL2019-SCM needs an input input_ids of a fixed length: correct the task")
    return length


def _file(data: Path) -> Path:
    if data.is_file():
        return data
    found = [data / "test.json"] if (data / "test.json").is_file() else sorted(data.glob("*.json"))
    if len(found) != 1:
        raise UsageError(f"--data {data} has {len(found)} files *.json and no test.json: name the file")
    return found[0]
