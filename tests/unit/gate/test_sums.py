"""Sums of real outputs never contradict themselves; forged ones do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.gate import factory

from accelbench.gate.sums import contradictions, size
from accelbench.model import DriftSums, TensorSpec
from accelbench.quality.drift import accumulate
from accelbench.tensors import TensorSet, TensorWriter


def sums_of(folder: Path, reference: np.ndarray, outputs: np.ndarray) -> DriftSums:
    sets = []
    for side, values in (("r", reference), ("y", outputs)):
        with TensorWriter(folder / side) as writer:
            writer.append({"logits": values})
        sets.append(TensorSet(folder / side))
    return accumulate(sets[0], sets[1])[0]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    scale=st.sampled_from([1e-30, 1e-3, 1.0, 1e4, 1e30]),
    noise=st.sampled_from([0.0, 1e-7, 1e-3, 1.0]),
    odd=st.sampled_from([None, np.nan, np.inf]),
    dtype=st.sampled_from(["float32", "float16", "int64"]),
)
def test_real_sums_are_consistent(
    tmp_path_factory: pytest.TempPathFactory, seed: int, scale: float, noise: float, odd: float | None, dtype: str
) -> None:
    rng = np.random.default_rng(seed)
    reference = rng.standard_normal(50) * (scale if dtype == "float32" else 100)
    outputs = reference * (1 + noise * rng.standard_normal(50))
    if odd is not None and dtype != "int64":
        outputs[seed % 50] = odd
    found = sums_of(tmp_path_factory.mktemp("s"), reference.astype(dtype), outputs.astype(dtype))
    assert list(contradictions(found, None, None, 0)) == []


def test_every_forged_field_is_found(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    reference = rng.standard_normal(500).astype(np.float32)
    honest = sums_of(tmp_path, reference, (reference * np.float32(1.01)).astype(np.float32))
    assert list(contradictions(honest, None, None, 0)) == []
    forged = [
        replace(honest, sum_e2=honest.sum_e2 / 2),
        replace(honest, sum_e2=0.0),
        replace(honest, sum_r2=honest.sum_r2 * 1.001),
        replace(honest, sum_y2=honest.sum_y2 * 1.001),
        replace(honest, sum_ry=honest.sum_ry * 1.001),
        replace(honest, max_abs=honest.max_abs / 2),
        replace(honest, max_abs=honest.max_abs * 2),
        replace(honest, error_bins={}),
        replace(honest, error_bins={"-80": honest.finite}),
        replace(honest, finite=honest.finite + 1),
        replace(honest, count=honest.count - 1),
        replace(honest, nan_output=1),
        replace(honest, bit_equal=honest.count),
        replace(honest, reference_bins=()),
        replace(honest, signed_error_bins=()),
    ]
    assert [list(contradictions(each, None, None, 0)) for each in forged].count([]) == 0


def test_the_size_is_that_of_the_samples() -> None:
    task = factory.task("image")
    assert size(TensorSpec("logits", "float32", ("N", 10)), task, 32) == 320
    assert size(TensorSpec("logits", "float32", ("N", "M")), task, 32) is None
    assert size(TensorSpec("logits", "float32", (1, 10)), replace(task, batched=False), 2) == 20
