"""Latents look like pictures, noise follows the time step, and texts like encoded ones."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from tests.unit.zoo.realism import is_realistic

from accelbench.model import Dataset
from accelbench.tensors import Array
from accelbench.zoo.samples.latents import SCALE, denoising, latent, noised, source, text

SIZE = 32


def correlation(first: Array, second: Array) -> float:
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1])


@pytest.fixture(scope="module")
def latents() -> Array:
    return np.stack([latent(index, SIZE, 0) for index in range(12)])


def test_latents_have_a_deviation_near_one_and_neighbours_that_are_alike(latents: Array) -> None:
    assert latents.std() == pytest.approx(1, abs=0.25)
    for channel in range(4):
        maps = latents[:, channel]
        assert 0.3 < correlation(maps[:, :, 1:], maps[:, :, :-1]) < 0.98
        assert abs(maps.mean()) < 0.7


def test_the_decoder_gets_them_with_the_scale_taken_off(latents: Array) -> None:
    records = list(source(Dataset("latents", 3, options={"size": SIZE}), Path())[0])
    assert is_realistic(records)
    assert records[0]["latent"].dtype == np.float32
    assert np.allclose(records[2]["latent"] * SCALE, latents[2], atol=1e-5)


@pytest.mark.parametrize("count", [1, 2, 3, 50])
def test_time_steps_lie_in_equal_parts_of_the_whole_range(count: int) -> None:
    steps = [int(noised(index, count, 4, 0)["timestep"]) for index in range(count)]
    assert all(1 + 999 * i // count <= step <= 1 + 999 * (i + 1) // count for i, step in enumerate(steps))
    assert max(steps) <= 999
    assert steps == sorted(steps)


def test_noise_grows_with_the_step_and_the_scale_stays() -> None:
    samples = [noised(index, 20, SIZE, 0) for index in range(20)]
    shares = [correlation(sample["sample"], latent(index, SIZE, 0)) for index, sample in enumerate(samples)]
    assert shares[0] > 0.99
    assert abs(shares[-1]) < 0.15
    assert shares[0] > np.mean(shares[4:8]) + 0.1 > np.mean(shares[12:16]) + 0.3
    assert np.std([sample["sample"] for sample in samples]) == pytest.approx(1, abs=0.2)


def test_texts_begin_alike_and_padding_is_nearly_constant() -> None:
    rows = np.stack([text(index, 77, 64, 0) for index in range(6)])
    assert (rows[:, 0] == rows[0, 0]).all()
    assert np.sort(abs(rows[0, 0]))[-2:].min() > 10
    assert np.std(rows[0, 1:], axis=0).mean() < 0.2, "the empty text is padding alone"
    assert np.std(rows[1:, 1:4], axis=(0, 1)).mean() > 0.5, "other texts have words"
    assert len({row.tobytes() for row in rows}) == 6


def test_samples_of_the_denoiser_are_whole_and_the_same_everywhere() -> None:
    options = {"size": 8, "tokens": 9, "width": 16}
    records = list(denoising(Dataset("denoising", 3, 1, options=options), Path())[0])
    assert is_realistic(records)
    assert {name: (value.shape, value.dtype.name) for name, value in records[0].items()} == {
        "sample": ((4, 8, 8), "float32"),
        "timestep": ((), "int64"),
        "encoder_hidden_states": ((9, 16), "float32"),
    }
    digest = hashlib.sha256(b"".join(value.tobytes() for record in records for value in record.values())).hexdigest()
    assert digest[:16] == "ce9b9bb02b2148c4"
