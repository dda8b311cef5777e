"""Two sets of reports side by side: what is faster, and what became of accuracy and drift."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from accelbench.figures.passes import Pass, passes
from accelbench.measure.compare import Comparison, apart
from accelbench.measure.stats import Quantile, Summary
from accelbench.model import Plan, Report, Target
from accelbench.quality.drift import worst

MARGIN = 0.03
"""Two figures whose ratio is surely within 3 % are called the same, unless another margin is asked for."""

QUANTILES = ("p50", "p99")
STATISTICS = (*QUANTILES, "throughput")
FIGURES = ("accuracy", "agreement", "relative_l2", "sqnr_db")

T = TypeVar("T")
Stored = tuple[Report, Path]
Both = tuple[float | None, float | None]


@dataclass(frozen=True)
class FigurePair:
    """A statistic of A and of B (seconds, or samples per second), and what A is beside B: absent where one of them
    has no interval."""

    a: float | None
    b: float | None
    comparison: Comparison | None


@dataclass(frozen=True)
class PlanPair:
    """The same plan on both sides. ``invalid``: why a pass cannot be relied on, of A and of B."""

    plan: Plan
    figures: Mapping[str, FigurePair]
    invalid: tuple[tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True)
class ReportPair:
    """Two reports of the same task. ``quality`` has the FIGURES of both; ``notes`` what else differs that a reader of
    the speeds should know; ``unmatched`` the plans that only A and only B ran."""

    task: str
    targets: tuple[Target, Target]
    folders: tuple[Path, Path]
    plans: tuple[PlanPair, ...]
    unmatched: tuple[tuple[Plan, ...], tuple[Plan, ...]]
    quality: Mapping[str, Both]
    notes: tuple[str, ...]


def match(a: Sequence[Stored], b: Sequence[Stored]) -> tuple[list[tuple[Stored, Stored]], list[Stored], list[Stored]]:
    """Pairs of reports of the same task, and those of A and of B that have no partner.

    A task that each side has one report of makes a pair whatever the targets; of several reports those with the same
    target do.
    """
    pairs, left_a, left_b = _unique(a, b, lambda stored: task_key(stored[0]))
    more, left_a, left_b = _unique(left_a, left_b, lambda stored: (task_key(stored[0]), target_key(stored[0].target)))
    return pairs + more, left_a, left_b


def compare(a: Stored, b: Stored, margin: float = MARGIN, tests: int = 1) -> ReportPair:
    """Compare two reports, plan by plan. Each outcome says what A is beside B, as one of so many ``tests`` that are
    read together."""
    plans, left_a, left_b = _unique(passes(*a), passes(*b), lambda timed: plan_key(timed.measurement.plan))
    return ReportPair(
        task=a[0].task.id,
        targets=(a[0].target, b[0].target),
        folders=(a[1], b[1]),
        plans=tuple(_plans(one, other, margin, tests) for one, other in plans),
        unmatched=(
            tuple(timed.measurement.plan for timed in left_a),
            tuple(timed.measurement.plan for timed in left_b),
        ),
        quality={
            name: (one, other)
            for (name, one), other in zip(_quality(a[0]).items(), _quality(b[0]).values(), strict=True)
        },
        notes=tuple(_notes(a[0], b[0])),
    )


def _plans(a: Pass, b: Pass, margin: float, tests: int) -> PlanPair:
    figures: dict[str, FigurePair] = {}
    for name in STATISTICS:
        one, other = _statistic(a.summary, name), _statistic(b.summary, name)
        found = apart(one, other, margin, tests) if one and other else None
        figures[name] = FigurePair(_shown(name, one), _shown(name, other), found)
    return PlanPair(a.measurement.plan, figures, (_invalid(a), _invalid(b)))


def _statistic(summary: Summary | None, name: str) -> Quantile | None:
    """The statistic as a time: that of a quantile, or the time per sample that a throughput means."""
    if summary is None:
        return None
    if name in QUANTILES:
        return summary.quantiles[name]
    if not summary.throughput:
        return None
    low, high = summary.throughput_ci or (None, None)
    return Quantile(1 / summary.throughput, 1 / high if high else None, 1 / low if low else None)


def _shown(name: str, found: Quantile | None) -> float | None:
    if found is None:
        return None
    return found.value_s if name in QUANTILES else 1 / found.value_s


def _invalid(timed: Pass) -> tuple[str, ...]:
    return (timed.problem,) if timed.problem else timed.validity or ()


def _quality(report: Report) -> dict[str, float | None]:
    quality = report.quality
    drift = worst(quality) if quality and quality.drift else None
    return {
        "accuracy": quality.accuracy.value if quality and quality.accuracy else None,
        "agreement": quality.agreement.value if quality and quality.agreement else None,
        "relative_l2": drift.relative_l2 if drift else None,
        "sqnr_db": drift.sqnr_db if drift else None,
    }


def _notes(a: Report, b: Report) -> list[str]:
    found = [f"{side} is {report.status}" for side, report in (("A", a), ("B", b)) if report.status != "ok"]
    if a.weights and b.weights and a.weights.sha256 != b.weights.sha256:
        found.append("the weights differ")
    if a.task.feeds_sha256 != b.task.feeds_sha256:
        found.append("the samples differ, and with them accuracy and drift")
    if a.host != b.host:
        found.append("the hosts differ")
    if "quick" in (a.effort, b.effort):
        found.append("quick effort: indicative")
    return found


def task_key(report: Report) -> Hashable:
    """What reports of the same task have in common."""
    return report.task.id, report.task.version, report.task.hash


def target_key(target: Target) -> Hashable:
    """What equal targets have in common."""
    options = tuple(sorted(target.options.items()))
    return target.backend, target.device, target.precision, target.passes, target.tune_s, options


def plan_key(plan: Plan) -> Hashable:
    """What passes that can be compared have in common: the load, not when it stopped or what was drawn."""
    in_front = plan.instances, plan.max_batch, plan.max_delay_s, plan.trace
    return plan.scenario, plan.batch, plan.concurrency, plan.rate, plan.burst, plan.latency_bound_s, in_front


def _unique(a: Sequence[T], b: Sequence[T], key: Callable[[T], Hashable]) -> tuple[list[tuple[T, T]], list[T], list[T]]:
    """Pairs of those whose key occurs once on either side, and the rest."""
    sides = [[key(each) for each in side] for side in (a, b)]
    pairs = [
        (one, b[sides[1].index(name)])
        for one, name in zip(a, sides[0], strict=True)
        if sides[0].count(name) == sides[1].count(name) == 1
    ]
    paired = {key(one) for one, _ in pairs}
    return pairs, [each for each in a if key(each) not in paired], [each for each in b if key(each) not in paired]
