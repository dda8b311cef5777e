from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelbench.page.axis import Axis, spanning

POSITIVE = st.floats(min_value=1e-9, max_value=1e9)


@given(POSITIVE, POSITIVE, POSITIVE)
def test_every_value_lies_on_the_axis(low: float, high: float, value: float) -> None:
    axis = spanning(min(low, high), max(low, high), 10, 110)
    assert 10 - 1e-6 <= axis(value) <= 110 + 1e-6
    assert all(axis.low <= tick <= axis.high * (1 + 1e-12) for tick in axis.ticks())


@given(POSITIVE, POSITIVE)
def test_an_axis_has_a_few_ticks(low: float, high: float) -> None:
    assert 2 <= len(spanning(min(low, high), max(low, high), 0, 1).ticks()) <= 9


def test_linear_and_logarithmic() -> None:
    assert Axis(0, 10, 0, 100)(2.5) == 25
    assert Axis(1, 100, 0, 100, log=True)(10) == pytest.approx(50)
    assert Axis(0, 10, 172, 14)(10) == 14


def test_wide_spans_are_logarithmic() -> None:
    assert spanning(1, 5, 0, 1).log
    assert not spanning(1, 3, 0, 1).log
    assert not spanning(-5, 5, 0, 1).log


def test_ticks_are_round() -> None:
    assert Axis(0, 19.3, 0, 1).ticks() == [0, 5, 10, 15]
    assert Axis(0.5, 6000, 0, 1, log=True).ticks(3) == [1, 10, 100, 1000]
