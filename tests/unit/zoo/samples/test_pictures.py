"""Drawn pictures have the statistics of photographs."""

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
from accelbench.tensors import Array
from accelbench.zoo.samples.pictures import IMAGENET_MEAN, IMAGENET_STD, pictures, scene, source

SIZE = 128


def spectrum(picture: Array) -> Array:
    """The power of a grey picture per spatial frequency 1, 2, … cycles, averaged over directions."""
    size = picture.shape[-1]
    window = np.hanning(size)
    power = abs(np.fft.fft2((picture - picture.mean()) * window * window[:, None])) ** 2
    frequency = np.fft.fftfreq(size, 1 / size)
    radius = np.hypot(frequency, frequency[:, None]).round().astype(int).ravel()
    return (np.bincount(radius, power.ravel()) / np.bincount(radius))[1 : size // 2]


@pytest.fixture(scope="module")
def scenes() -> Array:
    return np.stack([scene(SIZE, 0, index) for index in range(24)]).astype(np.float64)


def test_the_power_spectrum_falls_with_the_square_of_the_frequency(scenes: Array) -> None:
    mean = np.mean([(power := spectrum(photo.mean(axis=0))) / power.sum() for photo in scenes], axis=0)
    frequency = np.arange(3, SIZE // 4)
    slope = np.polyfit(np.log(frequency), np.log(mean[frequency - 1]), 1)[0]
    assert slope == pytest.approx(-2, abs=0.5)


def test_white_noise_and_blur_are_told_apart_from_photographs() -> None:
    noise = np.random.default_rng(0).normal(size=(SIZE, SIZE))
    frequency = np.arange(3, SIZE // 4)
    assert abs(np.polyfit(np.log(frequency), np.log(spectrum(noise)[frequency - 1]), 1)[0]) < 0.3


def test_channels_are_correlated(scenes: Array) -> None:
    for first, second in ((0, 1), (0, 2), (1, 2)):
        found = [np.corrcoef(photo[first].ravel(), photo[second].ravel())[0, 1] for photo in scenes]
        assert np.mean(found) > 0.8
        assert min(found) > 0.4
        assert max(found) < 0.9999, "they are no grey pictures"


def test_every_picture_has_contrast_and_differs_clearly_from_the_others(scenes: Array) -> None:
    assert (scenes.std(axis=(1, 2, 3)) > 15).all()
    flat = scenes.reshape(len(scenes), -1)
    distances = [np.abs(a - b).mean() for i, a in enumerate(flat) for b in flat[:i]]
    assert min(distances) > 15
    assert scenes.mean(axis=(1, 2, 3)).std() > 10, "some are dark, some are bright"


@settings(deadline=None, max_examples=30)
@given(st.integers(8, 70), st.integers(0, 100), st.integers(0, 100))
def test_pictures_of_any_size_are_realistic(size: int, seed: int, first: int) -> None:
    drawn = pictures(2, size, seed, first)
    assert (drawn.shape, drawn.dtype.name) == ((2, 3, size, size), "float32")
    assert is_realistic([{"image": picture} for picture in drawn])


def test_a_picture_depends_on_seed_size_and_place_alone() -> None:
    series = pictures(4, 16, 5)
    assert (pictures(2, 16, 5, first=2) == series[2:]).all()
    assert not (pictures(4, 16, 6) == series).all()


def test_pixels_are_normalised_as_networks_expect() -> None:
    photo = scene(16, 5, 0)
    mean, std = np.array(IMAGENET_MEAN), np.array(IMAGENET_STD)
    expected = (photo / 255.0 - mean[:, None, None]) / std[:, None, None]
    assert (pictures(1, 16, 5)[0] == expected.astype(np.float32)).all()


def test_golden_pictures() -> None:
    assert hashlib.sha256(pictures(3, 32, 5).tobytes()).hexdigest() == (
        "77db5bc3987afc3606f3d108ec693754b3ba70fb5e991990c326ff764e717d92"
    )
    assert hashlib.sha256(pictures(1, 224, 0).tobytes()).hexdigest() == (
        "1f83510551e69fcd6374b3cc121d7803668376d90504855258dc4175df76149a"
    )


def test_normalisations_are_of_the_same_picture() -> None:
    photo = scene(16, 5, 0)
    unit = pictures(1, 16, 5, normalisation="unit")[0]
    assert (unit == (photo / 255.0).astype(np.float32)).all()
    half = pictures(1, 16, 5, normalisation="half")[0]
    assert half == pytest.approx(2 * unit - 1, abs=1e-6)
    clip = pictures(1, 16, 5, normalisation="clip")[0]
    assert clip[2] == pytest.approx((unit[2] - 0.40821073) / 0.27577711, abs=1e-6)


def test_options_choose_name_and_normalisation() -> None:
    dataset = Dataset("images", 1, seed=5, options={"size": 16, "normalisation": "half", "input": "pixels"})
    (record,) = source(dataset, Path())[0]
    assert list(record) == ["pixels"]
    assert (record["pixels"] == pictures(1, 16, 5, normalisation="half")[0]).all()
    with pytest.raises(UsageError, match="normalisation one of imagenet, half, clip, unit, not 'none'"):
        source(Dataset("images", 1, options={"size": 16, "normalisation": "none"}), Path())
