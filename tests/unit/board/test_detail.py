from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from accelbench.board.detail import BINS, LATENCY_BINS, STEPS, histogram, line, merged

POSITIVE = st.lists(st.floats(1e-6, 1e3), min_size=1, max_size=200)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=300))
def test_merging_bins_loses_nothing(counts: list[int]) -> None:
    found = merged([0.0, float(len(counts))], counts)
    assert found is not None
    assert sum(found["counts"][0]) == sum(counts)
    assert len(found["counts"][0]) <= BINS
    width = (found["high"] - found["low"]) / len(found["counts"][0])
    assert abs(width - round(width)) < 1e-3, "bins are put together whole"


def test_no_bins_are_absent() -> None:
    assert merged([], []) is None


@given(POSITIVE)
def test_every_latency_is_in_the_histogram(times: list[float]) -> None:
    found = histogram(np.array(times))
    assert found is not None
    assert sum(found["counts"]) == len(times)
    assert len(found["counts"]) in (1, LATENCY_BINS)


def test_latencies_that_are_not_above_zero_have_no_logarithmic_bins() -> None:
    assert histogram(np.array([0.0, 1.0])) is None


@given(POSITIVE)
def test_a_time_line_keeps_the_largest_and_leaves_empty_steps_absent(times: list[float]) -> None:
    done = np.cumsum(np.array(times))
    found = line(done, np.array(times))
    assert found is not None
    assert len(found["medianS"]) == len(found["maxS"]) == STEPS
    told = [value for value in found["maxS"] if value is not None]
    assert np.isclose(max(told), max(times), rtol=1e-2)
    assert 0 not in told
    assert [m is None for m in found["medianS"]] == [m is None for m in found["maxS"]]


def test_the_median_of_a_step() -> None:
    found = line(np.array([0.5, 0.6, 0.7, 60.0]), np.array([1.0, 4.0, 2.0, 8.0]))
    assert found is not None
    assert (found["medianS"][0], found["maxS"][0]) == (2.0, 4.0)
    assert found["medianS"][1:-1] == [None] * (STEPS - 2)
