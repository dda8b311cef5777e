from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats  # type: ignore[import-untyped]
from tests.unit.quality.sets import columns, rows
from tests.unit.report import sample

from accelbench.model import Audit, Build, DriftSums, Integrity, Measurement, Quality
from accelbench.quality.checks import (
    measurement_reasons,
    precision_reasons,
    quality_reasons,
    rank_sum_p,
)
from accelbench.quality.drift import accumulate

times = st.lists(st.integers(0, 30), min_size=1, max_size=20)
RNG = np.random.default_rng(5)
VALUES = RNG.standard_normal(4000).astype(np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("checks")


def drift(folder: Path, r: Any, y: Any) -> tuple[DriftSums, ...]:
    return accumulate(rows(folder, [r]), rows(folder, [y]))


def quality(sums: tuple[DriftSums, ...], **facts: Any) -> Quality:
    return replace(Quality(1, None, None, None, sums, unready=0, constant=False), **facts)


def builds(*executed: str) -> list[Build]:
    build = sample.build()
    return [replace(build, compiled=replace(build.compiled, executed_precision=one)) for one in executed]


def measurement(**facts: Any) -> Measurement:
    clean = sample.measurement("single_stream")
    return replace(clean, audit=Audit(), integrity=None, **facts)


def to_bfloat16(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Nearest bfloat16, ties to even, as float32."""
    bits = values.view(np.uint32)
    rounded: NDArray[np.uint32] = (bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)
    return rounded.view(np.float32)


def test_a_sound_accuracy_pass_gives_no_reason(folder: Path) -> None:
    assert list(quality_reasons(quality(drift(folder, [1, 2, 3], [1, 2, 3.1])))) == []


@pytest.mark.parametrize(
    ("y", "text"),
    [
        ([1, np.nan, 3], "output y: 1 of 3 values are NaN or infinite where the reference is finite (1 NaN, 0 inf"),
        ([1, -np.inf, np.inf], "output y: 2 of 3 values are NaN or infinite"),
        ([1, 2], "output y: shape [2] in record 0, the reference has [3]"),
    ],
)
def test_broken_outputs_are_named(folder: Path, y: list[float], text: str) -> None:
    (reason,) = quality_reasons(quality(drift(folder, [1, 2, 3], y)))
    assert text in reason


def test_nan_where_the_reference_has_it_is_no_finding(folder: Path) -> None:
    assert list(quality_reasons(quality(drift(folder, [1, np.nan, np.inf], [1, np.nan, np.inf])))) == []
    (reason,) = quality_reasons(quality(drift(folder, [1, np.nan, 3], [np.nan, 2, 3])))
    assert "1 of 3" in reason


def test_unready_and_constant_outputs_are_named(folder: Path) -> None:
    sums = drift(folder, [1, 2], [1, 2])
    assert list(quality_reasons(quality(sums, unready=3))) == [
        "outputs were not ready: 3 changed after they were handed back"
    ]
    assert list(quality_reasons(quality(sums, constant=True))) == [
        "outputs do not vary with the feed, the reference's do"
    ]


@pytest.mark.parametrize("claim", ["bf16", "fp16", "int8", "int8-static"])
def test_float32_sold_as_less_is_contradicted(folder: Path, claim: str) -> None:
    (equal,) = precision_reasons(drift(folder, VALUES, VALUES), claim, builds(claim))
    assert f"executed precision {claim} is contradicted: outputs are bit-equal to float32" in equal
    close = VALUES * np.float32(1 + 1e-6)
    (reason,) = precision_reasons(drift(folder, VALUES, close), claim, builds(claim, claim))
    assert "as exact as float32" in reason


def test_one_rounding_alone_bears_out_the_claim(folder: Path) -> None:
    half = VALUES.astype(np.float16).astype(np.float32)
    brain = to_bfloat16(VALUES)
    assert list(precision_reasons(drift(folder, VALUES, half), "fp16", builds("fp16"))) == []
    assert list(precision_reasons(drift(folder, VALUES, brain), "bf16", builds("bf16"))) == []


def test_one_output_that_shows_the_format_is_enough(folder: Path) -> None:
    reference = columns(folder, {"a": [VALUES], "b": [VALUES]})
    outputs = columns(folder, {"a": [VALUES], "b": [to_bfloat16(VALUES)]})
    assert list(precision_reasons(accumulate(reference, outputs), "bf16", builds("bf16"))) == []


def test_saturated_probabilities_are_not_taken_for_float32(folder: Path) -> None:
    logits = np.array([20.0, -18.3, -19.9])

    def softmax(values: NDArray[Any]) -> NDArray[np.float32]:
        return np.asarray(np.exp(values) / np.exp(values).sum(), dtype=np.float32)

    rounded = softmax(logits * (1 + 2.0**-9))
    honest = drift(folder, softmax(logits), rounded)
    assert list(precision_reasons(honest, "bf16", builds("bf16"))) == []
    lying = drift(folder, softmax(logits), softmax(logits * (1 + 2.0**-23)))
    assert len(list(precision_reasons(lying, "bf16", builds("bf16")))) == 1


def test_a_claim_of_float32_is_held_to_it(folder: Path) -> None:
    off = VALUES * np.float32(1.002)
    (reason,) = precision_reasons(drift(folder, VALUES, off), "fp32", builds("fp32"))
    assert "float32 does not drift by 1e-03 (relative L2 2.0e-03, output y)" in reason
    (wrong,) = precision_reasons(drift(folder, VALUES, -VALUES), "fp32", builds("fp32"))
    assert wrong.startswith("outputs are wrong, which no precision explains")
    assert wrong.endswith("(relative L2 2.0e+00, output y)")
    assert list(precision_reasons(drift(folder, VALUES, VALUES), "fp32", builds("fp32"))) == []
    assert list(precision_reasons(drift(folder, VALUES, off), "int8", builds("fp32"))) == []


def test_what_cannot_be_judged_is_not(folder: Path) -> None:
    same = drift(folder, VALUES, VALUES)
    zeros = drift(folder, [0, 0], [0, 0])
    whole = accumulate(rows(folder, [[1, 2]], dtype=np.int64), rows(folder, [[1, 2]], dtype=np.int64))
    assert list(precision_reasons(same, "bf16", builds("bf16", "fp32"))) == []
    assert list(precision_reasons(same, "odd", builds("odd"))) == []
    assert list(precision_reasons(same, "bf16", [])) == []
    assert list(precision_reasons(zeros, "bf16", builds("bf16"))) == []
    assert list(precision_reasons(whole, "bf16", builds("bf16"))) == []


def test_a_clean_pass_is_valid() -> None:
    assert measurement_reasons(sample.measurement("offline"), "fp32") == ()
    assert measurement_reasons(measurement(), "fp32") == ()


def test_other_outputs_in_the_timed_pass_are_named() -> None:
    (reason,) = measurement_reasons(replace(measurement(), integrity=Integrity(8, 2, None)), "bf16")
    assert "2 of 8 checked queries" in reason


@pytest.mark.parametrize(
    ("precision", "apart", "fires"),
    [
        ("fp32", 0.9e-4, False),
        ("fp32", 1.1e-4, True),
        ("fp16", 4e-3, False),
        ("fp16", 6e-3, True),
        ("bf16", 3e-2, False),
        ("bf16", 5e-2, True),
        ("int8-static", 3e-2, False),
        ("odd", 5e-2, True),
    ],
)
def test_reordering_is_allowed_and_no_more(precision: str, apart: float, fires: bool) -> None:
    reasons = measurement_reasons(replace(measurement(), integrity=Integrity(8, 0, apart)), precision)
    assert bool(reasons) == fires
    assert all("timed outputs differ" in reason for reason in reasons)


@pytest.mark.parametrize(
    ("seen", "unseen", "fires"),
    [
        ([1_000_000 + i for i in range(8)], [3_000_000 + i for i in range(8)], True),
        ([5_000 + i for i in range(8)], [100_000 + i for i in range(8)], True),
        ([1_000_000 + i for i in range(8)], [1_400_000 + i for i in range(8)], False),  # slower, by too little
        ([5_000 + i for i in range(8)], [15_000 + i for i in range(8)], False),  # cold memory
        ([1_000_000 + i for i in range(4)], [3_000_000 + i for i in range(4)], False),  # too few to tell
        ([1_000_000, 4_000_000] * 8, [3_000_000, 1_100_000, 3_100_000] * 5, False),  # chance
        ([3_000_000] * 8, [1_000_000] * 8, False),
        ([], [], False),
        ([9_000_000, 11_000_000, 10_000_000], [150_000_000, 140_000_000, 160_000_000], True),
        ([9_000_000, 60_000_000, 10_000_000], [150_000_000, 140_000_000, 160_000_000], False),
        ([9_000_000, 11_000_000], [150_000_000, 140_000_000], False),
    ],
)
def test_cached_results(seen: list[int], unseen: list[int], fires: bool) -> None:
    integrity = Integrity(0, 0, None, tuple(seen), tuple(unseen))
    reasons = measurement_reasons(replace(measurement(), integrity=integrity), "fp32")
    assert bool(reasons) == fires
    assert all("seem to be cached" in reason for reason in reasons)


def test_noise_is_rarely_taken_for_a_cache() -> None:
    rng = np.random.default_rng(11)
    alarms = 0
    for _ in range(2000):
        seen, unseen = (rng.lognormal(12, 1.0, 12).astype(int).tolist() for _ in range(2))
        integrity = Integrity(0, 0, None, tuple(seen), tuple(unseen))
        alarms += bool(measurement_reasons(replace(measurement(), integrity=integrity), "fp32"))
    assert alarms <= 8


@given(times, times)
def test_the_rank_sum_test_is_scipys(a: list[int], b: list[int]) -> None:
    expected = stats.mannwhitneyu(b, a, alternative="greater", method="asymptotic").pvalue
    found = rank_sum_p(a, b)
    assert found == pytest.approx(expected) if len({*a, *b}) > 1 else found == 1.0


def test_without_times_there_is_no_evidence() -> None:
    assert rank_sum_p([], [1]) == 1.0


@pytest.mark.parametrize(
    ("before", "after", "fires"),
    [
        (400 << 20, 500 << 20, True),
        (400 << 20, 460 << 20, False),
        (20 << 30, (20 << 30) + (100 << 20), False),
        (400 << 20, 300 << 20, False),
        (None, 500 << 20, False),
        (400 << 20, None, False),
    ],
)
def test_growing_memory(before: int | None, after: int | None, fires: bool) -> None:
    grown = replace(measurement(queries=100), audit=Audit(rss_before_bytes=before, rss_after_bytes=after))
    expected = ("memory grew by 100 MiB during the timed pass, 1.02e+03 KiB per query",) if fires else ()
    assert measurement_reasons(grown, "fp32") == expected


def test_failed_and_broken_off_passes_are_invalid() -> None:
    assert measurement_reasons(measurement(errors=("device lost", "again")), "fp32") == ("queries failed: device lost",)
    assert measurement_reasons(measurement(stop_reason="interrupted"), "fp32") == ("the pass ended early: interrupted",)
