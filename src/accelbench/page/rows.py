"""The comparison: one row per task × target × plan, computed from reports and their raw columns."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from accelbench.figures.figures import sparsity_of
from accelbench.figures.passes import Pass, passes
from accelbench.figures.peaks import marked
from accelbench.measure.stats import Quantile
from accelbench.model import DatasetFacts, Domain, Effort, LoadGen, Report, Scenario, Stage, Status, Tier, Verdict
from accelbench.quality.drift import worst
from accelbench.quality.verdict import judge

Outcome = Literal["within", "out", "unknown", "failed", "unsupported"]
LATENCIES = ("p50", "p99")
DRIFT = ("relative_l2", "sqnr_db", "cosine", "max_abs", "nan_count")


@dataclass(frozen=True)
class Row:
    """What one plan came to. ``drift`` is that of the worst output, ``latency_s`` has p50 and p99 where the samples
    carry them, ``throughput`` is samples per second, ``report`` the path of the report's folder,
    ``loadgen`` what LoadGen said of the same plan. ``concurrency`` queries were in flight at most, ``rate`` of them
    arrived per second. ``scores`` are all that labels gave, each with its standard error, ``data`` what real data they
    are of, ``stages`` the host's steps on them in seconds per item. ``slo`` is the bound that a search for the highest
    rate had, in words, and ``peak`` whether this is the rate that it ended with, confirmed. ``tier`` is the task's in
    ``roster``. ``size_bytes`` is that of the files that the stack compiled, after the ``passes``; ``sparsity`` the
    share of zeros among the weights in the last file that can be read. ``tune_s`` are the seconds that the stack was
    given to tune each form that it compiled; None: it was not tuned."""

    task: str
    weights: str | None
    backend: str
    device: str
    precision: str
    executed_precision: str | None
    batch: int | None
    scenario: Scenario | None
    status: Status
    verdict: Verdict
    reasons: tuple[str, ...]
    validity: tuple[str, ...] | None
    compile_s: float | None
    accuracy: float | None
    agreement: float | None
    drift: Mapping[str, float | None]
    latency_s: Mapping[str, float | None]
    throughput: float | None
    throughput_ci: tuple[float, float] | None
    report: Path
    effort: Effort
    loadgen: LoadGen | None = None
    concurrency: int | None = None
    rate: float | None = None
    slo: str | None = None
    peak: bool | None = None
    accuracy_error: float | None = None
    scores: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    data: Mapping[str, Any] | None = None
    stages: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    tier: Tier | None = None
    domain: Domain | None = None
    roster: str | None = None
    passes: tuple[str, ...] = ()
    size_bytes: int | None = None
    sparsity: float | None = None
    untested: bool = False
    tune_s: float | None = None

    @property
    def indicative(self) -> bool:
        """Whether the look was too short to base a choice on."""
        return self.effort == "quick"

    @property
    def outcome(self) -> Outcome:
        """The verdict, or the status where it came to none."""
        return self.verdict if self.status == "ok" else self.status


def rows(report: Report, folder: Path) -> list[Row]:
    """The rows of one report that lies in ``folder``: one per timed pass, or a single one where nothing was timed."""
    return rows_of(report, folder, passes(report, folder))


def rows_of(report: Report, folder: Path, timed: Sequence[Pass]) -> list[Row]:
    """The same from passes that were read before."""
    judgement = judge(report)
    base = Row(
        task=report.task.id,
        weights=report.weights.kind if report.weights else None,
        backend=report.target.backend,
        device=report.target.device,
        precision=report.target.precision,
        executed_precision=report.builds[0].compiled.executed_precision if report.builds else None,
        batch=None,
        scenario=None,
        status=report.status,
        verdict=judgement.verdict,
        reasons=tuple(dict.fromkeys((*report.reasons, *judgement.reasons))),
        validity=None,
        compile_s=report.builds[0].compile_s if report.builds else None,
        accuracy=report.quality.accuracy.value if report.quality and report.quality.accuracy else None,
        agreement=report.quality.agreement.value if report.quality and report.quality.agreement else None,
        drift=_drift(report),
        latency_s=dict.fromkeys(LATENCIES),
        throughput=None,
        throughput_ci=None,
        report=folder,
        effort=report.effort,
        tier=report.task.tier,
        domain=report.task.domain,
        roster=report.task.roster,
        accuracy_error=report.quality.accuracy.standard_error if report.quality and report.quality.accuracy else None,
        scores={
            score.name: {"value": score.value, "standard_error": score.standard_error, "samples": score.samples}
            for score in (report.quality.scores if report.quality else ())
        },
        data=_data(report.data),
        stages={stage.name: stage_figures(stage) for stage in report.stages if stage.ns},
        passes=report.target.passes,
        size_bytes=sum(each.size_bytes for each in report.builds[0].artifacts) if report.builds else None,
        sparsity=sparsity_of(report),
        untested=report.untested,
        tune_s=report.target.tune_s,
    )
    return [_timed(base, each) for each in marked(timed)] or [base]


def stage_figures(stage: Stage) -> dict[str, float]:
    """Seconds per item: median, mean, and what a tenth of the items is below and above; how many items there were."""
    seconds = np.array(stage.ns, np.float64) * 1e-9
    low, middle, high = np.quantile(seconds, (0.1, 0.5, 0.9)).tolist()
    return {"median_s": middle, "p10_s": low, "p90_s": high, "mean_s": float(seconds.mean()), "items": len(seconds)}


def settled(every: Sequence[Row]) -> list[Row]:
    """The rows without the probes of searches, but for each search's peak, or its last probe where it has none."""
    last = {_search(row): row for row in every if row.slo is not None}
    last |= {_search(row): row for row in every if row.peak}
    return [row for row in every if row.slo is None or row is last[_search(row)]]


