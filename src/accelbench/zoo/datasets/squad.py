"""SQuAD 1.1: windows over long contexts going in, answers as text coming out, scored by the official rule.

Windows and answers are made as in BERT's ``run_squad.py`` (J. Devlin et al. 2018, arXiv:1810.04805): questions of at
most 64 tokens, windows that begin 128 tokens apart, the best of 20 starts and 20 ends in each, no answer of more than
30 tokens, and a token counts in the window alone where it has most context. The answer is cut out of the original text.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelbench.errors import AccelbenchError, UsageError
from accelbench.metrics import squad as rule
from accelbench.model import Score
from accelbench.tensors import Array, Record
from accelbench.zoo.datasets.loaded import Loaded, Request, chosen, digest
from accelbench.zoo.datasets.tokenizing import Frame, Ids, Tokenizer, Words, laid_out

QUERY_TOKENS = 64
STRIDE = 128
NBEST = 20
ANSWER_TOKENS = 30

OFFSETS, CENTRAL = "offsets", "central"


@dataclass(frozen=True)
class Question:
    """One question about ``context``, with the answers that people gave."""

    id: str
    text: str
    context: str
    answers: tuple[str, ...]


def load(request: Request) -> Loaded:
    """The questions of ``dev-v1.1.json`` in a folder, or of a file of that form. Options: ``lowercase`` (true) for a
    vocabulary that does not say it. Raises UsageError for a file of another form, and without a tokeniser."""
    path = _file(request.folder)
    began = time.perf_counter_ns()
    every = questions(path)
    opening = (time.perf_counter_ns() - began) // max(1, len(every))
    used = [every[item] for item in chosen(request, len(every))]
    tokenizer = Tokenizer(request)
    windows = _Windows(tokenizer, tokenizer.frame(), {spec.name for spec in request.inputs}, _length(request))
    return Loaded(
        name=f"SQuAD 1.1, {path.name}",
        sha256=digest(json.dumps([q.id, q.text, q.context, q.answers]).encode() for q in used),
        items=len(used),
        read=used.__getitem__,
        prepare=windows.of,
        judge=SquadJudge(used, request.outputs),
        opening_ns=opening,
        tokenizer_sha256=tokenizer.sha256,
    )


def questions(path: Path) -> list[Question]:
    """All questions of a file, in its order. Raises UsageError where it is not SQuAD 1.1."""
    try:
        articles = json.loads(path.read_text(encoding="utf-8"))["data"]
        found = [
            Question(str(q["id"]), str(q["question"]), str(p["context"]), tuple(str(a["text"]) for a in q["answers"]))
            for article in articles
            for p in article["paragraphs"]
            for q in p["qas"]
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is not a file of SQuAD 1.1 ({type(error).__name__}: {error})") from error
    unanswered = next((question.id for question in found if not question.answers), None)
    if unanswered is not None:
        raise UsageError(f"{path} is not SQuAD 1.1: question {unanswered} has no answer")
    return found


def spans(length: int, room: int, stride: int = STRIDE) -> list[tuple[int, int]]:
    """Windows [start, end) over ``length`` tokens, of at most ``room``, that begin ``stride`` apart."""
    found = []
    for start in range(0, max(length, 1), min(stride, room)):
        found.append((start, min(length, start + room)))
        if start + room >= length:
            break
    return found


def central(windows: Sequence[tuple[int, int]], index: int) -> NDArray[np.bool_]:
    """For each token of window ``index`` whether no other window has more context around it: the smaller of the tokens
    to its left and to its right, and a hundredth of the window's length (of equal ones the first)."""
    start, end = windows[index]
    places = np.arange(start, end)
    score = np.full((len(windows), len(places)), -np.inf)
    for row, (low, high) in enumerate(windows):
        inside = (places >= low) & (places < high)
        context = np.minimum(places - low, high - 1 - places) + 0.01 * (high - low)
        score[row, inside] = context[inside]
    best: NDArray[np.bool_] = score.argmax(axis=0) == index
    return best


