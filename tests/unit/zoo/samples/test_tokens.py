"""Token ids look like questions with their contexts."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.zoo.realism import is_prefix, is_realistic

from accelbench.zoo.samples.tokens import CLS, FIRST_WORD, PAD, SEP, tokens

VOCABULARY = 30522


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10_000), st.integers(5, 512), st.integers(FIRST_WORD + 1, 50_000), st.integers(0, 5))
def test_every_sample_is_well_formed(index: int, length: int, vocabulary: int, seed: int) -> None:
    sample = tokens(index, length, vocabulary, seed)
    ids, mask, types = (sample[name] for name in ("input_ids", "attention_mask", "token_type_ids"))
    assert {(array.shape, array.dtype.name) for array in sample.values()} == {((length,), "int64")}
    assert is_prefix(mask)
    used = int(mask.sum())
    first, last = np.flatnonzero(ids == SEP)
    assert ids[0] == CLS
    assert last == used - 1
    assert (ids[used:] == PAD).all()
    words = np.delete(ids[:used], [0, int(first), int(last)])
    assert ((words >= FIRST_WORD) & (words < vocabulary)).all()
    assert types.tolist() == [0] * (first + 1) + [1] * (used - first - 1) + [0] * (length - used)


def test_frequencies_follow_zipf() -> None:
    samples = [tokens(index, 384, VOCABULARY, 0) for index in range(200)]
    ids = np.concatenate([sample["input_ids"] for sample in samples])
    counts = np.sort(np.bincount(ids[ids >= FIRST_WORD]))[::-1]
    ranks = np.arange(10, 300)
    slope = np.polyfit(np.log(ranks + 2.7), np.log(counts[ranks]), 1)[0]
    assert slope == pytest.approx(-1, abs=0.1)
    common = np.argsort(np.bincount(ids[ids >= FIRST_WORD]))[-200:]
    assert common.max() > 0.9 * VOCABULARY, "ranks are scattered over the whole table"


def test_lengths_vary_and_some_fill_the_sequence() -> None:
    used = [int(tokens(index, 384, VOCABULARY, 0)["attention_mask"].sum()) for index in range(100)]
    assert len(set(used)) > 40
    assert 10 <= used.count(384) <= 40
    assert 100 < np.median(used) < 250


def test_samples_are_realistic_and_other_seeds_give_others() -> None:
    first = [tokens(index, 384, VOCABULARY, 0) for index in range(8)]
    other = [tokens(index, 384, VOCABULARY, 1) for index in range(8)]
    assert is_realistic([*first, *other])


def test_golden_sample() -> None:
    sample = tokens(3, 64, VOCABULARY, 7)
    data = b"".join(sample[name].tobytes() for name in sorted(sample))
    assert hashlib.sha256(data).hexdigest() == ("3f5a150105fb8ae1873547b6d40bef2bd185056f643ec0af132a48df05b7a9ac")
