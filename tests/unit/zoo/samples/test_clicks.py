"""Rows of clicks use every field's whole range, with heavy tails and Zipf's frequencies."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.zoo.realism import is_realistic

from accelbench.zoo.samples.clicks import CARDINALITIES, DENSE, clicks


@given(st.integers(1, 40), st.integers(0, 9), st.lists(st.integers(1, 10**6), min_size=1, max_size=5))
def test_ids_stay_in_their_tables_and_touch_both_ends(count: int, seed: int, cardinalities: list[int]) -> None:
    dense, sparse = clicks(count, seed, cardinalities)
    assert (dense.shape, dense.dtype.name) == ((count, DENSE), "float32")
    assert (sparse.shape, sparse.dtype.name) == ((count, len(cardinalities)), "int64")
    assert (sparse.min(axis=0) == 0).all()
    assert (sparse < cardinalities).all()
    if count > 1:
        assert (sparse.max(axis=0) == np.array(cardinalities) - 1).all()


def test_the_fields_are_those_of_the_wide_and_deep_task() -> None:
    assert len(CARDINALITIES) == 26
    assert max(CARDINALITIES) == 100_000


def test_frequencies_follow_zipf() -> None:
    sparse = clicks(50_000, 0, [100_000])[1][:, 0]
    counts = np.bincount(sparse)[:30]
    slope = np.polyfit(np.log(np.arange(30) + 1.5), np.log(counts), 1)[0]
    assert slope == pytest.approx(-1, abs=0.05)


def test_counts_have_gaps_and_heavy_tails() -> None:
    dense = clicks(20_000, 0)[0]
    counts = np.expm1(dense[:, 0].astype(np.float64))
    assert np.mean(dense == 0) > 0.09
    assert counts.max() > 100 * np.median(counts[counts > 0])
    assert np.isfinite(dense).all()


def test_rows_are_realistic_and_other_seeds_give_others() -> None:
    rows = [{"dense": d, "sparse": s} for seed in (0, 1) for d, s in zip(*clicks(16, seed), strict=True)]
    assert is_realistic(rows)


def test_golden_rows() -> None:
    dense, sparse = clicks(4, 7)
    assert hashlib.sha256(dense.tobytes() + sparse.tobytes()).hexdigest() == (
        "c554ec8bbaa40aeb6b7588091e0de183eeeaf3955d964d119140a74738ff51eb"
    )