class _Windows:
    """Makes the records of a question: the model's inputs, and as notes the characters of each context token and
    whether it is central."""

    def __init__(self, tokenizer: Tokenizer, frame: Frame, inputs: set[str], length: int) -> None:
        self.tokenizer, self.frame, self.inputs, self.length = tokenizer, frame, inputs, length

    def of(self, question: Question) -> list[Record]:
        asked = self.tokenizer.words(question.text).ids[:QUERY_TOKENS]
        context = self.tokenizer.words(question.context)
        places = spans(len(context), self.length - self.frame.size - len(asked))
        return [self._record(asked, context, places, index) for index in range(len(places))]

    def _record(self, asked: Ids, context: Words, places: Sequence[tuple[int, int]], index: int) -> Record:
        start, end = places[index]
        made = laid_out(self.frame, asked, context.ids[start:end], self.length)
        first = len(self.frame.before) + len(asked) + len(self.frame.between)
        offsets = np.full((self.length, 2), -1, np.int32)
        offsets[first : first + end - start] = context.offsets[start:end]
        most = np.zeros(self.length, np.bool_)
        most[first : first + end - start] = central(places, index)
        return {**{n: v for n, v in made.items() if n in self.inputs}, OFFSETS: offsets, CENTRAL: most}


class SquadJudge:
    """Answers questions from start and end logits, and scores them by the official rule."""

    def __init__(self, used: Sequence[Question], outputs: tuple[str, ...]) -> None:
        if len(outputs) != 2:
            raise UsageError("SQuAD needs a metric that names two outputs, start and end logits: correct the task")
        self.used, self.start, self.end = used, *outputs

    def answer(self, item: int, outputs: Sequence[Record], notes: Sequence[Record]) -> str:
        """The text of the best span of all windows; empty where there is none."""
        best, text = -np.inf, ""
        for record, note in zip(outputs, notes, strict=True):
            start, end = (np.asarray(record[name], np.float64).reshape(-1) for name in (self.start, self.end))
            found = best_span(start, end, note[OFFSETS][:, 0] >= 0, note[CENTRAL])
            if found is not None and found[0] > best:
                best, first, last = found
                begins, ends = int(note[OFFSETS][first, 0]), int(note[OFFSETS][last, 1])
                text = self.used[item].context[begins:ends].strip()
        return text

    def table(self, answers: Sequence[Any]) -> dict[str, Array]:
        """``question`` (its id), ``answer``, and what the rule gives for it: ``exact_match`` and ``f1``."""
        pairs = list(zip(answers, (question.answers for question in self.used), strict=True))
        return {
            "question": np.array([question.id for question in self.used]),
            "answer": np.array(answers),
            "exact_match": np.array([rule.exact_match(answer, truths) for answer, truths in pairs]),
            "f1": np.array([rule.f1(answer, truths) for answer, truths in pairs]),
        }

    def score(self, table: Mapping[str, Array]) -> tuple[Score, ...]:
        """F1 and exact match."""
        return tuple(rule.score(name, table[name].tolist()) for name in ("f1", "exact_match"))


def best_span(
    start: NDArray[np.float64], end: NDArray[np.float64], inside: NDArray[np.bool_], most: NDArray[np.bool_]
) -> tuple[float, int, int] | None:
    """The sum of logits, the first and the last token of the best allowed span, all arrays being [tokens]: among the
    NBEST starts and ends, ``inside`` the context, starting where the window has ``most`` context, at most
    ANSWER_TOKENS long. None where there is none, and where logits are NaN."""
    if not start.shape == end.shape == inside.shape:
        raise AccelbenchError(f"SQuAD needs {len(inside)} start and end logits, got {len(start)} and {len(end)}")
    if np.isnan(start).any() or np.isnan(end).any():
        return None
    starts, ends = (np.argsort(-logits, kind="stable")[:NBEST] for logits in (start, end))
    first, last = starts[:, None], ends[None, :]
    allowed = (inside & most)[first] & inside[last] & (last >= first) & (last - first < ANSWER_TOKENS)
    sums = np.where(allowed, start[first] + end[last], -np.inf)
    if not sums.size or not np.isfinite(sums.max()):
        return None
    row, column = divmod(int(sums.argmax()), len(ends))
    return float(sums[row, column]), int(starts[row]), int(ends[column])


def _length(request: Request) -> int:
    lengths = {spec.shape[-1] for spec in request.inputs if spec.name == "input_ids"}
    length = next(iter(lengths), None)
    if not isinstance(length, int) or length < QUERY_TOKENS * 2:
        raise UsageError(f"SQuAD needs an input input_ids of at least {QUERY_TOKENS * 2} tokens: correct the task")
    return length


def _file(data: Path) -> Path:
    if data.is_file():
        return data
    found = sorted(data.glob("dev-v1.1*.json"))
    if len(found) != 1:
        raise UsageError(f"--data {data} has {len(found)} files dev-v1.1*.json: name the folder with one, or the file")
    return found[0]
