"""Prompts and the states of decoding are what a decoder meets: real lengths, masks and positions that follow."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.zoo.realism import is_prefix, is_realistic

from accelbench.errors import UsageError
from accelbench.model import Dataset
from accelbench.tensors import Record
from accelbench.zoo.samples.prompts import decoding, source

WORDS = {"first": 17, "words": 49135}
HEADS = {"shared": [0.5, 0.0], "own": [1.0, 0.25]}


def prompts(count: int = 16, length: int = 128, seed: int = 0, **options: int) -> list[Record]:
    found, labels = source(
        Dataset("prompts", count, seed, options={**WORDS, "pad": 0, "length": length, **options}), Path()
    )
    assert labels is None
    return list(found)


def states(folder: Path, count: int = 16, past: int = 63, seed: int = 0) -> list[Record]:
    data = json.dumps({"tensors": {f"past_key_values.0.{kind}": HEADS for kind in ("key", "value")}}).encode()
    (folder / "cache.json").write_bytes(data)
    sha256 = hashlib.sha256(data).hexdigest()
    found, labels = decoding(
        Dataset("decoding", count, seed, "cache.json", sha256, {**WORDS, "past": past, "width": 16}), folder
    )
    assert labels is None
    return list(found)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 300), st.integers(0, 9), st.integers(0, 300), st.integers(2, 60_000), st.booleans())
def test_every_prompt_is_well_formed(length: int, seed: int, first: int, words: int, starts: bool) -> None:
    start = {"start": 70_000} if starts else {}
    for sample in prompts(4, length, seed, first=first, words=words, pad=80_000, **start):
        ids, mask, positions = (sample[name] for name in ("input_ids", "attention_mask", "position_ids"))
        assert {(array.shape, array.dtype.name) for array in sample.values()} == {((length,), "int64")}
        assert is_prefix(mask[::-1]), "padding is on the left"
        used = int(mask.sum())
        assert used >= length // 4
        assert (ids[: length - used] == 80_000).all()
        assert (positions == np.maximum(np.cumsum(mask) - 1, 0)).all()
        text = ids[length - used :]
        assert not starts or text[0] == 70_000
        assert ((text[starts:] >= first) & (text[starts:] < first + words)).all()


def test_prompts_are_realistic() -> None:
    samples = prompts(64)
    assert is_realistic(samples)
    lengths = [int(sample["attention_mask"].sum()) for sample in samples]
    assert 8 <= lengths.count(128) <= 24, "one in four fills the length"
    assert len(set(lengths)) > 30
    words = np.concatenate([sample["input_ids"][sample["attention_mask"] == 1] for sample in samples])
    counts = np.sort(np.unique(words, return_counts=True)[1])[::-1]
    assert 0.01 < counts[0] / counts.sum() < 0.1, "Zipf: the commonest word"
    assert (counts == 1).mean() > 0.5, "and many that come once"
    assert words.max() > 0.9 * (WORDS["first"] + WORDS["words"])


def test_states_of_decoding(tmp_path: Path) -> None:
    samples = states(tmp_path)
    assert is_realistic(samples)
    for sample in samples:
        mask, position = sample["attention_mask"], int(sample["position_ids"][0])
        assert mask.shape == (64,)
        assert is_prefix(mask[::-1])
        assert int(mask.sum()) == position + 1, "the cached tokens and the own one"
        assert sample["input_ids"].shape == (1,)
        for kind in ("key", "value"):
            past = sample[f"past_key_values.0.{kind}"]
            assert (past.shape, past.dtype) == ((2, 63, 16), np.dtype(np.float32))
            assert not past[:, : 63 - position].any()
            assert past[:, 63 - position :].any(axis=-1).all()


def test_keys_and_values_have_the_moments_of_the_file(tmp_path: Path) -> None:
    shared, own = [], []
    for sample in states(tmp_path, count=64):
        for kind in ("key", "value"):
            used = sample[f"past_key_values.0.{kind}"][:, 63 - int(sample["position_ids"][0]) :]
            shared.append(used.mean(1) if used.shape[1] == 63 else np.full((2, 16), np.nan, np.float32))
            own.append(used.std(1, ddof=1) ** 2)
    assert np.sqrt(np.mean(own, axis=(0, 2))) == pytest.approx(HEADS["own"], rel=0.05)
    assert np.nanstd(shared, axis=(0, 2)) == pytest.approx([0.5, 0.03], abs=0.06)


def test_same_seed_same_bits_other_seed_others(tmp_path: Path) -> None:
    def digest(samples: list[Record]) -> str:
        return hashlib.sha256(b"".join(s[name].tobytes() for s in samples for name in sorted(s))).hexdigest()

    for make in (prompts, lambda **words: states(tmp_path, **words)):
        made = digest(make(count=4))
        assert made == digest(make(count=4))
        assert made != digest(make(count=4, seed=1))
        assert made != digest(make(count=5)[1:])
    assert digest(prompts(count=4)) == "009b87d1e3c74d9e7007e1c25996e1912d357d7c949f93cf68ecadf76734aaa4"
    assert digest(states(tmp_path, count=4)) == "69cf40f784759016a7e86fda6868c770d584f7794ea3d22963ab3d6c77b315fa"


def test_a_file_that_holds_no_moments(tmp_path: Path) -> None:
    (tmp_path / "cache.json").write_text('{"tensors": {"a": [1]}}')
    sha256 = hashlib.sha256((tmp_path / "cache.json").read_bytes()).hexdigest()
    options = {**WORDS, "past": 63, "width": 16}
    with pytest.raises(UsageError, match=r"cache\.json holds no moments of keys and values"):
        decoding(Dataset("decoding", 4, 0, "cache.json", sha256, options), tmp_path)
    with pytest.raises(UsageError, match=r"dataset\.options\.width"):
        decoding(Dataset("decoding", 4, 0, "cache.json", sha256, {**WORDS, "past": 63}), tmp_path)
