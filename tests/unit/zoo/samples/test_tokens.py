"""Token ids look like questions with their contexts, or like pairs of documents, to every tokeniser's layout."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.zoo.realism import is_prefix, is_realistic

from accelbench.errors import UsageError
from accelbench.model import Dataset
from accelbench.tensors import Array, Record
from accelbench.zoo.samples.tokens import LAYOUTS, source, tokens

BERT = LAYOUTS["bert"]
VOCABULARY = 30522
VOCABULARIES = {"bert": 30522, "albert": 30000, "roberta": 50265, "deberta": 50265, "roformer": 50000}


def made(layout: str, count: int, *, two_documents: bool = False, length: int = 384) -> list[Record]:
    return [tokens(i, length, VOCABULARIES[layout], 0, LAYOUTS[layout], two_documents) for i in range(count)]


def words_of(samples: list[Record], layout: str) -> Array:
    ids = np.concatenate([sample["input_ids"] for sample in samples])
    return ids[ids >= LAYOUTS[layout].first_word]


@settings(deadline=None, max_examples=80)
@given(
    st.sampled_from(sorted(LAYOUTS)),
    st.booleans(),
    st.integers(0, 10_000),
    st.integers(6, 1100),
    st.integers(1100, 50_000),
    st.integers(0, 5),
)
def test_every_sample_is_well_formed(
    name: str, two_documents: bool, index: int, length: int, vocabulary: int, seed: int
) -> None:
    layout = LAYOUTS[name]
    sample = tokens(index, length, vocabulary, seed, layout, two_documents)
    ids, mask = sample["input_ids"], sample["attention_mask"]
    assert {(array.shape, array.dtype.name) for array in sample.values()} == {((length,), "int64")}
    assert is_prefix(mask)
    used = int(mask.sum())
    assert ids[0] == layout.start
    assert (ids[used:] == layout.pad).all()
    *joints, last = (int(place) for place in np.flatnonzero(ids[1:] == layout.end) + 1)
    assert joints == list(range(joints[0], joints[0] + layout.joints)), "the ends between the texts are neighbours"
    assert last == used - 1
    assert joints[0] > 1, "there is a first text"
    assert joints[-1] < last - 1, "there is a second text"
    words = np.delete(ids[:used], [0, *joints, last])
    assert ((words >= layout.first_word) & (words < vocabulary - layout.unused_last)).all()
    segments = [0] * (joints[-1] + 1) + [1] * (used - joints[-1] - 1) + [0] * (length - used)
    assert sample.get("token_type_ids", np.array([])).tolist() == (segments if layout.segments else [])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_frequencies_follow_zipf_over_the_whole_vocabulary(layout: str) -> None:
    words = words_of(made(layout, 80), layout)
    counts = np.bincount(words)
    ranks = np.arange(5, 150)
    slope = np.polyfit(np.log(ranks + 2.7), np.log(np.sort(counts)[::-1][ranks]), 1)[0]
    assert slope == pytest.approx(-1, abs=0.1)
    common = np.argsort(counts)[-200:]
    span = VOCABULARIES[layout]
    assert common.min() < 0.1 * span, "ranks are scattered over the whole table"
    assert common.max() > 0.9 * span


def test_lengths_vary_and_some_fill_the_sequence() -> None:
    used = [int(sample["attention_mask"].sum()) for sample in made("bert", 100)]
    assert len(set(used)) > 40
    assert 10 <= used.count(384) <= 40
    assert 100 < np.median(used) < 250


def test_documents_are_long_and_the_longer_one_is_cut() -> None:
    samples = made("roformer", 100, two_documents=True, length=1024)
    used = np.array([sample["attention_mask"].sum() for sample in samples])
    second = np.array([sample["token_type_ids"].sum() - 1 for sample in samples])
    first = used - second - 2
    assert 0.2 < (used == 1024).mean() < 0.6
    assert np.median(used) > 800
    assert min(first.min(), second.min()) >= 250
    assert abs((first - second)[used == 1024]).max() < 550


@pytest.mark.parametrize("layout", LAYOUTS)
def test_samples_are_realistic_and_other_seeds_give_others(layout: str) -> None:
    first = made(layout, 8)
    other = [tokens(index, 384, VOCABULARIES[layout], 1, LAYOUTS[layout]) for index in range(8)]
    assert is_realistic([*first, *other])
    assert not is_realistic([{name: 0 * array for name, array in sample.items()} for sample in first])


def test_golden_samples() -> None:
    """What is frozen: not a bit of any may change."""

    def digest(sample: Record) -> str:
        return hashlib.sha256(b"".join(sample[name].tobytes() for name in sorted(sample))).hexdigest()

    assert digest(tokens(3, 64, VOCABULARY, 7)) == "3f5a150105fb8ae1873547b6d40bef2bd185056f643ec0af132a48df05b7a9ac"
    found = {name: digest(made(name, 1)[0])[:8] for name in LAYOUTS}
    assert found == {
        "bert": "1c675237",
        "albert": "b1d80990",
        "roberta": "2822a928",
        "deberta": "d0e93b35",
        "roformer": "6fc1ea01",
    }
    assert digest(made("roformer", 1, two_documents=True, length=1024)[0])[:8] == "502a0ae5"


def test_options_choose_layout_and_pairs() -> None:
    dataset = Dataset("tokens", 2, options={"length": 1024, "vocabulary": 50000})
    plain = list(source(dataset, Path())[0])
    options = {**dataset.options, "layout": "roformer", "pairs": "documents"}
    documents = list(source(replace(dataset, options=options), Path())[0])
    assert all((a["input_ids"] == tokens(i, 1024, 50000, 0)["input_ids"]).all() for i, a in enumerate(plain))
    assert sum(sample["attention_mask"].sum() for sample in documents) > 1500


@pytest.mark.parametrize("options", [{"layout": "gpt"}, {"pairs": "triples"}])
def test_unknown_options_are_refused(options: dict[str, str]) -> None:
    dataset = Dataset("tokens", 1, options={"length": 64, "vocabulary": 30522, **options})
    with pytest.raises(UsageError, match=r"has layout bert, albert, .* and pairs questions or documents"):
        source(dataset, Path())
