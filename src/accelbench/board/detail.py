"""What one report has beyond its row: bins, quantiles, time lines, the chain of files, the surroundings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelbench.board.plain import number, numbers
from accelbench.board.summary import Values, against
from accelbench.figures.passes import Pass
from accelbench.knowledge.match import applying
from accelbench.measure.series import Series
from accelbench.measure.stats import latencies
from accelbench.model import Artifact, Build, DriftSums, Report, Score
from accelbench.quality.drift import figures

BINS, LATENCY_BINS, STEPS = 64, 40, 60
SHORT = 3
"""Digits of what is only drawn."""

_QUANTILES = {"latency_p50_s": 0.5, "latency_p90_s": 0.9, "latency_p99_s": 0.99, "latency_p99.9_s": 0.999}
_LIMITS = ("max_relative_l2", "min_sqnr_db", "min_accuracy", "min_agreement")


def detail(
    report: Report, timed: Sequence[Pass], values: Values, beside: Mapping[str, Any], raw: Mapping[str, Any]
) -> Any:
    """The report's detail as the board's page reads it. ``beside`` has its reproductions and signatures; ``raw``
    says where the stored report is."""
    return {
        **{"id": report.id, "accelbench": report.accelbench, "command": report.command, "reasons": report.reasons},
        "task": {name: getattr(report.task, name) for name in ("id", "version", "hash", "flops")},
        "weights": asdict(report.weights) if report.weights else None,
        "tolerance": {name: value for name in _LIMITS if (value := getattr(report.tolerance, name)) is not None},
        "options": dict(report.target.options),
        "builds": [_build(each) for each in report.builds],
        "artifacts": [
            _artifact(each) for each in (*report.chain, *(report.builds[0].artifacts if report.builds else ()))
        ],
        "quality": _quality(report),
        "measurements": [_timed(each, position, values) for position, each in enumerate(timed)],
        "stages": [
            {
                "name": each.name,
                "items": len(each.ns),
                "p50S": number(float(np.median(each.ns)) * 1e-9) if each.ns else None,
            }
            for each in report.stages
        ],
        "host": _host(report),
        "environment": _environment(report),
        **beside,
        "recipes": [match.recipe.id for match in applying(report)],
        "raw": raw,
    }


def _build(build: Build) -> dict[str, Any]:
    tuning = build.tuning
    return {
        **{"batch": build.batch, "purpose": build.purpose, "compileS": number(build.compile_s)},
        **{"executed": build.compiled.executed_precision, "format": build.compiled.format},
        **{"coverageNodes": number(build.coverage.nodes), "coverageFlops": number(build.coverage.flops)},
        **{"fallbacks": build.coverage.fallbacks, "settings": dict(build.compiled.settings)},
        "tuning": f"{tuning.means}; {tuning.trials} trials" if tuning else None,
    }


def _artifact(made: Artifact) -> dict[str, Any]:
    return {
        **{"name": made.name, "sha256": made.sha256, "format": made.format, "sizeBytes": made.size_bytes},
        **{"maker": made.maker, "precision": made.precision},
        "sparsity": number(made.contents.sparsity) if made.contents and made.contents.values else None,
    }


def _quality(report: Report) -> dict[str, Any] | None:
    quality = report.quality
    if quality is None:
        return None
    return {
        "samples": quality.samples,
        "accuracy": _score(quality.accuracy),
        "reference": _score(quality.reference_accuracy),
        "agreement": _score(quality.agreement),
        "drift": [_drift(each) for each in quality.drift],
        **{"unready": quality.unready, "constant": quality.constant},
    }


def _score(score: Score | None) -> dict[str, Any] | None:
    if score is None:
        return None
    error = number(score.standard_error)
    return {"name": score.name, "value": number(score.value), "error": error, "samples": score.samples}


def _drift(sums: DriftSums) -> dict[str, Any]:
    found = figures(sums)
    error = merged(sums.signed_error_edges, sums.signed_error_bins)
    values = merged(sums.value_edges, sums.reference_bins, sums.output_bins)
    if error is not None:
        error["counts"] = error["counts"][0]
    if values is not None:
        values["reference"], values["output"] = values.pop("counts")
    return {
        **{"output": sums.output, "count": sums.count, "finite": sums.finite, "relativeL2": number(found.relative_l2)},
        **{"sqnrDb": number(found.sqnr_db), "cosine": number(found.cosine, 9), "maxAbs": number(found.max_abs)},
        **{"maxUlp": number(found.max_ulp), "nanReference": sums.nan_reference, "nanOutput": sums.nan_output},
        **{"infReference": sums.inf_reference, "infOutput": sums.inf_output, "bitEqual": sums.bit_equal},
        **{"error": error, "values": values, "mismatch": sums.mismatch},
    }


def merged(edges: Sequence[float], *counted: Sequence[int]) -> dict[str, Any] | None:
    """Equal bins between ``edges``, for each of ``counted``, put together so that at most ``BINS`` are left; None
    without bins. What the last one has beyond the stored bins is empty."""
    if not counted[0]:
        return None
    bins = len(counted[0])
    size = math.ceil(bins / BINS)
    left = math.ceil(bins / size)
    high = edges[0] + (edges[-1] - edges[0]) * (left * size / bins)
    sums = [[sum(counts[start : start + size]) for start in range(0, bins, size)] for counts in counted]
    return {"low": number(edges[0]), "high": number(high), "counts": sums}


def _timed(timed: Pass, position: int, values: Values) -> dict[str, Any]:
    measured, table = timed.measurement, timed.columns
    quantiles = []
    for name, q in _QUANTILES.items():
        if (name, position) in values:
            value, low, high = values[name, position]
            quantiles.append({"q": q, "s": number(value), "lowS": number(low), "highS": number(high)})
    some = table is not None and bool(table.ok.any())
    times = latencies(table).astype(np.float64) * 1e-9 if table is not None and some else None
    end_ns = int(table.done.max()) if table is not None and len(table) else 0
    return {
        **{"scenario": measured.plan.scenario, "batch": measured.plan.batch, "concurrency": measured.concurrency},
        **{"queries": measured.queries, "stopReason": measured.stop_reason, "warmupQueries": measured.warmup_queries},
        **{"against": against(timed), "problem": timed.problem, "quantiles": quantiles},
        "histogram": histogram(times) if times is not None else None,
        "line": line(table.done[table.ok].astype(np.float64) * 1e-9, times)
        if table is not None and times is not None
        else None,
        "telemetry": [told for each in timed.telemetry if (told := _telemetry(each, end_ns)) is not None],
    }


def histogram(times_s: NDArray[np.float64]) -> dict[str, Any] | None:
    """Latencies in bins of equal ratio; None where they are not all above zero."""
    low, high = float(times_s.min()), float(times_s.max())
    if not low > 0:
        return None
    if high <= low * (1 + 1e-9):
        return {"lowS": number(low), "highS": number(low * 1.001), "counts": [len(times_s)]}
    place = np.log(times_s / low) / math.log(high / low) * LATENCY_BINS
    counts = np.bincount(np.clip(place.astype(np.int64), 0, LATENCY_BINS - 1), minlength=LATENCY_BINS)
    return {"lowS": number(low), "highS": number(high), "counts": counts.tolist()}


def line(done_s: NDArray[np.float64], times_s: NDArray[np.float64]) -> dict[str, Any] | None:
    """Median and largest latency of the queries that ended in each of equal steps from the pass's begin to its end."""
    end = float(done_s.max())
    if not end > 0:
        return None
    step = np.clip((done_s / end * STEPS).astype(np.int64), 0, STEPS - 1)
    order = np.lexsort((times_s, step))
    borders = np.searchsorted(step[order], np.arange(STEPS + 1))
    some, ordered = borders[1:] > borders[:-1], times_s[order]
    first, last = borders[:-1][some], borders[1:][some] - 1
    medians, most = np.full((2, STEPS), np.nan)
    medians[some] = (ordered[(first + last) // 2] + ordered[(first + last + 1) // 2]) / 2
    most[some] = ordered[last]
    return {
        "endS": number(end),
        "medianS": numbers(medians.tolist(), SHORT),
        "maxS": numbers(most.tolist(), SHORT),
    }


def _telemetry(series: Series, end_ns: int) -> dict[str, Any] | None:
    """Means of the readings in equal steps of the pass; a counter is told by its rate."""
    time, values = np.array(series.time_ns, np.float64), np.array(series.values, np.float64)
    name, unit = series.name, series.unit
    if unit in _RATES:
        if len(values) < 2:
            return None
        unit, gains = _RATES[unit], np.diff(values)
        if series.wraps_at is not None:
            gains = np.where(gains < 0, gains + series.wraps_at, gains)
        values, time = gains / np.maximum(np.diff(time), 1.0) * 1e9, (time[1:] + time[:-1]) / 2
    inside = (time >= 0) & (time <= end_ns)
    if not inside.any() or not end_ns:
        return None
    steps = min(STEPS, max(1, int(inside.sum())))
    place = np.clip((time[inside] / end_ns * steps).astype(np.int64), 0, steps - 1)
    counts, sums = np.bincount(place, minlength=steps), np.bincount(place, values[inside], minlength=steps)
    means = [float(total / count) if count else None for total, count in zip(sums, counts, strict=True)]
    return {"name": name, "unit": unit, "endS": number(end_ns * 1e-9), "values": numbers(means, SHORT)}


_RATES = {"J": "W", "s": "s/s"}
"""Units of counters, and of what they rise by per second."""


def _host(report: Report) -> list[tuple[str, str]]:
    """Facts of the host that are known, by the names of ``Host``; ``memory`` with its unit."""
    told = asdict(report.host)
    memory = told.pop("memory_bytes")
    if memory is not None:
        told["memory"] = f"{memory / 2**30:.1f} GiB"
    return [(name, _text(value)) for name, value in told.items() if value not in (None, (), {})]


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {item}" for name, item in value.items())
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


def _environment(report: Report) -> dict[str, Any] | None:
    told = report.environment
    if told is None:
        return None
    return {
        **{"kind": told.kind, "python": told.python, "packages": dict(told.packages), "probes": dict(told.probes)},
        **{"lockSha256": told.lock_sha256, "adapterSha256": told.adapter_sha256},
    }
