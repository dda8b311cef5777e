"""Statistics against theory: exact where it is exact, by simulation with fixed seeds where it is not."""

import math
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special as scipy_special  # type: ignore[import-untyped]
from scipy import stats as scipy_stats
from scipy.signal import lfilter  # type: ignore[import-untyped]
from tests.unit.measure.made import MS, closed, columns, noisy

from accelbench.errors import UsageError
from accelbench.measure import stats
from accelbench.measure.special import incomplete_beta, student_t, student_t95
from accelbench.measure.stopping import Looks
from accelbench.model import Stop

Floats = NDArray[np.float64]
Kind = Callable[[np.random.Generator, int], Floats]


def ends(found: stats.Quantile | None) -> tuple[float | None, ...]:
    assert found is not None
    return found.value_s, found.low_s, found.high_s


@pytest.mark.parametrize(("a", "b", "x"), [(0.5, 0.5, 0.3), (3.3, 4.4, 0.9), (12.0, 500.0, 0.01), (9.9e6, 1.0e5, 0.99)])
def test_incomplete_beta(a: float, b: float, x: float) -> None:
    assert incomplete_beta(a, b, x) == pytest.approx(float(scipy_special.betainc(a, b, x)), rel=1e-7)


def test_incomplete_beta_ends() -> None:
    assert (incomplete_beta(2, 3, 0.0), incomplete_beta(2, 3, 1.0)) == (0.0, 1.0)


@pytest.mark.parametrize("freedom", [3, 4, 8, 25, 128])
def test_student_t(freedom: int) -> None:
    assert student_t95(freedom) == pytest.approx(float(scipy_stats.t.ppf(0.975, freedom)), rel=2e-3)


@pytest.mark.parametrize("freedom", [1, 2, 4, 12, 200])
@pytest.mark.parametrize("level", [0.6, 0.975, 0.9995])
def test_quantiles_of_student_t_at_any_level(freedom: int, level: float) -> None:
    assert student_t(freedom, level) == pytest.approx(float(scipy_stats.t.ppf(level, freedom)), rel=1e-8)


# MLPerf Inference's published minimum query counts for the early-stopping bound.
@pytest.mark.parametrize(("p", "least"), [(0.9, 64), (0.99, 662), (0.999, 6636)])
def test_early_stopping_bound_begins_where_mlperf_says(p: float, least: int) -> None:
    assert stats.early_stopping_bound(np.arange(least - 1), p) is None
    assert stats.early_stopping_bound(np.arange(least), p) == least - 1


def test_early_stopping_bound_holds_in_99_of_100() -> None:
    rng = np.random.default_rng(4)
    bounds = [stats.early_stopping_bound(np.sort(rng.random(1000)), 0.9) or 0.0 for _ in range(2000)]
    assert 0.99 <= np.mean(np.array(bounds) >= 0.9) <= 1.0
    assert np.mean(bounds) < 0.93


@pytest.mark.parametrize(("p", "least"), [(0.5, 6), (0.9, 36), (0.99, 368)])
def test_a_quantile_is_absent_where_samples_cannot_carry_it(p: float, least: int) -> None:
    assert stats.quantile(np.arange(least - 1), p) is None
    found = stats.quantile(np.arange(least), p)
    assert found is not None
    assert found.low_s is None


@pytest.mark.parametrize(("p", "least"), [(0.5, 40), (0.9, 200), (0.99, 2000)])
def test_an_interval_needs_twenty_samples_beyond(p: float, least: int) -> None:
    short, long = (stats.quantile(np.array(noisy(n, 3)), p) for n in (least - 1, least))
    assert short is not None
    assert long is not None
    assert (short.half_width, long.half_width is None) == (None, False)


def test_median_of_independent_samples_lies_between_the_textbook_order_statistics() -> None:
    times = np.array(noisy(1001, 5))
    found = stats.quantile(times, 0.5)
    assert found is not None
    assert found.value_s == np.median(times) * 1e-9
    low, high = np.sort(times)[[469, 531]] * 1e-9
    assert found.low_s == pytest.approx(low, rel=2e-3)
    assert found.high_s == pytest.approx(high, rel=2e-3)


