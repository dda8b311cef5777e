"""Pictures with the statistics of photographs, drawn instead of shipped.

A scene is a pile of occluding discs, the dead-leaves model: with radii of density r^-3 it has the scale invariance,
the edges and the power spectrum (about f^-2) of natural images (A. B. Lee, D. Mumford, J. Huang, "Occlusion models for
natural images", IJCV 41, 2001). Each disc has a colour, a shading and a grain of 1/f texture. Colours vary much more in
brightness than in hue, as D. Ruderman, T. Cronin and C.-C. Chiao found ("Statistics of cone responses to natural
images", JOSA A 15, 1998). Scenes differ from one another in palette, brightness, contrast, scale and texture.

Everything up to the eight-bit pixel is integer arithmetic, or division and square root, which IEEE 754 rounds
correctly; so pictures are the same on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from accelbench.model import Dataset
from accelbench.zoo.samples.draws import Draws
from accelbench.zoo.samples.source import Source, choice, number

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
NORMALISATIONS: Mapping[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "imagenet": (IMAGENET_MEAN, IMAGENET_STD),
    "half": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    "clip": ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)),
    "unit": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
}
"""Mean and standard deviation per channel of pixels in 0 … 1, which are taken off: ImageNet's, those that make −1 … 1
(ViT, SigLIP, diffusion models), those of CLIP's training set (Radford et al. 2021), and none."""

OVERSAMPLING = 2
COVER = 6
"""Area of all discs ÷ area of the picture: exp(-6) of it stays background."""


def source(dataset: Dataset, _folder: Path) -> Source:
    """Pictures of option ``size``, one of which is a sample, called by option ``input`` (``image``, if not given), with
    option ``normalisation`` (one of ``NORMALISATIONS``; ``imagenet``, if not given)."""
    size, normalisation = number(dataset, "size"), choice(dataset, "normalisation", NORMALISATIONS, "imagenet")
    name = str(dataset.options.get("input", "image"))
    drawn = (pictures(1, size, dataset.seed, index, normalisation)[0] for index in range(dataset.count))
    return ({name: picture} for picture in drawn), None


def pictures(count: int, size: int, seed: int, first: int = 0, normalisation: str = "imagenet") -> NDArray[np.float32]:
    """``count`` pictures as networks take them: float32 [count, 3, size, size], RGB, with the mean and the standard
    deviation per channel of a normalisation taken off. They are the pictures ``first`` and following of an endless
    series that ``seed`` and ``size`` name."""
    result = np.empty((count, 3, size, size), np.float32)
    levels = np.arange(256) / 255.0
    moments = zip(*NORMALISATIONS[normalisation], strict=True)
    tables = [((levels - mean) / std).astype(np.float32) for mean, std in moments]
    for i in range(count):
        photo = scene(size, seed, first + i)
        for channel, table in enumerate(tables):
            result[i, channel] = table[photo[channel]]
    return result


def scene(size: int, seed: int, index: int) -> NDArray[np.uint8]:
    """One picture before normalisation: uint8 [3, size, size]."""
    draws = Draws(seed, f"picture/{size}/{index}")
    fine = size * OVERSAMPLING
    smallest = OVERSAMPLING * int(draws.between(2, 4, 1)[0])
    largest = max(smallest + 1, fine * int(draws.between(25, 60, 1)[0]) // 100)
    leaves = _leaves(draws, fine, smallest, largest)
    colours, grain = _palette(draws, int(leaves.max()) + 1)

    texture = _texture(draws, size)
    coarse = np.empty((3, size, size), np.int64)
    for channel in range(3):
        coarse[channel] = _box(colours[channel][leaves])
    strength = _box(grain[leaves])
    # The texture scales the light that a surface sends back; 2^16 is "as is".
    light = (1 << 16) + strength * texture
    pixels = (coarse * np.maximum(light, 0)) >> 16
    photo: NDArray[np.uint8] = np.clip(pixels, 0, 255).astype(np.uint8)
    return photo


def _leaves(draws: Draws, fine: int, smallest: int, largest: int) -> NDArray[np.int32]:
    """Which disc is seen at each point, int32 [fine, fine]; 0 is the background."""
    # The mean of r² under the density r^-3 on [smallest, largest] is 2·ln(largest/smallest)·smallest² and a little.
    octaves = (largest // smallest).bit_length()
    count = COVER * fine * fine // (4 * octaves * smallest * smallest) + 16
    ratio = smallest / largest
    radii = np.floor(smallest / np.sqrt(1.0 - draws.unit(count) * (1.0 - ratio * ratio))).astype(np.int64)
    margin = largest // 2
    columns = draws.between(-margin, fine + margin, count)
    rows = draws.between(-margin, fine + margin, count)

    seen = np.zeros((fine, fine), np.int32)
    for leaf, (x, y, r) in enumerate(zip(columns.tolist(), rows.tolist(), radii.tolist(), strict=True), 1):
        left, right, top, bottom = max(x - r, 0), min(x + r + 1, fine), max(y - r, 0), min(y + r + 1, fine)
        if left < right and top < bottom:
            disc = _disc(r)[top - y + r : bottom - y + r, left - x + r : right - x + r]
            np.copyto(seen[top:bottom, left:right], leaf, where=disc)
    return seen


@cache
def _disc(radius: int) -> NDArray[np.bool_]:
    squares = np.arange(-radius, radius + 1) ** 2
    return squares[:, None] + squares[None, :] <= radius * radius


def _palette(draws: Draws, count: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Colours int32 [3, count] and strengths of texture int32 [count] of a scene's surfaces."""
    base, warmth, tint = (int(draws.between(-r, r, 1)[0]) for r in (45, 30, 12))
    contrast = int(draws.between(25, 100, 1)[0])
    saturation = int(draws.between(5, 30, 1)[0])
    grey = 120 + base + _bell(draws, contrast, count)
    yellow = warmth + _bell(draws, saturation, count)
    red = tint + _bell(draws, saturation // 2, count)
    colours = np.stack([grey + yellow // 2 + red, grey + yellow // 2 - red, grey - yellow])
    grain = draws.between(2, int(draws.between(20, 120, 1)[0]), count)
    return np.clip(colours, 4, 251).astype(np.int32), grain.astype(np.int32)


def _bell(draws: Draws, width: int, count: int) -> NDArray[np.int64]:
    """Integers of mean 0 and a standard deviation of about ``width``: the sum of three uniform ones."""
    total: NDArray[np.int64] = draws.between(-width, width, 3 * count).reshape(3, count).sum(axis=0)
    return total


def _texture(draws: Draws, size: int) -> NDArray[np.int64]:
    """Noise with equal energy in each octave, a spectrum of f^-2: int64 [size, size], about ±500."""
    total = np.zeros((size, size), np.int64)
    for octave in range(size.bit_length()):
        step = 1 << octave
        cells = size // step + 2
        knots = draws.between(-256, 256, cells * cells).reshape(cells, cells)
        cell, part = np.divmod(np.arange(size), step)
        along = knots[cell] * (step - part)[:, None] + knots[cell + 1] * part[:, None]
        total += (along[:, cell] * (step - part) + along[:, cell + 1] * part) >> (2 * octave)
    return total


def _box(fine: NDArray[np.int32]) -> NDArray[np.int64]:
    """The mean over blocks of ``OVERSAMPLING`` squared, rounded down."""
    rows = sum(fine[k::OVERSAMPLING].astype(np.int64) for k in range(OVERSAMPLING))
    total = np.asarray(sum(np.asarray(rows)[:, k::OVERSAMPLING] for k in range(OVERSAMPLING)))
    return total // OVERSAMPLING**2
