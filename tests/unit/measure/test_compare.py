"""Comparisons: right on known differences, silent on none."""

import numpy as np
import pytest
from scipy import stats as scipy_stats  # type: ignore[import-untyped]

from accelbench.errors import UsageError
from accelbench.measure import compare
from accelbench.measure.stats import Quantile


def raced(rng: np.random.Generator, difference: float, noise: float = 0.1, **options: int) -> compare.Comparison:
    drawn = iter(rng.lognormal(0.0, noise, 2000))
    return compare.race(lambda: next(drawn), lambda: next(drawn) * (1 + difference), seed=1, **options)[0]


def share(difference: float, outcomes: set[str], runs: int, seed: int) -> float:
    rng = np.random.default_rng(seed)
    return sum(raced(rng, difference).outcome in outcomes for _ in range(runs)) / runs


def test_a_thing_is_seldom_faster_than_itself() -> None:
    assert share(0.0, {"faster", "slower"}, 300, 1) <= 0.05


def test_five_percent_are_found() -> None:
    assert share(0.05, {"faster"}, 300, 2) >= 0.9


@pytest.mark.slow
def test_false_alarms_with_early_looks() -> None:
    assert share(0.0, {"faster", "slower"}, 4000, 3) <= 0.05


@pytest.mark.slow
def test_power_with_early_looks() -> None:
    assert share(0.05, {"faster"}, 2000, 4) >= 0.9


def test_large_differences_end_early() -> None:
    found = raced(np.random.default_rng(5), 0.5)
    assert (found.outcome, found.pairs) == ("faster", 40)
    assert found.ratio == pytest.approx(1.5, rel=0.05)


def test_the_slower_is_told() -> None:
    assert raced(np.random.default_rng(5), -0.3).outcome == "slower"


def test_little_noise_shows_that_two_are_the_same() -> None:
    assert raced(np.random.default_rng(6), 0.01, noise=0.02).outcome == "same"


def test_much_noise_leaves_it_open() -> None:
    assert raced(np.random.default_rng(7), 0.02, noise=0.8).outcome == "ambiguous"


def test_the_order_within_pairs_is_drawn() -> None:
    order: list[str] = []
    compare.race(lambda: order.append("a") or 1.0, lambda: order.append("b") or 1.0, pairs=64, looks=1, seed=3)  # type: ignore[func-returns-value]
    firsts = order[::2]
    assert {frozenset(order[i : i + 2]) for i in range(0, 128, 2)} == {frozenset("ab")}
    assert 16 < firsts.count("a") < 48


def test_drift_that_meets_both_does_not_mislead() -> None:
    rng, clock = np.random.default_rng(8), [1.0]

    def block() -> float:
        clock[0] *= 1.01
        return float(clock[0] * rng.lognormal(0.0, 0.02))

    assert compare.race(block, block, seed=4)[0].outcome == "same"


def test_the_interval_is_that_of_the_signed_rank_test() -> None:
    rng = np.random.default_rng(9)
    a, b = rng.lognormal(0, 0.1, 30), rng.lognormal(0.03, 0.1, 30)
    found = compare.paired(a.tolist(), b.tolist())
    assert found.low is not None
    assert found.high is not None
    logs = np.log(b / a)
    for edge, inward in ((np.log(found.low), 1), (np.log(found.high), -1)):
        inside, outside = (scipy_stats.wilcoxon(logs - edge - s * inward * 1e-6).pvalue for s in (1, -1))
        assert outside < 0.056
        assert inside > 0.044


def test_few_pairs_have_no_interval() -> None:
    found = compare.paired([1.0, 1.1], [2.0, 2.1])
    assert (found.outcome, found.low, found.high) == ("ambiguous", None, None)


@pytest.mark.parametrize(("a", "b"), [([1.0], []), ([], []), ([0.0], [1.0]), ([1.0], [float("nan")])])
def test_what_cannot_be_compared_is_refused(a: list[float], b: list[float]) -> None:
    with pytest.raises(UsageError):
        compare.paired(a, b)


def test_passes_that_ran_apart() -> None:
    fast, slow = Quantile(1.0, 0.98, 1.02), Quantile(1.2, 1.17, 1.23)
    found = compare.apart(fast, slow)
    assert found is not None
    assert found.outcome == "faster"
    assert found.ratio == pytest.approx(1.2)
    assert compare.apart(fast, Quantile(1.0, None, None)) is None
    same = compare.apart(fast, fast)
    assert same is not None
    assert (same.outcome, same.ratio) == ("same", 1.0)
    assert same.low == pytest.approx(1 - 0.02 * 2**0.5, rel=1e-3)


def test_pairs_needed() -> None:
    assert 90 <= compare.pairs_needed(0.1, 0.05) <= 115
    with pytest.raises(UsageError):
        compare.pairs_needed(0.0, 0.05)