def as_json(row: Row) -> dict[str, Any]:
    """The row as a JSON object: what is absent is null, and so is a number that JSON does not know."""
    document: dict[str, Any] = {each.name: _plain(getattr(row, each.name)) for each in fields(row)}
    return {**document, "loadgen": _under_loadgen(row.loadgen), "indicative": row.indicative}


def _under_loadgen(run: LoadGen | None) -> dict[str, Any] | None:
    """LoadGen's own account of the same plan: another clock than the row's."""
    if run is None:
        return None
    told = ("version", "valid", "reasons", "complaints", "samples", "queries", "figures", "settings")
    return {name: _plain(getattr(run, name)) for name in told}


def _timed(base: Row, timed: Pass) -> Row:
    plan, summary = timed.measurement.plan, timed.summary
    build = timed.build
    return replace(
        base,
        batch=plan.batch,
        scenario=plan.scenario,
        validity=timed.validity,
        compile_s=build.compile_s if build else base.compile_s,
        executed_precision=build.compiled.executed_precision if build else base.executed_precision,
        latency_s={name: _value(summary.quantiles.get(name)) if summary else None for name in LATENCIES},
        throughput=summary.throughput if summary else None,
        throughput_ci=summary.throughput_ci if summary else None,
        loadgen=timed.loadgen,
        concurrency=timed.measurement.concurrency,
        rate=plan.rate,
        slo=f"{plan.stop.statistic}<={plan.latency_bound_s:.6g}s" if plan.latency_bound_s is not None else None,
        peak=timed.peak,
    )


def _data(facts: DatasetFacts | None) -> dict[str, Any] | None:
    if facts is None:
        return None
    return {"name": facts.name, "sha256": facts.sha256, "items": facts.items, "scored": facts.scored}


def _search(row: Row) -> tuple[Path, int | None, str | None]:
    return row.report, row.batch, row.slo


def _drift(report: Report) -> dict[str, float | None]:
    if report.quality is None or not report.quality.drift:
        return dict.fromkeys(DRIFT)
    figures = worst(report.quality)
    return {name: getattr(figures, name) for name in DRIFT}


def _value(quantile: Quantile | None) -> float | None:
    return quantile.value_s if quantile else None


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, Path):
        return str(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value