def test_the_effective_size_charges_the_doubt_about_the_variance() -> None:
    times = np.array(noisy(3000, 8))
    value = float(np.median(times))
    variance, terms = stats.long_run_variance(times <= value)
    student = float(scipy_stats.t.ppf(0.975, terms))
    assert stats.effective_size(times, 0.5, value) == pytest.approx(
        3000 * 0.25 / variance * (1.96 / student) ** 2, rel=1e-3
    )


def test_equal_latencies_have_an_interval_of_no_width() -> None:
    found = stats.quantile(np.full(600, 7 * MS), 0.5)
    assert ends(found) == pytest.approx((7e-3, 7e-3, 7e-3))


def test_long_run_variance_of_an_autocorrelated_series() -> None:
    rng = np.random.default_rng(2)
    found = [stats.long_run_variance(ar(rng, 20_000))[0] for _ in range(40)]
    assert np.mean(found) == pytest.approx(1 / (1 - 0.7) ** 2, rel=0.05)


def test_throughput_of_one_lane_leaves_pauses_out() -> None:
    table = closed([MS] * 100)
    late = np.where(np.arange(100) >= 50, 9 * MS, 0)
    paused = columns(
        table.scheduled + late, table.issued + late, table.done + late, pauses=np.array([[50 * MS, 59 * MS]])
    )
    for each in (table, paused):
        rate = stats.throughput(each)
        assert rate is not None
        assert rate[0] == pytest.approx(1000)
        assert rate[1] == pytest.approx((1000, 1000))


def test_throughput_of_several_lanes_counts_what_was_under_way() -> None:
    start = np.sort(np.concatenate([np.arange(30) * 10 * MS + shift * MS for shift in (0, 3, 6)]))
    rate = stats.throughput(columns(start, start, start + 10 * MS))
    assert rate is not None
    assert rate[0] == pytest.approx(300, rel=0.03)


def test_throughput_counts_samples() -> None:
    rate = stats.throughput(closed([MS] * 100, units=np.full(100, 8, dtype=np.int32)))
    assert rate is not None
    assert rate[0] == pytest.approx(8000)


def test_few_queries_give_a_throughput_without_interval() -> None:
    rate = stats.throughput(closed([MS] * 5))
    assert rate is not None
    assert rate[0] == pytest.approx(1000)
    assert rate[1] is None


def test_failed_queries_are_in_no_figure() -> None:
    ok = np.ones(1000, dtype=np.bool_)
    ok[100:200] = False
    times = np.full(1000, MS)
    times[~ok] = 50
    found = stats.summary(closed(times, ok=ok))
    assert (found.queries, found.samples, found.errors) == (1000, 900, 100)
    assert found.mean_s == pytest.approx(1e-3)
    assert ends(found.quantiles["p50"]) == pytest.approx((1e-3, 1e-3, 1e-3))


def test_nothing_gives_nothing() -> None:
    found = stats.summary(closed([]))
    assert (found.throughput, found.throughput_ci, found.mean_s) == (None, None, None)
    assert set(found.quantiles.values()) == {None}


def test_a_quantile_between_two_modes_says_so() -> None:
    rng = np.random.default_rng(1)
    times = np.array(noisy(4000)) * np.where(rng.random(4000) < 0.5, 1, 3)
    at_gap, beside = stats.quantile(times, 0.5), stats.quantile(times, 0.9)
    assert at_gap is not None
    assert beside is not None
    assert (at_gap.valley, beside.valley) == (True, False)


def test_waiting_ends_between_two_modes() -> None:
    rng = np.random.default_rng(1)
    times = np.array(noisy(50_000)) * np.where(rng.random(50_000) < 0.5, 1, 3)
    assert stopped(times, 0.5, 0.02)[1] == "modes"


def test_an_unknown_statistic_is_told() -> None:
    with pytest.raises(UsageError, match="unknown statistic 'p42': one of throughput, mean, p50"):
        stats.knowledge(closed([1]), "p42")


# --- coverage ----------------------------------------------------------------------------------------------------


def iid(rng: np.random.Generator, n: int) -> Floats:
    return np.asarray(np.exp(0.1 * rng.normal(size=n)) * MS)


def ar(rng: np.random.Generator, n: int) -> Floats:
    """A Gaussian AR(1) series with ρ = 0.7 and variance 1 of its innovations."""
    start = rng.normal() / math.sqrt(1 - 0.49)
    return np.asarray(lfilter([1.0], [1.0, -0.7], rng.normal(size=n), zi=[0.7 * start])[0])


