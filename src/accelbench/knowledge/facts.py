"""What conditions of recipes are about: the facts of a report, flat and by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from accelbench.model import Plan, Quality, Report
from accelbench.quality.drift import worst

Fact = float | tuple[str, ...]
Named = Iterator[tuple[str, float | tuple[str, ...] | None]]

OPTION = "option."

NAMES: Mapping[str, str] = {
    "task": "its id",
    "tier": "of the task",
    "domain": "of the task",
    "flops": "of one sample",
    "parameters": "of the weights",
    "backend": "its name",
    "device": "as the target names it",
    "precision": "that was asked for",
    "passes": "each of the chain",
    "executed": "precision of the bulk of the arithmetic, of each compiled form",
    "tune_s": "seconds that the stack might tune",
    "effort": "quick, standard, submission",
    "status": "ok, failed, unsupported",
    "reasons": "why not ok, each line",
    "operators": "kernels that the stack reports, by name",
    "fallbacks": "operators that ran elsewhere than on the device: how many",
    "coverage": "share of the graph's FLOPs on the device",
    "compile_s": "of the first compiled form",
    "size_bytes": "of the first compiled form",
    "accuracy": "over the accuracy pass",
    "accuracy_lost": "the reference's accuracy minus this one",
    "agreement": "share of samples with the reference's decision",
    "relative_l2": "drift of the worst output",
    "sqnr_db": "drift of the worst output",
    "non_finite": "values that are NaN or infinite where the reference's are not: how many",
    "cpu_flags": "of the host, each",
    "cpus": "logical ones of the host",
    "load": "each timed pass: `offline x8` is scenario and batch",
    "rate": "the highest of the timed passes, queries per second",
    "max_batch": "the largest of dynamic batching",
    "instances": "the most of a timed pass",
}
"""Every fact by its name, and what it is; besides these, ``option.NAME`` is the value of an option."""


def known_fact(name: str) -> bool:
    """Whether conditions may be about a fact of this name."""
    return name in NAMES or (name.startswith(OPTION) and len(name) > len(OPTION))


def facts(report: Report) -> dict[str, Fact]:
    """The facts of a report: a number, or texts. What is not known is not there; a list without entries has none."""
    found: dict[str, float | tuple[str, ...] | None] = {
        "task": (report.task.id,),
        "tier": (report.task.tier,),
        "domain": (report.task.domain,),
        "flops": report.task.flops,
        "parameters": report.weights.parameters if report.weights else None,
        **dict(_target(report)),
        "effort": (report.effort,),
        "status": (report.status,),
        "reasons": report.reasons,
        "cpu_flags": report.host.cpu_flags,
        "cpus": report.host.logical_cpus,
        **dict(_built(report)),
        **dict(_quality(report.quality)),
        **dict(_load([each.plan for each in report.measurements])),
    }
    return {name: fact if isinstance(fact, tuple) else float(fact) for name, fact in found.items() if fact is not None}


def _target(report: Report) -> Named:
    target = report.target
    yield "backend", (target.backend,)
    yield "device", (target.device,)
    yield "precision", (target.precision,)
    yield "passes", target.passes
    yield "tune_s", target.tune_s
    for name, value in target.options.items():
        yield f"{OPTION}{name}", (value,)


def _built(report: Report) -> Named:
    if not report.builds:
        return
    first = report.builds[0]
    yield "executed", tuple(dict.fromkeys(each.compiled.executed_precision for each in report.builds))
    yield "operators", tuple(dict.fromkeys(placed.op for placed in first.compiled.placements))
    yield "fallbacks", len(first.coverage.fallbacks)
    yield "coverage", first.coverage.flops
    yield "compile_s", first.compile_s
    yield "size_bytes", sum(made.size_bytes for made in first.artifacts)


def _quality(quality: Quality | None) -> Named:
    if quality is None:
        return
    score, reference = quality.accuracy, quality.reference_accuracy
    yield "accuracy", score.value if score else None
    yield "accuracy_lost", reference.value - score.value if score and reference else None
    yield "agreement", quality.agreement.value if quality.agreement else None
    yield "non_finite", non_finite(quality)
    if quality.drift:
        drift = worst(quality)
        yield "relative_l2", drift.relative_l2
        yield "sqnr_db", drift.sqnr_db


def non_finite(quality: Quality) -> int | None:
    """Values of all outputs that are NaN or infinite where the reference's are not; None where nothing could be
    compared."""
    compared = [sums for sums in quality.drift if sums.count]
    introduced = (each.count - each.finite - each.nan_reference - each.inf_reference for each in compared)
    return sum(max(0, each) for each in introduced) if compared else None


def _load(plans: Sequence[Plan]) -> Named:
    yield "load", tuple(dict.fromkeys(f"{plan.scenario} x{plan.batch}" for plan in plans))
    for name in ("rate", "max_batch", "instances"):
        yield name, max((value for plan in plans if (value := getattr(plan, name)) is not None), default=None)
