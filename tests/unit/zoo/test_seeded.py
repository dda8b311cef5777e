"""The transform of seeded weights is a promise: the same bits on every machine and with every NumPy."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelbench.zoo.seeded import CHUNK, Moments, chunks, draw

NORMAL = Moments("normal", mean=0.5, std=0.02)
UNIFORM = Moments("uniform", low=-0.25, high=0.75)


def philox(key: tuple[int, int], count: int) -> list[int]:
    """Philox 4×64 with ten rounds, written down from Salmon et al. 2011; the counter starts at 1."""
    mask = 2**64 - 1
    words: list[int] = []
    for counter in range(1, -(-count // 4) + 1):
        a, b, c, d = counter, 0, 0, 0
        k0, k1 = key
        for _ in range(10):
            low, high = a * 0xD2E7470EE14C6C93, c * 0xCA5A826395121157
            a, b, c, d = (high >> 64) ^ b ^ k0, high & mask, (low >> 64) ^ d ^ k1, low & mask
            k0, k1 = (k0 + 0x9E3779B97F4A7C15) & mask, (k1 + 0xBB67AE8584CAA73B) & mask
        words += [a, b, c, d]
    return words[:count]


def name_key(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")


def test_normal_is_the_documented_transform() -> None:
    words = philox((7, name_key("conv.weight")), 20)
    sums = [
        sum((w >> shift) & 0xFFFF for w in words[2 * i : 2 * i + 2] for shift in (0, 16, 32, 48)) for i in range(10)
    ]
    scale = np.float32(0.02 / np.sqrt(8 * (2**32 - 1) / 12))
    expected = [np.float32(0.5) + scale * np.float32(total - 262140) for total in sums]
    assert draw("conv.weight", 10, NORMAL, 7).tolist() == [float(value) for value in expected]


def test_uniform_is_the_documented_transform() -> None:
    words = philox((7, name_key("fc.weight")), 10)
    expected = [float(np.float32(-0.25) + np.float32(1 / 2**24) * np.float32(word >> 40)) for word in words]
    assert draw("fc.weight", 10, UNIFORM, 7).tolist() == expected


@pytest.mark.parametrize(
    ("moments", "golden"),
    [
        (NORMAL, "4221f8bd35e21d45c8c7fe1335f023d1168fc46acb63d50ba6aaba6fa15f0048"),
        (UNIFORM, "58222ea5ff02c71ffcd278502ae6300383c40141a1e2a7673e56af338ad7c155"),
        (Moments("constant", mean=1.0), "2719bea47bcadb877ae01452921e297e9c664a0da2d32973a8e4a4efc05c880b"),
    ],
)
def test_golden_hashes(moments: Moments, golden: str) -> None:
    values = draw("layer.0.weight", 100_003, moments, 42).astype("<f4")
    assert hashlib.sha256(values.tobytes()).hexdigest() == golden


@given(st.integers(1, 3 * CHUNK), st.sampled_from([NORMAL, UNIFORM, Moments("constant", mean=2.0)]))
def test_a_tensor_begins_like_a_longer_one_and_pieces_have_the_whole_length(count: int, moments: Moments) -> None:
    pieces = list(chunks("x", count, moments, 0))
    assert sum(piece.size for piece in pieces) == count
    assert max(piece.size for piece in pieces) <= CHUNK
    head = min(count, 50)
    np.testing.assert_array_equal(pieces[0][:head], draw("x", head, moments, 0))


def test_moments_are_met() -> None:
    normal, uniform = draw("n", 400_000, NORMAL, 1), draw("u", 400_000, UNIFORM, 1)
    assert abs(float(normal.mean()) - 0.5) < 4 * 0.02 / 400_000**0.5
    assert abs(float(normal.std()) / 0.02 - 1) < 0.005
    assert abs(normal - 0.5).max() <= 4.9 * 0.02
    assert -0.25 <= float(uniform.min()) < -0.249
    assert 0.749 < float(uniform.max()) <= 0.75
    assert abs(float(uniform.mean()) - 0.25) < 0.002


def test_names_and_seeds_are_independent_streams() -> None:
    first = draw("a", 10_000, NORMAL, 0) - 0.5
    for other in (draw("b", 10_000, NORMAL, 0), draw("a", 10_000, NORMAL, 1)):
        assert abs(np.corrcoef(first, other)[0, 1]) < 0.04


def test_empty_tensors_are_empty_and_stored_ones_cannot_be_drawn() -> None:
    assert draw("x", 0, NORMAL, 0).shape == (0,)
    with pytest.raises(ValueError, match="x is stored"):
        draw("x", 1, Moments("stored"), 0)
