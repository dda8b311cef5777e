"""What changed between two sets of reports: for a nightly run, and whoever reads its summary.

Of several reports of one task, kind of weights and target the newest counts. Speeds are compared as
``accelbench.compare`` does, at a level that all comparisons of the diff keep together; and *faster* or *slower* is only
what surely lies beyond the margin, since two runs of the same code differ by more than the interval within one tells.
Drift and scores do not scatter: any move of a score is told, and of drift one beyond its margin.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from accelbench.compare import MARGIN, STATISTICS, ReportPair, Stored, compare, plan_key, target_key, task_key
from accelbench.measure.compare import Comparison
from accelbench.model import Plan, Report, Target
from accelbench.quality.verdict import judge

Kind = Literal[
    "newly_failing",
    "slower",
    "drift_up",
    "accuracy_down",
    "newly_passing",
    "faster",
    "drift_down",
    "accuracy_up",
    "ambiguous",
    "same",
    "added",
    "removed",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""What may have become of a figure or of a report, the worst first."""

FAILURES: Mapping[str, tuple[Kind, ...]] = {
    "slower": ("slower",),
    "failing": ("newly_failing",),
    "drift": ("drift_up",),
    "accuracy": ("accuracy_down",),
    "removed": ("removed",),
}
"""What a nightly run may fail on."""

DRIFT_MARGIN = 0.10
ROUNDING = 1e-6
"""A relative L2 below this is float32's own rounding, whose size is no property of a stack."""

SCORES = ("accuracy", "agreement")


@dataclass(frozen=True)
class Change:
    """One figure, or a whole report (``figure`` None). ``old`` and ``new`` are the figure's values, absent where there
    is none; ``comparison`` says what new is beside old; ``detail`` is a reason, in words."""

    kind: Kind
    task: str
    target: Target
    plan: Plan | None = None
    figure: str | None = None
    old: float | None = None
    new: float | None = None
    comparison: Comparison | None = None
    detail: str | None = None


@dataclass(frozen=True)
class Diff:
    """Every change, the worst kinds first. ``compared`` pairs of reports gave ``tests`` comparisons of speeds; of
    ``older`` reports there were newer ones. ``notes`` say what else differs in a pair."""

    changes: tuple[Change, ...]
    compared: int
    tests: int
    older: int
    margin: float
    notes: tuple[tuple[str, Target, str], ...]

    def of(self, *kinds: Kind) -> tuple[Change, ...]:
        """The changes of these kinds."""
        return tuple(each for each in self.changes if each.kind in kinds)

    def failures(self, wanted: Iterable[str]) -> tuple[Change, ...]:
        """The changes that a run which fails on ``wanted`` (of FAILURES) fails on."""
        return self.of(*(kind for word in wanted for kind in FAILURES[word]))


def diff(old: Iterable[Stored], new: Iterable[Stored], margin: float = MARGIN) -> Diff:
    """What became of the reports ``old`` in the reports ``new``."""
    (before, hidden), (after, more) = _newest(old), _newest(new)
    both = [key for key in before if key in after]
    tests = sum(_tests(before[key][0], after[key][0]) for key in both if before[key][0].id != after[key][0].id)
    changes: list[Change] = []
    notes: list[tuple[str, Target, str]] = []
    for key in both:
        one, other = before[key], after[key]
        if one[0].id == other[0].id:
            changes.append(_alone("same", other[0]))
            continue
        changes += _outcome(one[0], other[0])
        pair = compare(other, one, margin, max(tests, 1))
        changes += _speeds(pair, margin)
        changes += _quality(pair, one[0].task.feeds_sha256 == other[0].task.feeds_sha256)
        notes += [(pair.task, pair.targets[0], _turned(note)) for note in pair.notes]
    changes += [_alone("added", after[key][0]) for key in after if key not in before]
    changes += [_alone("removed", before[key][0]) for key in before if key not in after]
    ordered = sorted(changes, key=lambda each: KINDS.index(each.kind))
    return Diff(tuple(ordered), len(both), tests, hidden + more, margin, tuple(notes))


