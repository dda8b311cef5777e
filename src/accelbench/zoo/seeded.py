"""Seeded weights: every tensor is drawn from a stream of its own by a transform that gives the same bits everywhere.

**Stream.** Philox 4×64 with ten rounds (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"), key =
(seed, first eight bytes of SHA-256 of the tensor's name in UTF-8, little-endian), counter 1, 2, 3, …, four 64-bit words
per counter. A tensor's values do not depend on any other tensor, nor on the order in which tensors are drawn.

**normal.** Two words a, b make one value. Their eight 16-bit pieces are added to an integer S; c = S − 262140 lies in
−262140 … 262140 and float32 holds it exactly. The value is float32(mean) + float32(std ÷ √(8·(2³² − 1)/12)) · c in
float32, rounded after the product and after the sum. That is the Irwin-Hall distribution of eight uniforms: mean and
standard deviation are the normal's, excess kurtosis is −0.15, and nothing lies beyond 4.9 standard deviations.

**uniform.** One word makes one value: float32(low) + float32((high − low) ÷ 2²⁴) · (its upper 24 bits).

**constant.** The value ``mean``; nothing is drawn.

The scales are computed in float64 with the four operations and the square root, which IEEE 754 rounds correctly, so no
platform's mathematical library has a say in the result.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from accelbench.model import STRICT

TRANSFORM = 1
"""Version of the transform described above: part of the identity of everything drawn."""

CHUNK = 1 << 16
"""Values per step: the working set stays in a core's cache."""

_PIECES = np.uint64(0x0000FFFF0000FFFF)
_SCALE = math.sqrt(8 * (2**32 - 1) / 12)
_CENTRE = 4 * 65535


@dataclass(frozen=True)
class Moments:
    """How a tensor is drawn: ``normal`` (``mean``, ``std``), ``uniform`` (``low``, ``high``), ``constant`` (``mean``)
    or ``stored`` (shipped with the task, because it was measured and not drawn)."""

    __pydantic_config__ = STRICT

    kind: Literal["normal", "uniform", "constant", "stored"]
    mean: float = 0.0
    std: float = 0.0
    low: float = 0.0
    high: float = 0.0


def draw(name: str, count: int, moments: Moments, seed: int) -> NDArray[np.float32]:
    """The ``count`` values of tensor ``name`` in row-major order, float32."""
    return np.concatenate([*chunks(name, count, moments, seed), np.empty(0, np.float32)])


def chunks(name: str, count: int, moments: Moments, seed: int) -> Iterator[NDArray[np.float32]]:
    """The same values in pieces, for tensors that need not fit in memory."""
    if moments.kind == "stored":
        raise ValueError(f"{name} is stored with its task and cannot be drawn")
    stream = np.random.Philox(key=np.array([seed, _name_key(name)], np.uint64))
    for start in range(0, count, CHUNK):
        size = min(CHUNK, count - start)
        if moments.kind == "normal":
            yield _normal(stream, size, moments)
        elif moments.kind == "uniform":
            yield _uniform(stream, size, moments)
        else:
            yield np.full(size, moments.mean, np.float32)


def _name_key(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")


def _normal(stream: np.random.Philox, size: int, moments: Moments) -> NDArray[np.float32]:
    words: NDArray[np.uint64] = stream.random_raw(2 * size)
    pairs = (words & _PIECES) + ((words >> np.uint64(16)) & _PIECES)
    sums = pairs.view(np.uint32).reshape(size, 4)
    total = (sums[:, 0] + sums[:, 1]) + (sums[:, 2] + sums[:, 3])
    values = (total.astype(np.int32) - np.int32(_CENTRE)).astype(np.float32)
    values *= np.float32(moments.std / _SCALE)
    values += np.float32(moments.mean)
    return values


def _uniform(stream: np.random.Philox, size: int, moments: Moments) -> NDArray[np.float32]:
    words: NDArray[np.uint64] = stream.random_raw(size)
    values = (words >> np.uint64(40)).astype(np.float32)
    values *= np.float32((moments.high - moments.low) / 2**24)
    values += np.float32(moments.low)
    return values
