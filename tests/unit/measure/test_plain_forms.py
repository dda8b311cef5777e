"""The statistics are written to be fast; here they are in the plain forms of NumPy, and equal to the last bit."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.unit.measure.made import closed, measurement

from accelbench.measure import stats, validity
from accelbench.measure.columns import Columns
from accelbench.measure.special import incomplete_beta
from accelbench.model import Plan, Stop


def made(seed: int) -> Columns:
    """Passes of many lengths, with and without drift, ties, failures and several feeds."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(4000, 9000)) if seed % 7 == 0 else int(rng.integers(1, 1500))
    took = (rng.lognormal(0.0, rng.uniform(0.01, 1.5), count) * 1e5).astype(np.int64) + 1
    if seed % 5 == 0:
        took[count // 2 :] *= 2
    if seed % 11 == 0:
        took[:] = 1000
    ok = np.ones(count, dtype=np.bool_) if seed % 4 else rng.random(count) > 0.1
    ok[0] = True
    return closed(took, ok=ok, feed=(np.arange(count) % (1 + seed % 9)).astype(np.uint16))


def plain_variance(series: NDArray[Any]) -> tuple[float, int]:
    n = len(series)
    terms = min(stats.MAX_TERMS, max(1, int(0.4 * n ** (2 / 3))))
    width = -(-n // stats.MAX_BLOCKS)
    blocks = n // width
    means = np.asarray(series[: blocks * width]).reshape(blocks, width).mean(axis=1, dtype=np.float64)
    means -= means.mean()
    spectrum = np.fft.rfft(means, 2 * blocks)[1 : terms + 1]
    turn = np.exp(-0.5j * np.pi * np.arange(1, terms + 1) / blocks)
    return float(np.mean(((spectrum * turn).real * math.sqrt(2 / blocks)) ** 2)) * width, terms


def plain_shift(columns: Columns) -> float | None:
    times = (columns.done - columns.issued)[columns.ok].astype(np.float64)
    if len(times) < validity.TIME_BLOCKS * validity.BLOCK_LEAST or times.min() <= 0:
        return None
    logs, feed = np.log(times), columns.feed[columns.ok]
    relative = logs - np.array([np.median(logs[feed == kind]) for kind in range(int(feed.max()) + 1)])[feed]
    blocks = np.array_split(relative, validity.TIME_BLOCKS)
    medians = np.array([np.median(block) for block in blocks])
    around = np.concatenate([block - median for block, median in zip(blocks, medians, strict=True)])
    spread = float(np.median(np.abs(around))) * 1.4826
    cut = around.clip(-3 * spread, 3 * spread)
    variance = float(np.mean(cut * cut))
    correlation = float(np.mean(cut[1:] * cut[:-1])) / variance if variance > 0 else 0.0
    correlation = min(0.95, max(0.0, correlation))
    memory = float(np.sqrt((1 + correlation) / (1 - correlation)))
    error = 1.2533 * spread * memory / np.sqrt(len(blocks[0]))
    span = float(np.ptp(medians))
    least = max(np.log(validity.SHIFT_RATIO), validity.SHIFT_ERRORS * error)
    return float(np.exp(span)) if span > least else None


def plain_beta(a: float, b: float, x: float) -> float:
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - plain_beta(b, a, 1.0 - x)
    logs = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front = math.exp(logs + a * math.log(x) + b * math.log1p(-x) - math.log(a))
    c, d = 1.0, 1.0 / (1.0 - (a + b) * x / (a + 1.0))
    value = d
    for m in range(1, 100_000):
        for step in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 / (1.0 + step * d)
            c = 1.0 + step / c
            value *= c * d
        if abs(c * d - 1.0) < 1e-12:
            break
    return front * value


@pytest.mark.parametrize("seed", range(60))
def test_of_a_pass(seed: int) -> None:
    columns = made(seed)
    times = stats.latencies(columns)
    assert stats.median(times) == float(np.median(times))
    assert stats.long_run_variance(times) == plain_variance(times)
    assert stats.long_run_variance(times <= np.median(times)) == plain_variance(times <= np.median(times))
    assert validity.time_shift(columns) == plain_shift(columns)
    found = stats.summary(columns)
    assert found.mean_s == float(times.mean()) * 1e-9
    assert stats.summary(columns, ("p50", "p99")) == replace(
        found, quantiles={name: found.quantiles[name] for name in ("p50", "p99")}
    )


@pytest.mark.parametrize("statistic", ["p50", "p95", "mean", "throughput"])
@pytest.mark.parametrize("seed", range(12))
def test_reasons_are_the_same_with_a_summary_at_hand(seed: int, statistic: str) -> None:
    columns = made(seed)
    timed = replace(measurement(), plan=Plan("single_stream", Stop(max_s=1.0, statistic=statistic)))
    found = validity.reasons(timed, columns)
    assert validity.reasons(timed, columns, stats.summary(columns)) == found
    assert validity.reasons(timed, columns, stats.summary(columns, ("p50",))) == found


def test_incomplete_beta() -> None:
    rng = np.random.default_rng(1)
    for a, b, x in zip(
        10 ** rng.uniform(-0.3, 5, 1000), 10 ** rng.uniform(-0.3, 5, 1000), rng.random(1000), strict=True
    ):
        assert incomplete_beta(float(a), float(b), float(x)) == plain_beta(float(a), float(b), float(x))
