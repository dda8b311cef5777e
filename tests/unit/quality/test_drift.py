from __future__ import annotations

import math
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from tests.unit.quality.sets import columns, rows, write

from accelbench.model import DriftSums, Quality
from accelbench.quality.drift import accumulate, figures, percentile, varies, worst

CUT = st.integers(1, 50)
floats = st.floats(-1e6, 1e6, width=32)
specials = st.one_of(floats, st.sampled_from([math.nan, math.inf, -math.inf]))
pairs = st.integers(1, 12).flatmap(
    lambda n: st.tuples(
        hnp.arrays(np.float32, (n, 5), elements=floats), hnp.arrays(np.float32, (n, 5), elements=floats)
    )
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("drift")


def one(folder: Path, r: Any, y: Any, dtype: Any = np.float32, chunk: int = 1 << 16) -> DriftSums:
    (sums,) = accumulate(rows(folder, r, dtype=dtype), rows(folder, y, dtype=dtype), chunk)
    return sums


@given(pairs, CUT)
def test_sums_and_figures_are_those_of_the_direct_formulas(
    folder: Path, sides: tuple[NDArray[Any], NDArray[Any]], chunk: int
) -> None:
    sums = one(folder, *sides, chunk=chunk)
    r, y = (side.astype(np.float64) for side in sides)
    e = y - r
    assert sums.sum_e2 == pytest.approx((e * e).sum(), rel=1e-12, abs=1e-300)
    assert sums.sum_r2 == pytest.approx((r * r).sum(), rel=1e-12, abs=1e-300)
    assert sums.sum_y2 == pytest.approx((y * y).sum(), rel=1e-12, abs=1e-300)
    assert sums.sum_ry == pytest.approx((r * y).sum(), rel=1e-12, abs=1e-12 * math.hypot(*r.flat) * math.hypot(*y.flat))
    found = figures(sums)
    assert found.max_abs == np.abs(e).max()
    if r.any() and y.any():
        assert found.relative_l2 == pytest.approx(np.linalg.norm(e) / np.linalg.norm(r), rel=1e-12, abs=1e-300)
        cosine = (r * y).sum() / (np.linalg.norm(r) * np.linalg.norm(y))
        assert found.cosine == pytest.approx(cosine, abs=1e-12)
        if e.any():
            assert found.sqnr_db == pytest.approx(10 * math.log10((r * r).sum() / (e * e).sum()), abs=1e-9)
    assert sum(sums.reference_bins) == sum(sums.output_bins) == sums.finite == e.size
    assert sum(sums.signed_error_bins) == (e.size if e.any() else 0)


@given(pairs, st.randoms(use_true_random=False), CUT, CUT)
def test_neither_order_nor_chunks_matter(
    folder: Path, sides: tuple[NDArray[Any], NDArray[Any]], random: Any, chunk: int, other: int
) -> None:
    order = list(range(len(sides[0])))
    random.shuffle(order)
    a = one(folder, *sides, chunk=chunk)
    b = one(folder, sides[0][order], sides[1][order], chunk=other)
    for name in ("sum_e2", "sum_r2", "sum_y2"):
        assert getattr(a, name) == pytest.approx(getattr(b, name), rel=1e-12, abs=1e-300)
    assert a.sum_ry == pytest.approx(b.sum_ry, abs=1e-12 * math.sqrt(a.sum_r2) * math.sqrt(a.sum_y2))
    assert (a.max_abs, a.max_ulp, a.bit_equal, a.error_bins) == (b.max_abs, b.max_ulp, b.bit_equal, b.error_bins)


@given(pairs)
def test_exchanging_the_sides_keeps_what_is_symmetric(folder: Path, sides: tuple[NDArray[Any], NDArray[Any]]) -> None:
    there, back = one(folder, *sides), one(folder, *reversed(sides))
    assert there.sum_e2 == back.sum_e2
    assert (there.sum_r2, there.sum_y2) == (back.sum_y2, back.sum_r2)
    assert (there.max_ulp, there.error_bins) == (back.max_ulp, back.error_bins)
    assert figures(there).cosine == figures(back).cosine


@given(
    st.integers(1, 40).flatmap(
        lambda n: st.tuples(hnp.arrays(np.float32, n, elements=specials), hnp.arrays(np.float32, n, elements=specials))
    ),
    CUT,
)
def test_nan_and_inf_are_counted_wherever_they_are_and_never_enter_a_sum(
    folder: Path, sides: tuple[NDArray[Any], NDArray[Any]], chunk: int
) -> None:
    r, y = sides
    sums = one(folder, [r], [y], chunk=chunk)
    both = np.isfinite(r) & np.isfinite(y)
    assert (sums.count, sums.finite) == (len(r), both.sum())
    assert (sums.nan_reference, sums.nan_output) == (np.isnan(r).sum(), np.isnan(y).sum())
    assert (sums.inf_reference, sums.inf_output) == (np.isinf(r).sum(), np.isinf(y).sum())
    assert figures(sums).introduced == (np.isfinite(r) & ~np.isfinite(y)).sum()
    e = y[both].astype(np.float64) - r[both].astype(np.float64)
    assert sums.sum_e2 == pytest.approx((e * e).sum(), rel=1e-12, abs=1e-300)
    stored = [value for value in vars(sums).values() if isinstance(value, float)]
    assert all(math.isfinite(value) for value in stored)


@given(hnp.arrays(np.float32, (3, 40), elements=st.floats(0, 2.0**100, width=32)))
def test_percentiles_are_known_to_one_sub_bin(folder: Path, errors: NDArray[Any]) -> None:
    sums = one(folder, np.zeros_like(errors), errors)
    ordered = np.sort(errors.reshape(-1).astype(np.float64))
    for p in (0.01, 0.5, 0.9, 0.99, 0.999, 1.0):
        true = ordered[math.ceil(p * ordered.size) - 1]
        found = percentile(sums, p)
        assert found is not None
        assert true <= found <= true * 1.125
    together = figures(sums)
    assert [together.p50, together.p90, together.p99, together.p999] == [
        percentile(sums, p) for p in (0.5, 0.9, 0.99, 0.999)
    ]


def test_equal_outputs_have_no_drift_and_no_sqnr(folder: Path) -> None:
    sums = one(folder, [[1, 2], [3, 4]], [[1, 2], [3, 4]])
    found = figures(sums)
    assert (found.relative_l2, found.sqnr_db, found.max_abs, found.p999, found.max_ulp) == (0.0, None, 0.0, 0.0, 0)
    assert found.cosine == pytest.approx(1.0)
    assert sums.bit_equal == sums.count == 4
    assert sums.signed_error_bins == ()


def test_a_reference_of_zeros_has_no_relative_drift(folder: Path) -> None:
    assert figures(one(folder, [[0, 0]], [[0, 1]])).relative_l2 is None
    assert figures(one(folder, [[0, 0]], [[0, 1]])).sqnr_db is None
    assert figures(one(folder, [[0, 0]], [[0, 0]])).relative_l2 == 0.0


def test_without_finite_pairs_nothing_is_claimed(folder: Path) -> None:
    found = figures(one(folder, [[math.nan]], [[1.0]]))
    assert (found.relative_l2, found.sqnr_db, found.cosine, found.max_abs, found.p50, found.max_ulp) == (None,) * 6


@pytest.mark.parametrize("dtype", [np.bool_, np.int8, np.uint8, np.int64, np.float16, np.float64])
def test_other_types_are_compared_too(folder: Path, dtype: Any) -> None:
    sums = one(folder, [[0, 1, 1, 0]], [[0, 1, 0, 1]], dtype=dtype)
    assert (sums.sum_e2, sums.sum_r2, sums.bit_equal, sums.count) == (2.0, 2.0, 2, 4)
    assert (sums.max_ulp is None) == (np.dtype(dtype).kind != "f")


def test_a_first_bin_and_a_last_bin_catch_the_rest(folder: Path) -> None:
    sums = one(folder, [np.linspace(0, 1, 64)], [np.append(np.linspace(0, 1, 62), [-50, 70])])
    assert (sums.value_edges[0], sums.value_edges[-1]) == (0.0, 1.0)
    assert sums.output_bins[0] >= 2
    assert sums.output_bins[-1] >= 2
    assert len(sums.value_edges) == len(sums.output_bins) + 1 == len(sums.reference_bins) + 1
    assert len(sums.signed_error_edges) == len(sums.signed_error_bins) + 1


def test_a_bin_holds_its_lower_edge_and_the_last_one_both(folder: Path) -> None:
    sums = one(folder, [np.arange(65)], [np.arange(65)])
    assert sums.value_edges == tuple(range(65))
    assert sums.reference_bins == sums.output_bins == (1,) * 63 + (2,)


def test_records_may_differ_in_shape_and_be_empty(folder: Path) -> None:
    r: list[Any] = [[[1, 2], [3, 4]], [], 5, [6, 7, 8]]
    sums = one(folder, r, r, chunk=2)
    assert (sums.count, sums.sum_r2, sums.mismatch) == (8, 204.0, None)
    assert one(folder, [[]], [[]]).count == 0


def test_what_cannot_be_compared_is_a_mismatch_and_sums_over_nothing(folder: Path) -> None:
    reference = rows(folder, [[1, 2], [3, 4]])
    complex_set = rows(folder, [[1j]], dtype=np.complex64)
    cases = [
        (reference, rows(folder, [[1, 2], [3, 4]], name="z"), "missing; the backend's outputs are z"),
        (reference, rows(folder, [[1, 2]]), "1 records, the reference has 2"),
        (reference, rows(folder, [[1, 2], [3, 4, 5]]), "shape [3] in record 1, the reference has [2]"),
        (reference, rows(folder, [[1, 2], [3, 4]], dtype=np.float16), "dtype float16 in record 0, the reference has"),
        (complex_set, complex_set, "dtype complex64 in record 0 cannot be compared"),
    ]
    for wanted, outputs, text in cases:
        (sums,) = accumulate(wanted, outputs)
        assert sums.mismatch is not None
        assert text in sums.mismatch
        assert (sums.count, sums.sum_r2, sums.error_bins) == (0, 0.0, {})
        assert figures(sums).relative_l2 is None


def test_values_whose_squares_overflow_are_a_mismatch_not_an_infinity(folder: Path) -> None:
    sums = one(folder, [[1e300, 1.0]], [[1e300, -1e308]], dtype=np.float64)
    assert "1e154" in (sums.mismatch or "")
    assert (sums.sum_r2, sums.max_abs) == (0.0, 0.0)


def test_outputs_keep_the_order_of_the_reference(folder: Path) -> None:
    reference = columns(folder, {"b": [[1]], "a": [[2]]})
    outputs = columns(folder, {"a": [[2]], "b": [[1]], "extra": [[9]]})
    assert [sums.output for sums in accumulate(reference, outputs)] == ["b", "a"]


def test_the_worst_output_is_found(folder: Path) -> None:
    def worst_of(r: dict[str, Any], y: dict[str, Any]) -> str:
        drift = accumulate(columns(folder, r), columns(folder, y))
        return worst(Quality(1, None, None, None, drift, 0, False)).output

    r = {"a": [[1.0, 1.0]], "b": [[1.0, 1.0]], "c": [[0.0, 0.0]]}
    assert worst_of(r, {"a": [[1.1, 1.0]], "b": [[1.2, 1.0]], "c": [[0, 0]]}) == "b"
    assert worst_of(r, {"a": [[1.1, 1.0]], "b": [[1.2, 1.0]], "c": [[0, 1e-9]]}) == "c"
    assert worst_of(r, {"a": [[math.nan, 1.0]], "b": [[1.2, 1.0]], "c": [[0, 1e-9]]}) == "a"
    assert worst_of(r, {"a": [[math.nan, 1.0]], "b": [[1.2]], "c": [[0, 1e-9]]}) == "b"


def test_varies(folder: Path) -> None:
    assert not varies(rows(folder, [[1, math.nan], [1, math.nan]]), "y")
    assert varies(rows(folder, [[1, 1], [1, 1], [1, 1.0001]]), "y")
    assert not varies(rows(folder, [[1, 1], [1, 1.0001]]), "y", by=0.01)
    assert varies(rows(folder, [[1, 1], [1, 1.1]]), "y", by=0.01)
    assert varies(rows(folder, [[1, 1], [1, 1, 1]]), "y", by=0.01)
    assert not varies(rows(folder, [[1, 1]]), "y")


def test_memory_does_not_grow_with_the_outputs(folder: Path) -> None:
    rng = np.random.default_rng(0)
    values = rng.standard_normal(8_000_000, dtype=np.float32)
    small = ({"y": values[i * 50 : i * 50 + 50]} for i in range(2000))
    cases = [(rows(folder, [values]), 32e6), (write(folder, small), 400e3)]
    for tensors, size in cases:
        tracemalloc.start()
        (sums,) = accumulate(tensors, tensors)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert sums.count * 4 == size
        assert peak < 12e6
