"""Draws give the same numbers everywhere, in the range and with the moments that they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelbench.zoo.samples.draws import Draws


def test_words_are_those_of_the_specified_stream() -> None:
    assert Draws(0, "golden").words(2).tolist() == [591644217077719887, 396224313234484361]
    assert Draws(0, "golden").below(1000, 4).tolist() == [32, 21, 918, 589]


def test_a_stream_goes_on_where_it_stopped() -> None:
    draws = Draws(3, "x")
    assert [*draws.words(3), *draws.words(5)] == Draws(3, "x").words(8).tolist()


@pytest.mark.parametrize(("seed", "label"), [(1, "x"), (0, "y"), (0, "x/")])
def test_other_names_give_other_numbers(seed: int, label: str) -> None:
    assert not (Draws(0, "x").words(8) == Draws(seed, label).words(8)).any()


@given(st.integers(1, 2**32), st.integers(0, 2**40), st.integers(0, 50))
def test_below_stays_below(bound: int, seed: int, count: int) -> None:
    drawn = Draws(seed, "below").below(bound, count)
    assert drawn.shape == (count,)
    assert ((drawn >= 0) & (drawn < bound)).all()


@given(st.integers(-(2**31), 2**31 - 1), st.integers(0, 2**20))
def test_between_includes_both_ends_and_nothing_beyond(low: int, width: int) -> None:
    drawn = Draws(0, "between").between(low, low + width, 40)
    assert ((drawn >= low) & (drawn <= low + width)).all()


def test_every_value_is_drawn_equally_often() -> None:
    counts = np.bincount(Draws(0, "dice").between(1, 6, 60_000), minlength=7)[1:]
    assert (abs(counts - 10_000) < 450).all()  # five standard deviations


def test_unit_is_uniform_below_one() -> None:
    drawn = Draws(0, "unit").unit(100_000)
    assert drawn.min() >= 0
    assert drawn.max() < 1
    assert drawn.mean() == pytest.approx(0.5, abs=0.005)
    assert (drawn * 2.0**53 == np.floor(drawn * 2.0**53)).all()


def test_normal_has_mean_zero_and_variance_one() -> None:
    drawn = Draws(0, "normal").normal(100_000)
    assert drawn.mean() == pytest.approx(0, abs=0.02)
    assert drawn.var() == pytest.approx(1, abs=0.03)
    assert np.mean(abs(drawn) < 1) == pytest.approx(0.683, abs=0.01)


@given(st.integers(0, 200), st.integers(0, 100))
def test_a_permutation_has_every_integer_once(count: int, seed: int) -> None:
    assert sorted(Draws(seed, "order").permutation(count).tolist()) == list(range(count))
