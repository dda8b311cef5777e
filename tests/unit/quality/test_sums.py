from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelbench.quality.sums import PairSums, Total, bin_edge, count_errors, max_ulp

positive = st.floats(min_value=0, exclude_min=True, allow_infinity=False, allow_nan=False)


def test_a_total_keeps_what_plain_addition_loses() -> None:
    total = Total()
    for term in (1.0, 1e100, 1.0, -1e100):
        total.add(term)
    assert total.value == 2.0


@given(st.lists(st.floats(-1e100, 1e100), max_size=50))
def test_a_total_of_any_order_is_the_exact_sum(terms: list[float]) -> None:
    total, back = Total(), Total()
    for term in terms:
        total.add(term)
    for term in reversed(terms):
        back.add(term)
    scale = math.fsum(abs(term) for term in terms)
    assert total.value == pytest.approx(math.fsum(terms), abs=1e-14 * scale)
    assert back.value == pytest.approx(math.fsum(terms), abs=1e-14 * scale)


@given(positive)
def test_every_error_lies_in_its_bin(size: float) -> None:
    ((k, count),) = count_errors(np.array([size])).items()
    assert count == 1
    assert bin_edge(k) <= size < bin_edge(k + 1)


def test_the_grid_has_eight_even_steps_per_octave() -> None:
    assert [bin_edge(k) for k in range(9)] == [1, 1.125, 1.25, 1.375, 1.5, 1.625, 1.75, 1.875, 2]
    assert bin_edge(-8) == 0.5
    for far in (-(10**6), 2**70):
        with pytest.raises(OverflowError):
            bin_edge(far)
    assert count_errors(np.array([0.0, 1.0, 1.1, 1.125, 0.5])) == {-8: 1, 0: 2, 1: 1}


@given(st.floats(width=32, allow_nan=False, allow_infinity=False), st.integers(0, 1000))
def test_ulp_distance_counts_steps(value: float, steps: int) -> None:
    start = np.array([value], dtype=np.float32)
    end = start.copy()
    for _ in range(steps):
        end = np.nextafter(end, np.float32(0 if value > 0 else np.inf), dtype=np.float32)
        if end[0] == 0:
            break
    walked = max_ulp(start, end)
    assert walked <= steps
    assert walked == max_ulp(end, start)
    if end[0] != 0:
        assert walked == steps


@pytest.mark.parametrize(
    ("dtype", "a", "b", "steps"),
    [
        (np.float32, 0.0, -0.0, 0),
        (np.float32, 1.0, 1.0 + 2**-23, 1),
        (np.float32, 1e-45, -1e-45, 2),
        (np.float16, 1.0, 2.0, 1024),
        (np.float64, -1.7976931348623157e308, 1.7976931348623157e308, 2 * (2**63 - 2**52 - 1)),
    ],
)
def test_ulp_distances_by_hand(dtype: type, a: float, b: float, steps: int) -> None:
    assert max_ulp(np.array([a], dtype=dtype), np.array([b], dtype=dtype)) == steps


def test_an_outlier_does_not_stretch_the_grids() -> None:
    sums = PairSums()
    r = np.append(np.linspace(-1, 1, 9999), 1e6)
    sums.add(r, r + np.append(np.full(9999, 1e-3), 1e3))
    assert sums.value_edges()[-1] < 1e5
    assert sums.error_edges()[-1] < 1e3
    assert sums.error_edges() == pytest.approx([-edge for edge in reversed(sums.error_edges())])


def test_a_constant_reference_still_has_a_grid() -> None:
    for value in (0.0, 3.0, -1e-30):
        sums = PairSums()
        sums.add(np.array([value]), np.array([value]))
        edges = sums.value_edges()
        assert edges[0] < value < edges[-1]
        assert sums.error_edges() == ()
