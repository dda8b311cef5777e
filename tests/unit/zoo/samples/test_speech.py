"""Drawn log-mel features have the statistics of speech."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.unit.zoo.realism import is_realistic

from accelbench.errors import UsageError
from accelbench.model import Dataset
from accelbench.tensors import Record
from accelbench.zoo import feeds
from accelbench.zoo.samples.speech import BANDS, SHORTEST, STEPS, _centres, source, utterance

FRAMES = 800
FOLDER = Path()


def drawn(count: int, seed: int = 0, **options: Any) -> list[Record]:
    records, labels = source(Dataset("speech", count, seed, options={"frames": FRAMES, **options}), FOLDER)
    assert labels is None
    return list(records)


@pytest.fixture(scope="module")
def utterances() -> list[NDArray[np.float64]]:
    return [utterance(FRAMES, 0, index) / STEPS for index in range(24)]


def test_the_kind_is_known() -> None:
    assert feeds.KINDS["speech"] is source


def test_features_are_normalised_over_the_frames_that_are_used() -> None:
    for record in drawn(6):
        features, length = record["audio_signal"], int(record["length"])
        assert features.shape == (BANDS, FRAMES)
        assert features.dtype == np.dtype("float32")
        assert record["length"].shape == ()
        assert record["length"].dtype == np.dtype("int64")
        assert SHORTEST <= length <= FRAMES
        used = features[:, :length].astype(np.float64)
        assert np.abs(used.mean(axis=1)).max() < 1e-6
        assert np.abs(used.std(axis=1, ddof=1) - 1).max() < 1e-6
        assert not features[:, length:].any()


def test_whispers_front_end_keeps_eight_decades_and_pads_with_silence() -> None:
    for index, record in enumerate(drawn(6, normalisation="whisper")):
        features, levels = record["input_features"], utterance(FRAMES, 0, index)
        assert features.shape == (BANDS, FRAMES)
        assert features.dtype == np.dtype("float32")
        assert features.max() - features.min() <= 2
        assert features.max() == np.float32((levels.max() / STEPS + 4) / 4)
        assert (features[:, levels.shape[1] :] == np.float32(features.max() - 2)).all()


@given(st.integers(0, 2**31), st.integers(2, 5), st.sampled_from(["per-feature", "whisper"]))
@settings(max_examples=10, deadline=None)
def test_records_vary_and_have_real_lengths(seed: int, count: int, normalisation: str) -> None:
    records = drawn(count, seed, normalisation=normalisation)
    if normalisation == "per-feature" and len({int(record["length"]) for record in records}) == 1:
        records = [{"audio_signal": record["audio_signal"]} for record in records]
    assert is_realistic(records)
    assert all(np.isfinite(value).all() for record in records for value in record.values())
    assert not is_realistic([{name: 0 * value for name, value in record.items()} for record in records])


def test_lengths_spread_and_some_are_full(utterances: list[NDArray[np.float64]]) -> None:
    lengths = [levels.shape[1] for levels in utterances]
    assert 0.1 < np.mean([length == FRAMES for length in lengths]) < 0.5
    assert min(lengths) < FRAMES / 2
    assert len(set(lengths)) > 10


def test_the_energy_moves_at_the_rate_of_syllables(utterances: list[NDArray[np.float64]]) -> None:
    """Speech's energy is modulated at some 4 Hz (Houtgast and Steeneken 1985), and half of it is pauses."""
    power = np.zeros(50)
    for levels in utterances:
        energy = levels[5:60].mean(axis=0)
        for start in range(0, len(energy) - 199, 100):
            part = energy[start : start + 200]
            power += np.abs(np.fft.rfft((part - part.mean()) * np.hanning(200)))[1:51] ** 2
    hertz = np.arange(1, 51) * 100 / 200
    syllables, faster = power[(hertz >= 2) & (hertz <= 8)].sum(), power[hertz > 10].sum()
    assert syllables > 4 * faster


def test_loud_and_quiet_are_decades_apart(utterances: list[NDArray[np.float64]]) -> None:
    for levels in utterances:
        energy = levels.max(axis=0)
        assert 2 < np.quantile(energy, 0.98) - np.quantile(energy, 0.02) < 8


def test_vowels_are_low_and_consonants_high(utterances: list[NDArray[np.float64]]) -> None:
    centres = []
    for levels in utterances:
        power = 10.0**levels
        loud = power.sum(axis=0) > np.quantile(power.sum(axis=0), 0.5)
        centres.append((power * np.arange(BANDS)[:, None]).sum(axis=0)[loud] / power.sum(axis=0)[loud])
    every = np.concatenate(centres)
    assert (every < 30).mean() > 0.4
    assert (every > 50).mean() > 0.05


def test_neighbours_in_time_and_frequency_are_alike(utterances: list[NDArray[np.float64]]) -> None:
    for levels in utterances:
        assert np.corrcoef(levels[:, 1:].ravel(), levels[:, :-1].ravel())[0, 1] > 0.85
        assert np.corrcoef(levels[1:].ravel(), levels[:-1].ravel())[0, 1] > 0.85


def test_harmonics_ripple_in_the_low_bands(utterances: list[NDArray[np.float64]]) -> None:
    """Below 1 kHz bands are narrower than the pitch: levels go up and down from band to band."""
    ripples = [np.abs(np.diff(levels[:25], 2, axis=0)).mean() / np.abs(np.diff(levels[55:], 2, axis=0)).mean()
               for levels in utterances]  # fmt: skip
    assert np.median(ripples) > 1.05


def test_no_platforms_power_function_moves_a_band() -> None:
    mels = (15 + 27 * math.log(8.0) / math.log(6.4)) * np.arange(1, BANDS + 1) / (BANDS + 1)
    hertz = np.where(mels < 15, mels * 200 / 3, 1000 * 6.4 ** ((mels - 15) / 27))
    assert np.abs(np.abs(hertz - np.floor(hertz)) - 0.5).min() > 1e-4
    assert (np.diff(_centres()) > 0).all()


def test_the_same_everywhere() -> None:
    digest = hashlib.sha256(b"".join(utterance(FRAMES, 3, index).tobytes() for index in range(3))).hexdigest()
    assert digest[:16] == "6683b29d4d1fbba7"
    assert np.array_equal(utterance(FRAMES, 3, 1), utterance(FRAMES, 3, 1))


def test_options_are_checked() -> None:
    with pytest.raises(UsageError, match="normalisation one of per-feature, whisper, not 'loud'"):
        drawn(1, normalisation="loud")
    with pytest.raises(UsageError, match=r"dataset\.options\.frames"):
        source(Dataset("speech", 1), FOLDER)
    with pytest.raises(UsageError, match="at least 200"):
        drawn(1, frames=SHORTEST - 1)