def autocorrelated(rng: np.random.Generator, n: int) -> Floats:
    return np.asarray(np.exp(0.1 * math.sqrt(1 - 0.49) * ar(rng, n)) * MS)


def bimodal(rng: np.random.Generator, n: int) -> Floats:
    return np.asarray(iid(rng, n) * np.where(rng.random(n) < 0.9, 1, 2))


def truth(kind: Kind, p: float) -> float:
    grid = np.exp(np.linspace(-1.0, 1.5, 400_001))
    cdf = scipy_stats.norm.cdf(np.log(grid) / 0.1)
    if kind is bimodal:
        cdf = 0.9 * cdf + 0.1 * scipy_stats.norm.cdf(np.log(grid / 2) / 0.1)
    return float(np.interp(p, cdf, grid) * MS * 1e-9)


def stopped(times: Floats, p: float, target: float) -> tuple[stats.Quantile | None, str | None]:
    """The quantile at the moment at which the shipped rule stops, or at the end."""
    looks = Looks(Stop(max_s=1.0, statistic=f"p{100 * p:g}", ci_target=target))
    while looks.next < len(times):
        count = looks.next
        reason = looks.take(count, partial(closed, times[:count]))
        if reason:
            return stats.quantile(times[:count].astype(np.int64), p), reason
    return stats.quantile(times.astype(np.int64), p), None


def covers(found: stats.Quantile | None, true: float) -> bool:
    return (
        found is not None
        and found.low_s is not None
        and found.high_s is not None
        and found.low_s <= true <= found.high_s
    )


@pytest.mark.parametrize("kind", [iid, autocorrelated, bimodal])
@pytest.mark.parametrize(("p", "n"), [(0.5, 500), (0.99, 2000)])
def test_coverage_quick(kind: Kind, p: float, n: int) -> None:
    rng, true = np.random.default_rng(11), truth(kind, p)
    hits = [covers(stats.quantile(kind(rng, n), p), true) for _ in range(400)]
    assert 0.92 <= np.mean(hits) <= 0.98


@pytest.mark.slow
@pytest.mark.parametrize("kind", [iid, autocorrelated, bimodal])
@pytest.mark.parametrize(("p", "n"), [(0.5, 500), (0.5, 2000), (0.5, 10_000), (0.99, 2000), (0.99, 10_000)])
def test_coverage(kind: Kind, p: float, n: int) -> None:
    rng, true = np.random.default_rng(12), truth(kind, p)
    hits = [covers(stats.quantile(kind(rng, n), p), true) for _ in range(4000)]
    assert 0.93 <= np.mean(hits) <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("kind", [iid, autocorrelated, bimodal])
@pytest.mark.parametrize(("p", "target", "most"), [(0.5, 0.01, 20_000), (0.99, 0.02, 40_000)])
def test_coverage_under_the_stopping_rule(kind: Kind, p: float, target: float, most: int) -> None:
    rng, true = np.random.default_rng(13), truth(kind, p)
    hits = [covers(stopped(kind(rng, most), p, target)[0], true) for _ in range(2000)]
    assert 0.93 <= np.mean(hits) <= 0.97


@pytest.mark.slow
def test_intervals_are_not_wider_than_the_best() -> None:
    """At most 1.3 times the width of the interval that knows the density and the autocorrelation."""
    rng = np.random.default_rng(14)
    widths = []
    for _ in range(500):
        found = stats.quantile(autocorrelated(rng, 2000), 0.5)
        assert found is not None
        assert found.half_width is not None
        widths.append(found.half_width)
    # Indicator variance of a Gaussian AR(1) median: (1/4)(1 + 2 Σ (2/π) asin ρᵏ).
    ratio = 1 + 2 * sum(2 / math.pi * math.asin(0.7**k) for k in range(1, 200))
    best = 1.96 * math.sqrt(0.25 * ratio / 2000) / (0.3989 / 0.1)
    assert np.mean(widths) <= 1.3 * best


@pytest.mark.parametrize("kind", [iid, autocorrelated])
def test_coverage_of_throughput(kind: Kind) -> None:
    rng = np.random.default_rng(15)
    hits = 0
    for _ in range(400):
        rate = stats.throughput(closed(kind(rng, 1000)))
        assert rate is not None
        assert rate[1] is not None
        hits += rate[1][0] <= 1000 / math.exp(0.005) <= rate[1][1]
    assert 0.92 <= hits / 400 <= 0.98
