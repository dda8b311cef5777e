"""The verdict on a report: a pure function of its stored facts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from accelbench.model import Build, Measurement, Quality, Report, Score, Tolerance, Verdict
from accelbench.quality.checks import honesty_reasons, precision_reasons, quality_reasons
from accelbench.quality.drift import DriftFigures, figures


@dataclass(frozen=True)
class Judgement:
    """``reasons`` say why a verdict is ``out`` or ``unknown``, one line each; ``within`` has none."""

    verdict: Verdict
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class _Limits:
    """The outcome of the tolerance's limits: those met, those ``broken`` and those that could not be ``judged``."""

    met: int
    broken: tuple[str, ...]
    unjudged: tuple[str, ...]


def judge(report: Report) -> Judgement:
    """``out`` if an integrity check fails or a limit is broken; ``within`` if at least one limit is given and all are
    met; ``unknown`` if the report's status is not ``ok`` or a limit could not be judged, or none was given.

    An accuracy that labels cannot give (seeded weights) leaves its place to the agreement with the reference: then
    ``min_accuracy`` is not asked for, provided that ``min_agreement`` is.
    """
    if report.status != "ok":
        return Judgement("unknown", report.reasons or (f"the run ended as {report.status}",))
    limits = _limits(report.quality, report.tolerance)
    failed = (*_integrity(report), *limits.broken)
    if failed:
        return Judgement("out", failed)
    if limits.unjudged:
        return Judgement("unknown", limits.unjudged)
    if not limits.met:
        return Judgement("unknown", ("no tolerance is given",))
    return Judgement("within", ())


def faults(quality: Quality, tolerance: Tolerance, asked: str, builds: Sequence[Build]) -> tuple[str, ...]:
    """Why the outputs of an accuracy pass alone are ``out``: integrity checks that fail, and limits that are broken."""
    return (
        *quality_reasons(quality),
        *precision_reasons(quality.drift, asked, builds),
        *_limits(quality, tolerance).broken,
    )


def executed_precision(report: Report, measurement: Measurement) -> str:
    """What the build of this timed pass says was executed; without such a build, what was asked for."""
    plan = measurement.plan

    def timed(build: Build) -> bool:
        return build.batch == plan.compiled_batch and build.purpose in (None, plan.purpose)

    return next((b.compiled.executed_precision for b in report.builds if timed(b)), report.target.precision)


def _integrity(report: Report) -> Iterator[str]:
    if report.quality is not None:
        yield from quality_reasons(report.quality)
        asked = None if report.target.passes else report.target.precision
        yield from precision_reasons(report.quality.drift, asked, report.builds)
    for measurement in report.measurements:
        plan = measurement.plan
        for reason in honesty_reasons(measurement, executed_precision(report, measurement)):
            yield f"{plan.scenario}, batch {plan.batch}: {reason}"


def _limits(quality: Quality | None, tolerance: Tolerance) -> _Limits:
    asked = _asked(quality, tolerance)
    if quality is None:
        return _Limits(0, (), tuple(f"{name} cannot be judged: no accuracy pass" for name in asked))
    outcomes = [_outcome(quality, name, limit) for name, limit in asked.items()]
    return _Limits(
        met=sum(1 for broken, unjudged in outcomes if not broken and not unjudged),
        broken=tuple(broken for broken, _ in outcomes if broken),
        unjudged=tuple(unjudged for _, unjudged in outcomes if unjudged),
    )


def _asked(quality: Quality | None, tolerance: Tolerance) -> dict[str, float]:
    given = {
        "max_relative_l2": tolerance.max_relative_l2,
        "min_sqnr_db": tolerance.min_sqnr_db,
        "min_accuracy": tolerance.min_accuracy,
        "min_agreement": tolerance.min_agreement,
    }
    if quality is not None and quality.accuracy is None and tolerance.min_agreement is not None:
        given["min_accuracy"] = None
    return {name: limit for name, limit in given.items() if limit is not None}


def _outcome(quality: Quality, name: str, limit: float) -> tuple[str | None, str | None]:
    """One limit's reason for being broken, or for not having been judged, or neither."""
    if name in ("min_accuracy", "min_agreement"):
        kind = name.removeprefix("min_")
        return _score_outcome(kind, quality.accuracy if kind == "accuracy" else quality.agreement, limit)
    broken, unjudged = None, None
    found = sorted((figures(sums) for sums in quality.drift if sums.count), key=lambda f: -(f.relative_l2 or 0.0))
    for figure in found:
        if figure.max_abs is None:
            unjudged = unjudged or f"{name} cannot be judged: output {figure.output} has no finite values to compare"
        else:
            broken = broken or _drift_broken(figure, name, limit)
    if not found:
        unjudged = f"{name} cannot be judged: there are no values to compare"
    return broken, None if broken else unjudged


def _drift_broken(figure: DriftFigures, name: str, limit: float) -> str | None:
    """Why this output breaks the limit; no error at all (SQNR None) breaks none."""
    if figure.relative_l2 is None:
        return f"drift has no bound: the reference of output {figure.output} is all zero, the output is not"
    if name == "max_relative_l2" and figure.relative_l2 > limit:
        return f"drift {figure.relative_l2:.4g} exceeds {limit:g} (relative L2, output {figure.output})"
    if name == "min_sqnr_db" and figure.sqnr_db is not None and figure.sqnr_db < limit:
        return f"SQNR {figure.sqnr_db:.4g} dB is below {limit:g} dB (output {figure.output})"
    return None


def _score_outcome(kind: str, score: Score | None, limit: float) -> tuple[str | None, str | None]:
    if score is None:
        return None, f"min_{kind} cannot be judged: {kind} was not measured"
    if not score.value >= limit:
        return f"{kind} {score.value:.4g} is below {limit:g} ({score.name}, {score.samples} samples)", None
    return None, None
