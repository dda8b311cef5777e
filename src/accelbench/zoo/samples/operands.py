"""What operators take inside trained networks: hidden states of tokens, rectified feature maps, positions, bags of ids.

Hidden states of transformers are not white noise: some channels are many times as large as the others (Dettmers et al.
2022, "LLM.int8()", arXiv:2208.07339), so are some tokens, channels are correlated, and neighbours resemble each other.
So values are sums of a few latent factors, which change slowly along the sequence or over the picture, and of noise,
times the gain of their channel (Pareto's tail, up to 16 times the smallest one). What belongs to a channel is the same
in all samples and for every seed, as in one trained network.

All of it is integer arithmetic, or float64 operations that IEEE 754 rounds correctly, in an order that is written here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from accelbench.errors import UsageError
from accelbench.model import Dataset
from accelbench.tensors import Array
from accelbench.zoo.samples.draws import Draws
from accelbench.zoo.samples.source import Source

FACTORS = 8
LOADING = 0.25
"""Deviation of a factor's share in a channel: together they have half of the variance."""

NOISE = 0.75
OFFSET = 0.5
CHANNEL_TAIL, TOKEN_TAIL = 256, 16
"""Square of the largest gain ÷ the smallest one."""

REMAINS = 0.875
"""What remains of a factor from one place to the next: its covariance is exp(−distance ÷ 7.5)."""

LONGEST_CONTEXT = 4096

Floats = NDArray[np.float64]


def source(dataset: Dataset, _folder: Path) -> Source:
    """Records with one tensor per option, whose value says what it is: a form, its sizes, and for ids their bound.

    ``tokens [heads ×] steps × width`` and ``maps channels × height × width`` are float32, ``positions steps`` int64,
    ``ids bags × places bound`` int64, ``shares bags × places`` float32. Raises UsageError for any other text.
    """
    forms = {name: parse(name, str(text)) for name, text in sorted(dataset.options.items())}
    return (
        {
            name: FORMS[form](Draws(dataset.seed, f"operands/{name}/{index}"), name, *sizes)
            for name, (form, sizes) in forms.items()
        }
        for index in range(dataset.count)
    ), None


def parse(name: str, text: str) -> tuple[str, tuple[int, ...]]:
    """The form and the numbers in an option such as ``tokens 512x768`` or ``ids 64x32 500000``."""
    form, _, rest = text.partition(" ")
    numbers = rest.replace("x", " ").split()
    if form not in FORMS or len(numbers) != NUMBERS[form] or not all(n.isdecimal() and int(n) > 0 for n in numbers):
        raise UsageError(
            f"dataset.options.{name} is {text!r}: say one of {', '.join(FORMS)} and sizes, as in 'tokens 512x768'"
        )
    return form, tuple(int(number) for number in numbers)


def tokens(draws: Draws, name: str, steps: int, width: int) -> Array:
    """Hidden states float32 [steps, width], of root mean square near 1."""
    factors = smooth(normal(draws, steps * FACTORS).reshape(steps, FACTORS), 0)
    loadings, offsets, gains = _channels(name, width)
    values = NOISE * normal(draws, steps * width).reshape(steps, width) + offsets
    for k in range(FACTORS):
        values += factors[:, k : k + 1] * loadings[k]
    values *= gains
    values *= _gains(draws, steps, TOKEN_TAIL)[:, None]
    return values.astype(np.float32)


def maps(draws: Draws, name: str, channels: int, height: int, width: int) -> Array:
    """Feature maps after a rectifier, float32 [channels, height, width]: about half of the values are zero."""
    factors = normal(draws, FACTORS * height * width).reshape(FACTORS, height, width)
    factors = smooth(smooth(factors, 1), 2)
    loadings, offsets, gains = _channels(name, channels)
    values = NOISE * normal(draws, channels * height * width).reshape(channels, height, width)
    values += offsets[:, None, None]
    for k in range(FACTORS):
        values += factors[k] * loadings[k][:, None, None]
    return (np.maximum(values, 0.0) * gains[:, None, None]).astype(np.float32)


def positions(draws: Draws, _name: str, steps: int) -> Array:
    """Places of consecutive tokens in a context that began before them: int64 [steps]."""
    return int(draws.between(0, max(0, LONGEST_CONTEXT - steps), 1)[0]) + np.arange(steps)


def ids(draws: Draws, name: str, bags: int, places: int, bound: int) -> Array:
    """Row numbers of a table, int64 [bags, places] in [0, bound), rank r with a frequency near 1/(r + 1), and ranks
    scattered over the table. Octaves of ranks are equally likely, and ranks of an octave are."""
    octaves = draws.below(bound.bit_length(), bags * places)
    inside = draws.unit(bags * places)
    ranks = np.minimum(np.floor((1.0 + inside) * (1 << octaves)).astype(np.int64) - 1, bound - 1)
    return _scattered(name, bound)[ranks].reshape(bags, places)


@cache
def _scattered(name: str, bound: int) -> NDArray[np.int64]:
    return Draws(0, f"operands/{name}/{bound}").permutation(bound)


def shares(draws: Draws, _name: str, bags: int, places: int) -> Array:
    """Weights of the ids in a bag, float32 [bags, places]: between a quarter and one in the places that are used, of
    which there are one to all, and zero behind them."""
    used = 1 + draws.below(places, bags)
    weights = 0.25 + 0.75 * draws.unit(bags * places).reshape(bags, places)
    return np.where(np.arange(places) < used[:, None], weights, 0.0).astype(np.float32)


FORMS: Mapping[str, Callable[..., Array]] = {
    "tokens": tokens, "maps": maps, "positions": positions, "ids": ids, "shares": shares,
}  # fmt: skip
NUMBERS = {"tokens": 2, "maps": 3, "positions": 1, "ids": 3, "shares": 2}


def normal(draws: Draws, count: int) -> Floats:
    """``count`` values of mean 0 and variance 1, nearly normal: four uniform 16-bit integers, added."""
    pieces = draws.words(count).view(np.uint16).reshape(count, 4)
    values: Floats = pieces.sum(axis=1, dtype=np.int64).astype(np.float64) - 2 * 65535
    return values / math.sqrt(4 * (2**32 - 1) / 12)


def smooth(values: Floats, axis: int) -> Floats:
    """White noise made a stationary process of first order along an axis; its variance stays."""
    result = np.moveaxis(values.copy(), axis, 0)
    fresh = math.sqrt(1.0 - REMAINS * REMAINS)
    for place in range(1, len(result)):
        result[place] = REMAINS * result[place - 1] + fresh * result[place]
    return np.moveaxis(result, 0, axis)


def _channels(name: str, count: int) -> tuple[Floats, Floats, Floats]:
    """Loadings [FACTORS, count], offsets and gains [count] of an operand's channels."""
    draws = Draws(0, f"operands/{name}/channels/{count}")
    loadings = LOADING * normal(draws, FACTORS * count).reshape(FACTORS, count)
    return loadings, OFFSET * normal(draws, count), _gains(draws, count, CHANNEL_TAIL)


def _gains(draws: Draws, count: int, tail: int) -> Floats:
    """Gains g with a density in proportion to g^-3 between two bounds, √tail apart, of mean square 1."""
    share = 1.0 - draws.unit(count) * (1.0 - 1.0 / tail)
    gains: Floats = 1.0 / np.sqrt(share)
    return gains / math.sqrt(SQUARES[tail])


SQUARES = {256: 5.567, 16: 2.957}
"""Mean squares of gains before they are scaled: ln(tail) ÷ (1 − 1/tail)."""
