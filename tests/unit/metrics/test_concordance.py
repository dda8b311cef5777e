from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from scipy import stats  # type: ignore[import-untyped]
from sklearn.metrics import roc_auc_score

from accelbench.metrics.concordance import concordance, inversions, roc_auc, roc_auc_error

few = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0, math.inf, -math.inf])
scored = st.integers(2, 40).flatmap(
    lambda n: st.tuples(hnp.arrays(np.float64, n, elements=few), hnp.arrays(np.int64, n, elements=st.integers(0, 1)))
)
twice = st.integers(2, 40).flatmap(
    lambda n: st.tuples(
        hnp.arrays(np.float64, n, elements=st.one_of(few, st.just(math.nan))),
        hnp.arrays(np.float64, n, elements=st.one_of(few, st.just(math.nan))),
    )
)


def test_the_auc_of_small_cases_by_hand() -> None:
    labels = np.array([0, 0, 1, 1])
    assert roc_auc(np.array([0.1, 0.4, 0.35, 0.8]), labels) == 0.75
    assert roc_auc(np.array([0.5, 0.5, 0.5, 0.5]), labels) == 0.5
    assert roc_auc(np.array([0.1, 0.2, 0.3, 0.4]), labels) == 1.0
    assert roc_auc(np.array([0.1, 0.2, 0.3, 0.4]), np.ones(4)) is None


@pytest.mark.parametrize("distinct", [7, 1 << 30])
def test_the_auc_is_that_of_scikit_learn(distinct: int) -> None:
    draws = np.random.default_rng(distinct)
    labels = draws.integers(0, 2, 5000)
    scores = (draws.integers(0, distinct, 5000) + labels * distinct // 5).astype(np.float64)
    assert roc_auc(scores, labels) == pytest.approx(float(roc_auc_score(labels, scores)), rel=1e-14)


def test_a_score_that_is_nan_loses_all_its_pairs() -> None:
    labels = np.array([0, 0, 1, 1])
    assert roc_auc(np.array([0.1, 0.2, math.nan, 0.4]), labels) == 0.5
    assert roc_auc(np.array([0.1, math.nan, 0.3, 0.4]), labels) == 0.5
    assert roc_auc(np.full(4, math.nan), labels) == 0.0


@given(scored)
def test_the_auc_is_the_mann_whitney_statistic(case: tuple[NDArray[Any], NDArray[Any]]) -> None:
    scores, labels = case
    assume(0 < labels.sum() < len(labels))
    u = stats.mannwhitneyu(scores[labels == 1], scores[labels == 0]).statistic
    assert roc_auc(scores, labels) == pytest.approx(u / (labels.sum() * (1 - labels).sum()), abs=1e-12)


def test_the_error_of_an_auc_by_hand() -> None:
    # A = 0.9, 50 on either side: Q1 = 0.81818, Q2 = 0.85263; (0.09 + 49·0.00818 + 49·0.04263)/2500 = 0.001032.
    variance = (0.09 + 49 * (0.9 / 1.1 - 0.81) + 49 * (1.62 / 1.9 - 0.81)) / 2500
    assert roc_auc_error(0.9, 50, 50) == pytest.approx(math.sqrt(variance))
    assert roc_auc_error(0.9, 50, 50) == pytest.approx(0.03212, abs=1e-5)
    assert roc_auc_error(1.0, 3, 4) == 0.0


@given(st.lists(st.integers(0, 20), max_size=60))
def test_inversions_are_those_of_the_definition(values: list[int]) -> None:
    expected = sum(values[i] > values[j] for i in range(len(values)) for j in range(i + 1, len(values)))
    assert inversions(np.array(values, dtype=np.int64)) == expected


@given(twice)
def test_concordance_is_that_of_the_definition(case: tuple[NDArray[Any], NDArray[Any]]) -> None:
    reference, scores = case
    total = right = 0.0
    for i in range(len(reference)):
        for j in range(len(reference)):
            if reference[i] < reference[j]:
                total += 1
                right += 1.0 if scores[i] < scores[j] else 0.5 if scores[i] == scores[j] else 0.0
    found = concordance(reference, scores)
    assert found is None if not total else found == pytest.approx(right / total, abs=1e-12)


def test_concordance_of_many_samples_is_kendalls_tau() -> None:
    rng = np.random.default_rng(3)
    a = rng.standard_normal(20_000)
    b = a + rng.standard_normal(20_000)
    found = concordance(a, b)
    assert found is not None
    assert 2 * found - 1 == pytest.approx(stats.kendalltau(a, b).statistic, abs=1e-12)
