"""What the networks of a latent diffusion model meet: latents, noised ones with their time step, and encoded texts.

A latent is a picture at an eighth of its side in four channels, each a mixture of the colours with detail of its own,
of a standard deviation near one (R. Rombach et al., "High-resolution image synthesis with latent diffusion models",
arXiv:2112.10752, which rescale them so). Everything is sums, products and square roots in a fixed order, which IEEE 754
rounds correctly; so samples are the same on every machine.
"""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from accelbench.model import Dataset
from accelbench.zoo.samples.draws import Draws
from accelbench.zoo.samples.pictures import scene
from accelbench.zoo.samples.source import Source, number

SCALE = 0.18215
"""Latents are multiplied by it after the encoder and divided by it before the decoder (Stable Diffusion 1)."""

STEPS = 1000
BETAS = 0.00085, 0.012
"""The noise's variance at the first and at the last step; its root is linear in the step (Stable Diffusion 1)."""

COLOURS = ((0.9, 0.6, 0.6), (0.6, 0.9, 0.5), (-0.5, 0.6, 0.8), (-0.6, -0.8, -1.4))
"""How a channel mixes red, green and blue, whose range is −1 … 1."""

DETAIL = 0.5
WORDS = 2
"""Places of a text that are always taken: its beginning and its end."""

MASSIVE = 30.0


def source(dataset: Dataset, _folder: Path) -> Source:
    """Latents of option ``size`` as a decoder takes them, with the scale taken off."""
    size = number(dataset, "size")
    return ({"latent": (latent(i, size, dataset.seed) / SCALE).astype(np.float32)} for i in range(dataset.count)), None


def denoising(dataset: Dataset, _folder: Path) -> Source:
    """Noised latents of option ``size``, time steps, and texts of options ``tokens`` and ``width``."""
    size, length, width = (number(dataset, name) for name in ("size", "tokens", "width"))
    return (
        {
            **noised(index, dataset.count, size, dataset.seed),
            "encoder_hidden_states": text(index, length, width, dataset.seed),
        }
        for index in range(dataset.count)
    ), None


def latent(index: int, size: int, seed: int) -> NDArray[np.float64]:
    """The latent of picture ``index``: float64 [4, size, size]."""
    colours = (scene(size, seed, index).astype(np.float64) - 127.5) / 127.5
    noise = Draws(seed, f"latent/{size}/{index}").normal(4 * size * size).reshape(4, size, size)
    mixed = [red * colours[0] + green * colours[1] + blue * colours[2] for red, green, blue in COLOURS]
    result: NDArray[np.float64] = np.stack(mixed) + DETAIL * noise
    return result


def noised(index: int, count: int, size: int, seed: int) -> dict[str, NDArray[np.float32] | NDArray[np.int64]]:
    """``sample``, float32 [4, size, size]: a latent after the noise of its ``timestep``, an int64 of 1 … 999. The
    time steps of ``count`` samples lie in as many equal parts of that range."""
    draws = Draws(seed, f"denoising/{size}/{index}")
    step = 1 + ((STEPS - 1) * index + int(draws.below(STEPS - 1, 1)[0])) // count
    kept = _kept()[step]
    noise = draws.normal(4 * size * size).reshape(4, size, size)
    sample = math.sqrt(kept) * latent(index, size, seed) + math.sqrt(1 - kept) * noise
    return {"sample": sample.astype(np.float32), "timestep": np.array(step, np.int64)}


@cache
def _kept() -> list[float]:
    """The share of a latent's variance that is left after each step."""
    first, last = (math.sqrt(beta) for beta in BETAS)
    kept, left = [], 1.0
    for step in range(STEPS):
        root = first + (last - first) * step / (STEPS - 1)
        left *= 1 - root * root
        kept.append(left)
    return kept


def text(index: int, length: int, width: int, seed: int) -> NDArray[np.float32]:
    """An encoded text as CLIP's text encoder gives it after its last norm: float32 [length, width].

    The beginning is the same in all texts, with two massive channels (M. Sun et al., "Massive activations in large
    language models", arXiv:2402.17762); words follow, and padding, whose places are nearly alike. Text 0 is empty, as
    guidance without a classifier needs one.
    """
    channels = Draws(seed, f"text/{width}")
    mean, begin, pad = 0.5 * channels.normal(width), 0.3 * channels.normal(width), 0.6 * channels.normal(width)
    begin[channels.permutation(width)[:2]] = [MASSIVE, -MASSIVE]
    draws = Draws(seed, f"text/{length}/{width}/{index}")
    words = int(draws.between(3, length - WORDS, 1)[0]) if index else 0
    topic = (0.4 if index else 0.0) * draws.normal(width)
    own = draws.normal(length * width).reshape(length, width)
    places = np.arange(length)[:, None]
    rows = mean + topic + np.where(places <= words, 0.7 * own, pad + 0.1 * own)
    rows[0] = begin
    result: NDArray[np.float32] = rows.astype(np.float32)
    return result
