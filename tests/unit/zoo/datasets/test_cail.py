"""CAIL2019-SCM: pairs of cases, and the choice between them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.zoo.datasets.made import request, tokens, vocabulary

from accelbench.errors import AccelbenchError, UsageError
from accelbench.zoo.datasets.cail import load, shortened
from accelbench.zoo.datasets.loaded import Loaded

INPUTS = tokens(24, "input_ids", "attention_mask", "token_type_ids")
CASES = [
    {"A": "who won", "B": "the game", "C": "denver panthers", "label": "B"},
    {"A": "who won", "B": "denver", "C": "the game " * 20, "label": "C"},
    {"A": "game", "B": "denver", "C": "who", "label": "C"},
]


def written(folder: Path, cases: list[Any], name: str = "test.json") -> Path:
    (folder / name).write_text("".join(json.dumps(case) + "\n" for case in cases) + "\n", encoding="utf-8")
    return folder


def loaded(folder: Path, **asked: Any) -> Loaded:
    return load(request(folder, INPUTS, outputs=("logits",), tokenizer=vocabulary(folder), **asked))


def test_an_item_is_two_pairs(tmp_path: Path) -> None:
    found = loaded(written(tmp_path, CASES))
    pieces = vocabulary(tmp_path).read_text().split("\n")
    first, second = found.prepare(found.read(0))
    assert [pieces[i] for i in first["input_ids"][:7]] == ["[CLS]", "who", "won", "[SEP]", "the", "game", "[SEP]"]
    assert [pieces[i] for i in second["input_ids"][3:7]] == ["[SEP]", "denver", "panthers", "[SEP]"]
    assert first["token_type_ids"].tolist() == [0] * 4 + [1] * 3 + [0] * 17
    _, long = found.prepare(found.read(1))
    assert int(long["attention_mask"].sum()) == 24
    assert [pieces[i] for i in long["input_ids"][:4]] == ["[CLS]", "who", "won", "[SEP]"]
    assert pieces[long["input_ids"][-1]] == "[SEP]"


@given(st.integers(0, 60), st.integers(0, 60), st.integers(2, 50))
def test_the_longer_text_is_cut(first: int, second: int, room: int) -> None:
    kept = shortened(first, second, room)
    assert sum(kept) == min(room, first + second)
    assert kept[0] <= first
    assert kept[1] <= second
    if kept[0] < first:
        assert kept[0] >= kept[1] - 1
    if kept[1] < second:
        assert kept[1] >= kept[0] - 1


def test_the_likelier_pair_is_chosen(tmp_path: Path) -> None:
    found = loaded(written(tmp_path, CASES))
    outputs = [[[0.0, 2.0], [0.0, 1.0]], [[3.0, 2.0], [0.0, 1.0]], [[np.nan, 0.0], [0.0, 1.0]]]
    answers = [
        found.judge.answer(item, [{"logits": np.array(pair)} for pair in pairs], [])
        for item, pairs in enumerate(outputs)
    ]
    table = found.judge.table(answers)
    assert table["choice"].tolist() == [0, 1, -1]
    assert table["scores"][1].tolist() == [-1.0, 1.0]
    (score,) = found.judge.score(table)
    assert (score.name, score.value, score.samples) == ("choice", 2 / 3, 3)
    assert found.judge.answer(0, [{"logits": np.array([0.5])}, {"logits": np.array([0.25])}], []) == (0.5, 0.25)
    with pytest.raises(AccelbenchError, match="one score or two classes for a pair, got 3"):
        found.judge.answer(0, [{"logits": np.zeros(3)}], [])


def test_which_file(tmp_path: Path) -> None:
    written(written(tmp_path, CASES, "test.json"), CASES[:1], "train.json")
    assert loaded(tmp_path).items == 3
    assert load(request(tmp_path / "train.json", INPUTS, tokenizer=vocabulary(tmp_path))).items == 1
    (tmp_path / "test.json").rename(tmp_path / "valid.json")
    with pytest.raises(UsageError, match=r"has 2 files \*.json and no test.json"):
        loaded(tmp_path)


@pytest.mark.parametrize("wrong", [{"A": "x", "B": "y", "label": "B"}, {**CASES[0], "label": "A"}, "text", 5])
def test_other_lines_are_refused(tmp_path: Path, wrong: Any) -> None:
    with pytest.raises(UsageError, match=r"test.json, line 2: not an object with A, B, C and label B or C"):
        loaded(written(tmp_path, [CASES[0], wrong]))
