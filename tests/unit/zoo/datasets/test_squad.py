"""SQuAD: windows over contexts, and answers as text out of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from tests.unit.zoo.datasets.made import CONTEXT, question, request, roberta, squad, tokens, vocabulary

from accelbench.errors import AccelbenchError, UsageError
from accelbench.tensors import Record
from accelbench.zoo.datasets import tokenizing
from accelbench.zoo.datasets.loaded import Loaded
from accelbench.zoo.datasets.squad import ANSWER_TOKENS, CENTRAL, NBEST, OFFSETS, best_span, central, load, spans

LENGTH = 128
INPUTS = tokens(LENGTH, "input_ids", "attention_mask", "token_type_ids")
OUTPUTS = ("start", "end")
SHARED = Path(__file__).parents[4] / ".." / "shared" / "data" / "squad"
WHO = question("q1", "Who won the game?", "Denver Broncos", "the Denver Broncos")
LONG = " ".join(f"w{number} x." for number in range(90)) + " Denver won. " + " ".join(f"y{n}" for n in range(40))


def loaded(folder: Path, *paragraphs: Any, inputs: Any = INPUTS, **asked: Any) -> Loaded:
    data = squad(folder / "squad", *(paragraphs or ((CONTEXT, [WHO]),)))
    asked.setdefault("tokenizer", vocabulary(folder))
    return load(request(data, inputs, outputs=OUTPUTS, **asked))


def right(record: Record, context: str, answer: str) -> dict[str, NDArray[np.float32]]:
    """The logits of a model that finds where ``answer`` stands first, provided that this window has all of it."""
    start, offsets = context.find(answer), record[OFFSETS]
    first, last = (np.flatnonzero(offsets[:, side] == place) for side, place in ((0, start), (1, start + len(answer))))
    logits = {name: np.zeros(len(offsets), np.float32) for name in OUTPUTS}
    if len(first) and len(last):
        logits["start"][first[0]] = logits["end"][last[0]] = 9 if record[CENTRAL][first[0]] else 0
    return logits


def answer(found: Loaded, item: int, text: str) -> str:
    records = found.prepare(found.read(item))
    context = found.read(item).context
    return str(found.judge.answer(item, [right(record, context, text) for record in records], records))


# --- windows -----------------------------------------------------------------------------------------------------


def test_windows_begin_128_tokens_apart() -> None:
    assert spans(100, 320) == [(0, 100)]
    assert spans(320, 320) == [(0, 320)]
    assert spans(321, 320) == [(0, 320), (128, 321)]
    assert spans(700, 320) == [(0, 320), (128, 448), (256, 576), (384, 700)]
    assert spans(0, 320) == [(0, 0)]
    assert spans(200, 50) == [(0, 50), (50, 100), (100, 150), (150, 200)], "never past a token"


@given(st.integers(1, 900), st.integers(20, 320))
def test_every_token_is_central_in_exactly_one_window(length: int, room: int) -> None:
    windows = spans(length, room)
    seen = np.zeros(length, int)
    for index, (start, end) in enumerate(windows):
        assert end - start <= room
        seen[start:end] += central(windows, index)
    assert seen.tolist() == [1] * length


def test_most_context_decides() -> None:
    windows = spans(400, 320)
    assert windows == [(0, 320), (128, 400)]
    assert np.flatnonzero(central(windows, 0)).tolist() == list(range(224)), "the middle of what both have"


def test_a_record_is_laid_out_as_bert_has_it(tmp_path: Path) -> None:
    found = loaded(tmp_path)
    (record,) = found.prepare(found.read(0))
    pieces = vocabulary(tmp_path).read_text().split("\n")
    ids = [pieces[number] for number in record["input_ids"]]
    assert ids[:9] == ["[CLS]", "who", "won", "the", "game", "?", "[SEP]", "in", "2016"]
    used = int(record["attention_mask"].sum())
    assert ids[used - 2 :] == [".", "[SEP]"] + ["[PAD]"] * (LENGTH - used)
    assert record["token_type_ids"].tolist() == [0] * 7 + [1] * (used - 7) + [0] * (LENGTH - used)
    start, end = record[OFFSETS][8]
    assert CONTEXT[start:end] == "2016"
    assert (record[OFFSETS][:7] == -1).all()


def test_a_record_is_laid_out_as_the_models_own_tokeniser_has_it(tmp_path: Path) -> None:
    two = INPUTS[:2]
    found = loaded(tmp_path, tokenizer=roberta(tmp_path), inputs=two)
    (record,) = found.prepare(found.read(0))
    assert set(record) == {"input_ids", "attention_mask", OFFSETS, CENTRAL}
    ids, used = record["input_ids"].tolist(), int(record["attention_mask"].sum())
    assert (ids[0], ids[used - 1], ids[used:]) == (0, 2, [1] * (LENGTH - used))
    assert [place for place in range(used) if ids[place] == 2] == [6, 7, used - 1], "</s></s> between the two"
    assert answer(found, 0, "Denver Broncos") == "Denver Broncos"


def test_questions_have_64_tokens_at_most(tmp_path: Path) -> None:
    found = loaded(tmp_path, (CONTEXT, [question("q", "who " * 99, "Denver")]))
    records = found.prepare(found.read(0))
    assert [int(np.flatnonzero(record["input_ids"] == 3)[0]) for record in records] == [65] * len(records)


# --- answers -----------------------------------------------------------------------------------------------------


def test_what_a_model_finds_is_cut_out_of_the_text(tmp_path: Path) -> None:
    found = loaded(tmp_path, (CONTEXT, [WHO]), (LONG, [question("q2", "Who won?", "Denver")]))
    assert [len(found.prepare(found.read(item))) for item in (0, 1)][1] > 2
    answers = [answer(found, 0, "the Denver Broncos"), answer(found, 1, "Denver")]
    assert answers == ["the Denver Broncos", "Denver"], "in whatever window the answer is central"
    table = found.judge.table([answers[0], "Carolina"])
    assert table["question"].tolist() == ["q1", "q2"]
    assert table["answer"].tolist() == ["the Denver Broncos", "Carolina"]
    assert [(score.name, score.value, score.samples) for score in found.judge.score(table)] == [
        ("f1", 0.5, 2),
        ("exact_match", 0.5, 2),
    ]


def test_logits_of_nan_and_of_the_wrong_length(tmp_path: Path) -> None:
    found = loaded(tmp_path)
    records = found.prepare(found.read(0))
    nothing = np.full(LENGTH, np.nan, np.float32)
    assert found.judge.answer(0, [{"start": nothing, "end": nothing}], records) == ""
    with pytest.raises(AccelbenchError, match="128 start and end logits, got 5 and 5"):
        found.judge.answer(0, [{"start": nothing[:5], "end": nothing[:5]}], records)


logits = hnp.arrays(np.float64, 40, elements=st.floats(-9, 9), unique=True)
flags = hnp.arrays(np.bool_, 40)


@settings(max_examples=50)
@given(logits, logits, flags, flags)
def test_the_best_span_is_the_best_of_all_allowed(
    start: NDArray[np.float64], end: NDArray[np.float64], inside: NDArray[np.bool_], most: NDArray[np.bool_]
) -> None:
    starts, ends = ({int(place) for place in np.argsort(-side)[:NBEST]} for side in (start, end))
    allowed = [
        (start[a] + end[b], a, b)
        for a in starts
        for b in ends
        if inside[a] and most[a] and inside[b] and a <= b < a + ANSWER_TOKENS
    ]
    found = best_span(start, end, inside, most)
    assert (found is None) == (not allowed)
    if found is not None:
        assert found[0] == max(allowed)[0]
        assert found in allowed


@pytest.mark.skipif(not SHARED.is_dir(), reason="the SQuAD data of ../shared/data/squad are not here")
def test_answers_in_real_contexts_are_found_again(tmp_path: Path) -> None:
    inputs = tokens(384, "input_ids", "attention_mask")
    asked = {"tokenizer": vocabulary(tmp_path), "outputs": OUTPUTS, "samples": 40}
    found = load(request(SHARED, inputs, **asked))
    assert found.name == "SQuAD 1.1, dev-v1.1-super-bowl-50.json"
    said = [answer(found, item, found.read(item).answers[0]) for item in range(found.items)]
    exact = found.judge.table(said)["exact_match"]
    long = [len(found.read(item).answers[0]) > ANSWER_TOKENS for item in range(found.items)]
    assert found.items == 40
    assert ((exact == 1) | np.array(long)).all()
    assert exact.mean() > 0.8


# --- what is wrong -----------------------------------------------------------------------------------------------


def test_samples_are_drawn_and_others_calibrate(tmp_path: Path) -> None:
    asked = [question(f"q{number}", "Who won?", "Denver") for number in range(10)]
    some = loaded(tmp_path, (CONTEXT, asked), samples=4)
    others = loaded(tmp_path, (CONTEXT, asked), samples=4, calibrating=True)
    every = loaded(tmp_path, (CONTEXT, asked))
    names = [{found.read(item).id for item in range(found.items)} for found in (some, others, every)]
    assert (len(names[0]), len(names[1]), names[0] | names[1]) == (4, 6, names[2])
    assert len({some.sha256, others.sha256, every.sha256}) == 3
    assert loaded(tmp_path, (CONTEXT, asked), samples=4).sha256 == some.sha256


def test_what_is_missing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"name the model's tokeniser, --tokenizer tokenizer.json or vocab.txt"):
        loaded(tmp_path, tokenizer=None)
    with pytest.raises(UsageError, match="91 ids, the model 30: it is another model"):
        loaded(tmp_path, vocabulary=30)
    with pytest.raises(UsageError, match="cannot be read"):
        loaded(tmp_path, tokenizer=tmp_path / "absent.json")
    (tmp_path / "vocab.json").write_text("{}")
    with pytest.raises(UsageError, match=r"is neither a tokenizer.json nor a vocab.txt"):
        loaded(tmp_path, tokenizer=tmp_path / "vocab.json")
    (tmp_path / "other.txt").write_text("a\nb\n[UNK]\n")
    with pytest.raises(UsageError, match=r"it has no \[CLS\] and \[SEP\]"):
        loaded(tmp_path, tokenizer=tmp_path / "other.txt")
    monkeypatch.setattr(tokenizing, "tokenizers", None)
    with pytest.raises(UsageError, match=r"pip install 'accelbench\[data\]'"):
        loaded(tmp_path)


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"not SQuAD 1.1: question q has no answer"):
        loaded(tmp_path, (CONTEXT, [question("q", "Who?")]))
    with pytest.raises(UsageError, match="holds no items"):
        loaded(tmp_path, (CONTEXT, []))
    data = tmp_path / "squad" / "dev-v1.1.json"
    data.write_text('{"data": [{}]}')
    with pytest.raises(UsageError, match=r"is not a file of SQuAD 1.1 \(KeyError"):
        load(request(data, INPUTS, outputs=OUTPUTS, tokenizer=vocabulary(tmp_path)))
    data.unlink()
    with pytest.raises(UsageError, match=r"has 0 files dev-v1.1\*.json"):
        load(request(data.parent, INPUTS, outputs=OUTPUTS, tokenizer=vocabulary(tmp_path)))
