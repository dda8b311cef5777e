"""What a change did: the figures of two reports side by side, and which of them are surely better or worse."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from accelbench.figures.figures import BETTER, Figure
from accelbench.knowledge.facts import non_finite
from accelbench.knowledge.recipe import Effect, Measured, Recipe, Shown
from accelbench.model import Report, Scenario
from accelbench.report.stack import stack_version

Outcome = Literal["better", "worse", "same"]
Key = tuple[str, Scenario | None]

STATUS, NON_FINITE = "status", "non_finite"

MARGIN = 1.03
"""Below this ratio two times, throughputs or sizes are the same, as in ``accelbench compare``."""
ONE_OFF = 1.5
"""That of seconds that were taken once."""
LEAST_S = 1.0
"""Seconds that compiling must take more, or less, to be told."""
DRIFT = 1.25
"""That of drifts."""
LEAST_DRIFT = 1e-4
"""A drift below this is rounding, and tells nothing."""
DECIBELS = 2.0
DIGITS = 4

WORTH_TELLING = (
    *("accuracy", "agreement", "relative_l2", "size_bytes", "compile_s", "throughput"),
    *("latency_p50_s", "latency_p99_s", NON_FINITE, STATUS),
)
"""The figures that are told as costs where they got worse."""


@dataclass(frozen=True)
class Value:
    """A figure of one report: its 95 % interval where it has one, its standard error where it is a score, and why its
    pass is not valid."""

    value: float | str
    low: float | None = None
    high: float | None = None
    error: float | None = None
    against: tuple[str, ...] = ()


@dataclass(frozen=True)
class Side:
    """A report with its figures."""

    report: Report
    values: Mapping[Key, Value]


def side(report: Report, figures: list[Figure]) -> Side:
    """The report with its ``figures`` by name and scenario. Of several passes of a scenario the first counts."""
    values: dict[Key, Value] = {(STATUS, None): Value(report.status)}
    quality = report.quality
    scores = {"accuracy": quality.accuracy, "agreement": quality.agreement} if quality else {}
    for each in figures:
        plan = None if each.measurement is None else report.measurements[each.measurement].plan
        score = scores.get(each.name)
        found = Value(each.value, each.low, each.high, score.standard_error if score else None, each.against)
        values.setdefault((each.name, plan.scenario if plan else None), found)
    introduced = non_finite(quality) if quality else None
    if introduced is not None:
        values[NON_FINITE, None] = Value(float(introduced))
    return Side(report, values)


def outcome(name: str, before: Value, after: Value) -> Outcome:
    """Whether the figure is surely better after the change: its intervals are apart, its standard errors are, or the
    ratio is beyond what such a figure varies by. Figures of passes that are not valid are the same."""
    if before.against or after.against:
        return "same"
    if name == STATUS:
        ok = before.value == "ok", after.value == "ok"
        return "same" if ok[0] == ok[1] else "better" if ok[1] else "worse"
    if isinstance(before.value, str) or isinstance(after.value, str):
        return "same"
    if not _apart(name, before, after, before.value, after.value):
        return "same"
    more = after.value > before.value
    return "better" if more == (BETTER.get(name, "less") == "more") else "worse"


def _apart(name: str, before: Value, after: Value, one: float, other: float) -> bool:
    if name in ("accuracy", "agreement"):
        return abs(one - other) > 2 * math.hypot(before.error or 0.0, after.error or 0.0)
    if name == NON_FINITE:
        return (one > 0) != (other > 0)
    if name == "sqnr_db":
        return abs(one - other) > DECIBELS
    if name == "relative_l2":
        return max(one, other) > LEAST_DRIFT and max(one, other) > DRIFT * min(one, other)
    low, high = sorted((one, other))
    if name == "compile_s":
        return high > ONE_OFF * low and high - low > LEAST_S
    if name == "size_bytes":
        return high > MARGIN * low
    if None in (before.low, before.high, after.low, after.high):
        return False
    ends = sorted(((before.low or 0.0, before.high or 0.0), (after.low or 0.0, after.high or 0.0)))
    return high > MARGIN * low and ends[0][1] < ends[1][0]


def measured(recipe: Recipe, before: Side, after: Side) -> Measured:
    """What the two reports show of the recipe, all figures rounded: what it is about, and what got worse besides."""
    shown = [(each.figure, each.scenario) for each in recipe.shows]
    costs = [
        key
        for key, value in after.values.items()
        if key[0] in WORTH_TELLING
        and key in before.values
        and key not in shown
        and outcome(key[0], before.values[key], value) == "worse"
    ]
    return Measured(
        before=before.report.id[:12],
        after=after.report.id[:12],
        task=after.report.task.id,
        stack=(_stack(before.report), _stack(after.report)),
        cpu=after.report.host.cpu or after.report.host.machine,
        effects=tuple(_effect(key, before, after) for key in shown if key in before.values and key in after.values),
        costs=tuple(_effect(key, before, after) for key in costs),
    )


def missing(shows: Shown, before: Side, after: Side) -> str | None:
    """Why the two reports do not show that this figure got better; None where they do."""
    key = (shows.figure, shows.scenario)
    name = f"{shows.figure} of {shows.scenario}" if shows.scenario else shows.figure
    if key not in before.values or key not in after.values:
        return f"{name} is not in both reports"
    one, other = before.values[key], after.values[key]
    for value in (one, other):
        if value.against:
            return f"{name}: a pass is not valid ({value.against[0]})"
    found = outcome(shows.figure, one, other)
    return None if found == "better" else f"{name} is {found} after the change: {one.value} and then {other.value}"


def _effect(key: Key, before: Side, after: Side) -> Effect:
    one, other = before.values[key].value, after.values[key].value
    if isinstance(one, str) or isinstance(other, str):
        return Effect(figure=key[0], before=one, after=other)
    ratio = rounded(other / one) if one else None
    return Effect(figure=key[0], scenario=key[1], before=rounded(one), after=rounded(other), ratio=ratio)


def rounded(value: float) -> float:
    """With as many digits as recipes state."""
    return float(f"{value:.{DIGITS}g}")


def _stack(report: Report) -> str:
    version = stack_version(report)
    return f"{report.target.backend} {version}" if version else report.target.backend