def _newest(every: Iterable[Stored]) -> tuple[dict[Hashable, Stored], int]:
    """The newest report of each key, and how many others there are. The same report twice is one."""
    found: dict[Hashable, Stored] = {}
    seen: set[str] = set()
    for stored in every:
        report = stored[0]
        seen.add(report.id)
        key = task_key(report), report.weights.kind if report.weights else None, target_key(report.target)
        if key not in found or (found[key][0].created, found[key][0].id) < (report.created, report.id):
            found[key] = stored
    return found, len(seen) - len(found)


def _tests(old: Report, new: Report) -> int:
    plans = [{plan_key(each.plan) for each in report.measurements} for report in (old, new)]
    return len(STATISTICS) * len(plans[0] & plans[1])


def _fails(report: Report) -> str | None:
    """Why the report is no success: its status, or a verdict that is out; None for a success."""
    if report.status != "ok":
        return next(iter(report.reasons), report.status)
    judgement = judge(report)
    return judgement.reasons[0] if judgement.verdict == "out" else None


def _outcome(old: Report, new: Report) -> Iterator[Change]:
    before, after = _fails(old), _fails(new)
    if before is None and after is not None:
        yield Change("newly_failing", new.task.id, new.target, detail=after)
    elif before is not None and after is None:
        yield Change("newly_passing", new.task.id, new.target, detail=f"before: {before}")


def _speeds(pair: ReportPair, margin: float) -> Iterator[Change]:
    for each in pair.plans:
        doubts = [f"{side}: {why[0]}" for side, why in zip(("new", "old"), each.invalid, strict=True) if why]
        for name, figure in each.figures.items():
            if figure.comparison is None:
                continue
            kind = _beyond(figure.comparison, margin)
            detail = "; ".join(doubts) or None
            if doubts and kind != "same":
                kind = "ambiguous"
            yield Change(
                kind, pair.task, pair.targets[0], each.plan, name, figure.b, figure.a, figure.comparison, detail
            )


def _beyond(found: Comparison, margin: float) -> Literal["faster", "slower", "same", "ambiguous"]:
    if found.outcome == "faster" and found.low is not None and found.low <= 1 + margin:
        return "ambiguous"
    if found.outcome == "slower" and found.high is not None and found.high >= 1 / (1 + margin):
        return "ambiguous"
    return found.outcome


def _quality(pair: ReportPair, same_samples: bool) -> Iterator[Change]:
    if not same_samples:
        return
    for name in SCORES:
        new, old = pair.quality[name]
        if new is not None and old is not None and new != old:
            kind: Kind = "accuracy_up" if new > old else "accuracy_down"
            yield Change(kind, pair.task, pair.targets[0], figure=name, old=old, new=new)
    new, old = pair.quality["relative_l2"]
    if new is not None and old is not None and max(new, old) > ROUNDING:
        if new > old * (1 + DRIFT_MARGIN):
            yield Change("drift_up", pair.task, pair.targets[0], figure="relative_l2", old=old, new=new)
        elif new * (1 + DRIFT_MARGIN) < old:
            yield Change("drift_down", pair.task, pair.targets[0], figure="relative_l2", old=old, new=new)


def _alone(kind: Kind, report: Report) -> Change:
    """A report without another, or the very same one twice."""
    return Change(kind, report.task.id, report.target, detail=_fails(report))


def _turned(note: str) -> str:
    """``compare`` was given new as A and old as B."""
    for side, word in (("A is", "new is"), ("B is", "old is")):
        note = note.replace(side, word) if note.startswith(side) else note
    return note


def counts(changes: Sequence[Change]) -> dict[str, int]:
    """How many changes there are of each kind, the worst first."""
    return {kind: sum(each.kind == kind for each in changes) for kind in KINDS}
