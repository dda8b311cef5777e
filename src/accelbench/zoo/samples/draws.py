"""Random numbers that are the same on every machine and with every NumPy: Philox's raw words, transformed here.

NumPy promises the bit stream of a bit generator, but not what ``Generator`` makes of it; so the transforms are spelled
out. All of them use integers, or IEEE operations that are exact or correctly rounded, unless their text says otherwise.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray


class Draws:
    """A stream named by a seed and a label: equal names give equal numbers, different names independent ones."""

    def __init__(self, seed: int, label: str) -> None:
        digest = hashlib.sha256(f"{seed}/{label}".encode()).digest()
        self._philox = np.random.Philox(key=int.from_bytes(digest[:16], "little"))

    def words(self, count: int) -> NDArray[np.uint64]:
        """The next ``count`` raw words, uniform over 64 bits."""
        return np.asarray(self._philox.random_raw(count), dtype=np.uint64)

    def below(self, bound: int, count: int) -> NDArray[np.int64]:
        """``count`` integers in [0, bound), ``bound`` at most 2^32: half a word times the bound, shifted back (Lemire
        2019 without rejection; the bias is below bound ÷ 2^32)."""
        high = self.words(count) >> np.uint64(32)
        return ((high * np.uint64(bound)) >> np.uint64(32)).astype(np.int64)

    def between(self, low: int, high: int, count: int) -> NDArray[np.int64]:
        """``count`` integers in [low, high], both ends included."""
        return low + self.below(high - low + 1, count)

    def unit(self, count: int) -> NDArray[np.float64]:
        """``count`` multiples of 2^-53 in [0, 1)."""
        return (self.words(count) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def normal(self, count: int) -> NDArray[np.float64]:
        """``count`` values of mean 0 and variance 1, nearly normal: the sum of twelve uniform ones less six. Its range
        is ±6, and unlike transforms through logarithms it is exact."""
        uniform = self.unit(12 * count).reshape(12, count)
        total: NDArray[np.float64] = np.full(count, -6.0)
        for row in uniform:
            total += row
        return total

    def permutation(self, count: int) -> NDArray[np.int64]:
        """The integers below ``count`` in random order."""
        return np.argsort(self.words(count), kind="stable").astype(np.int64)
