"""Captions look like a tokeniser's, classes' prompts like one another, and pictures come with texts of their own."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.zoo.realism import is_realistic

from accelbench.errors import UsageError
from accelbench.model import Dataset
from accelbench.zoo.samples import captions
from accelbench.zoo.samples.captions import CLASS_PROMPT, TOKENIZERS, caption, class_prompt
from accelbench.zoo.samples.pictures import pictures

START, END = 49406, 49407


def drawn(kind: str, **options: int | str) -> list[dict[str, np.ndarray]]:
    make = captions.source if kind == "captions" else captions.captioned_pictures
    records, labels = make(Dataset(kind, 8, options=options), Path())
    assert labels is None
    return [dict(record) for record in records]


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10_000), st.integers(4, 100), st.sampled_from(sorted(TOKENIZERS)), st.integers(0, 5))
def test_every_caption_is_well_formed(index: int, length: int, tokenizer: str, seed: int) -> None:
    pieces, ids = TOKENIZERS[tokenizer], caption(index, length, tokenizer, seed)
    assert (ids.shape, ids.dtype.name) == ((length,), "int64")
    begun = len(pieces.start)
    end = begun + int(np.argmax(ids[begun:] == pieces.end))
    assert tuple(ids[:begun]) == pieces.start
    assert (ids[end:] == pieces.end).all()
    assert end > begun, "there are words"
    assert ((ids[begun:end] >= pieces.first) & (ids[begun:end] <= pieces.last)).all()


@pytest.mark.parametrize(("tokenizer", "length"), [("clip", 77), ("siglip", 64)])
def test_lengths_vary_and_some_fill_the_whole(tokenizer: str, length: int) -> None:
    words = [int((caption(i, length, tokenizer, 0) != TOKENIZERS[tokenizer].end).sum()) for i in range(200)]
    whole = length - 1
    assert 10 <= words.count(whole) <= 45
    short = [count for count in words if count != whole]
    assert min(short) >= 4
    assert max(short) <= 25
    assert 12 <= np.median(short) <= 17


def test_frequencies_follow_zipf_over_the_ids() -> None:
    pieces = TOKENIZERS["clip"]
    ids = np.concatenate([caption(index, 77, "clip", 0) for index in range(3000)])
    counts = np.bincount(ids[(ids >= pieces.first) & (ids <= pieces.last)] - pieces.first)
    ranks = np.arange(0, 60)
    slope = np.polyfit(np.log(ranks + 2.7), np.log(counts[ranks]), 1)[0]
    assert slope == pytest.approx(-1, abs=0.1)
    assert len(counts) > 0.9 * (pieces.last - pieces.first)


def test_prompts_of_classes_differ_in_their_names_alone() -> None:
    prompts = [class_prompt(index, 77, 0) for index in range(100)]
    before, after = CLASS_PROMPT
    for ids in prompts:
        words = ids[: int(np.argmax(ids == END))].tolist()
        assert words[:5] == [START, *before]
        assert words[-1:] == list(after)
        assert 7 <= len(words) <= 8
        assert (ids[len(words) :] == END).all()
    assert len({ids.tobytes() for ids in prompts}) == 100


def test_a_picture_has_its_caption() -> None:
    records = drawn("captioned-images", size=16, normalisation="half", length=64, tokenizer="siglip")
    assert is_realistic(records)
    assert (records[3]["image"] == pictures(1, 16, 0, 3, "half")[0]).all()
    assert (records[3]["input_ids"] == caption(3, 64, "siglip", 0)).all()


def test_classes_take_turns() -> None:
    texts = [record["input_ids"] for record in drawn("captioned-images", size=8, length=77, classes=3)]
    assert all((texts[i] == class_prompt(i % 3, 77, 0)).all() for i in range(8))


def test_captions_alone() -> None:
    records = drawn("captions", length=77)
    assert is_realistic(records)
    assert (records[5]["input_ids"] == caption(5, 77, "clip", 0)).all()


def test_an_unknown_tokenizer_is_one_line() -> None:
    with pytest.raises(UsageError, match="tokenizer one of clip, siglip, not 'bert'"):
        drawn("captions", length=77, tokenizer="bert")


def test_golden_captions() -> None:
    data = (
        b"".join(caption(3, 77, tokenizer, 7).tobytes() for tokenizer in TOKENIZERS) + class_prompt(9, 77, 7).tobytes()
    )
    assert hashlib.sha256(data).hexdigest() == ("3aa33da1361bbea2f1e454d7c80b70c3d9fec7acc0444797760b57d13817c0ed")
