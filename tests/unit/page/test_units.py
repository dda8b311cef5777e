from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelbench.page import units


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (0.0, "0 s"),
        (1.234e-9, "1.23 ns"),
        (21.09e-6, "21.1 µs"),
        (0.9999e-3, "1.00 ms"),
        (0.0999, "99.9 ms"),
        (2.0, "2.00 s"),
        (4321.0, "4,321 s"),
        (math.nan, "NaN"),
    ],
)
def test_seconds(value: float | None, shown: str) -> None:
    assert units.seconds(value).replace(units.SPACE, " ") == shown


@given(st.floats(min_value=1e-9, max_value=1e6))
def test_a_duration_reads_back_to_three_digits(value: float) -> None:
    figure, unit = units.seconds(value).split(units.SPACE)
    read = float(figure.replace(",", "")) * {"s": 1.0, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9}[unit]
    assert read == pytest.approx(value, rel=5.1e-3)


@pytest.mark.parametrize(
    ("value", "shown"), [(None, "–"), (0.0, "0"), (2.44e-3, "2.4e−3"), (0.0802, "0.0802"), (9.99e-3, "1.0e−2")]
)
def test_small_ratios(value: float | None, shown: str) -> None:
    assert units.small(value) == shown


def test_numbers_that_are_none() -> None:
    assert [units.number(math.inf), units.number(-math.inf), units.number(math.nan)] == ["∞", "−∞", "NaN"]


def test_sqnr_is_infinite_only_where_there_is_no_error() -> None:
    assert [units.sqnr(None, 0.0), units.sqnr(None, None), units.sqnr(-3.21, 1.4)] == ["∞", "–", "−3.2"]


def test_half_width_is_a_share_of_the_value() -> None:
    assert units.half_width(100.0, (98.0, 104.0)).replace(units.SPACE, "") == "±3.0%"
    assert units.half_width(None, (98.0, 104.0)) == units.half_width(100.0, None) == ""


@pytest.mark.parametrize(
    ("value", "shown"), [(None, "–"), (17, "17"), (25_557_032, "25.6 M"), (8.2e9, "8.20 G"), (1000, "1.00 k")]
)
def test_counts(value: float | None, shown: str) -> None:
    assert units.count(value).replace(units.SPACE, " ") == shown


@pytest.mark.parametrize(("value", "shown"), [(0, "0"), (-0.02, "−0.02"), (1000, "1000"), (1e6, "1e6"), (2e-7, "2e−7")])
def test_ticks(value: float, shown: str) -> None:
    assert units.tick(value) == shown
