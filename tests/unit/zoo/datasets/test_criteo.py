"""Criteo: lines of clicks, and scores by the AUC."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.zoo.datasets.made import request

from accelbench.errors import AccelbenchError, UsageError
from accelbench.model import TensorSpec
from accelbench.zoo.datasets.criteo import Click, categories, counts, load
from accelbench.zoo.datasets.loaded import Loaded
from accelbench.zoo.samples.clicks import CARDINALITIES

INPUTS = (TensorSpec("dense", "float32", ("batch", 13)), TensorSpec("sparse", "int64", ("batch", 26)))


def line(label: int, first: str = "3", category: str = "68fd1e64", number: int = 0) -> str:
    return "\t".join([str(label), first, *["1"] * 12, category, *[f"{number:08x}"] * 25])


def written(folder: Path, lines: list[str], name: str = "day_23") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("\n".join(lines) + "\n")
    return folder


def loaded(folder: Path, **asked: Any) -> Loaded:
    return load(request(folder, INPUTS, **{"outputs": ("probability",), **asked}))


def click(values: list[int | None], names: list[str]) -> Click:
    return Click(0, tuple(values), tuple(names))


def test_counts_are_logarithms_and_missing_ones_are_zero() -> None:
    found = counts(click([0, 1, None, -2, 1_000_000, *[7] * 8], [""] * 26))
    assert found.dtype == np.float32
    assert found[:5].tolist() == [np.float32(v) for v in (0, math.log(2), 0, 0, math.log1p(1e6))]


@given(st.lists(st.integers(0, 2**32 - 1).map("{:08x}".format) | st.just(""), min_size=26, max_size=26))
def test_hashed_ids_lie_within_the_tables(names: list[str]) -> None:
    found = categories(click([None] * 13, names), None)
    assert (found >= 0).all()
    assert (found < np.array(CARDINALITIES)).all()
    assert found[0] == (int(names[0], 16) % CARDINALITIES[0] if names[0] else 0)


def test_ranked_ids_are_places_in_the_list(tmp_path: Path) -> None:
    data = written(tmp_path, [line(1, category="aa"), line(0, category="bb"), line(0, category="")])
    (tmp_path / "categories.tsv").write_text("1\tbb\n1\taa\n9\tzz\n1\taa\n")
    found = loaded(data, options={"ids": "ranked"})
    ids = [int(found.prepare(found.read(item))[0]["sparse"][0]) for item in range(3)]
    assert ids == [1, 0, CARDINALITIES[0] - 1]
    (tmp_path / "categories.tsv").write_text("27\tbb\n")
    with pytest.raises(UsageError, match=r"categories.tsv, line 1: not a field's number, 1 to 26"):
        loaded(data, options={"ids": "ranked"})
    with pytest.raises(UsageError, match=r"options.ids is hashed or ranked, not 'best'"):
        loaded(data, options={"ids": "best"})


def test_a_line_is_a_record(tmp_path: Path) -> None:
    found = loaded(written(tmp_path, [line(1, "", "0000000a")]))
    (record,) = found.prepare(found.read(0))
    assert record["dense"].tolist() == [0.0, *[np.float32(math.log(2))] * 12]
    assert record["sparse"].tolist() == [10, *[0] * 25]


def test_of_the_kaggle_set_the_last_seventh_is_used(tmp_path: Path) -> None:
    lines = [line(number % 2, number=number % 3) for number in range(70)]
    kaggle = loaded(written(tmp_path / "a", lines, "train.txt"))
    assert (kaggle.items, kaggle.name) == (10, "Criteo, train.txt")
    assert [kaggle.read(item).label for item in range(4)] == [0, 1, 0, 1]
    assert loaded(written(tmp_path / "b", lines)).items == 70
    some = loaded(tmp_path / "b", samples=9)
    assert some.items == 9
    assert some.sha256 != loaded(tmp_path / "b", samples=8).sha256


def test_scores(tmp_path: Path) -> None:
    found = loaded(written(tmp_path, [line(label) for label in (0, 0, 1, 1)]))
    outputs = [[0.1], [0.4], [0.35], [0.8]]
    answers = [found.judge.answer(item, [{"probability": np.array(v)}], []) for item, v in enumerate(outputs)]
    (auc,) = found.judge.score(found.judge.table(answers))
    assert (auc.name, auc.value, auc.samples) == ("auc", 0.75, 4)
    assert auc.standard_error is not None
    assert found.judge.answer(0, [{"probability": np.array([0.9, 0.1])}], []) == 0.1
    with pytest.raises(AccelbenchError, match="got 3 values"):
        found.judge.answer(0, [{"probability": np.zeros(3)}], [])


def test_one_class_has_no_auc(tmp_path: Path) -> None:
    found = loaded(written(tmp_path, [line(1), line(1)]))
    assert found.judge.score(found.judge.table([0.1, 0.2])) == ()


@pytest.mark.parametrize("wrong", ["2" + line(1)[1:], line(1) + "\tmore", line(1, "x"), line(1)[:-1] + "\xe9", ""])
def test_other_lines_are_refused(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(UsageError, match=r"day_23, line 2: not a label, 13 counts and 26 categories"):
        loaded(written(tmp_path, [line(1), wrong]))


def test_which_file(tmp_path: Path) -> None:
    written(tmp_path, [line(1)])
    assert loaded(tmp_path / "day_23").items == 1
    (tmp_path / "day_22").write_text("")
    with pytest.raises(UsageError, match=r"has 2 of train.txt"):
        loaded(tmp_path)
    with pytest.raises(UsageError, match="holds no items"):
        loaded(tmp_path / "day_22")
    with pytest.raises(UsageError, match="feeds one float32 and one int64 input"):
        load(request(tmp_path / "day_23", INPUTS[:1]))
