"""Whether figures came out again: the first report's single value against those of a few runs.

A time scatters from run to run by more than the interval within one run tells: another process, another placement of
memory, another hour. So that scatter is taken from the runs again, pooled over the passes that have the same figure,
and the first run is granted the same. With k runs and pooled standard deviation s of the logarithm, the logarithm of
the ratio has the variance w² + s²(1 + 1/k), where w is the first run's own standard error. Only s is estimated from a
few runs, so the interval is Student's with the degrees of freedom of Welch and Satterthwaite (B. L. Welch, Biometrika
34, 1947), at a level divided by the number of figures and of looks (Bonferroni).

- *not reproduced*: the whole interval lies beyond the margin;
- *reproduced*: the ratio lies within the margin, and its interval at the level of one figure (divided by the looks
  alone) excludes three margins, so that a change of that size would have been seen;
- *ambiguous*: anything else; more runs, or a quieter machine, can decide it.

Passes that are not valid (another process was busy, the machine changed its pace) are left out where at least three
valid ones remain. A first pass that is not valid can come out again, but what it said is not held against it.

Figures that do not scatter (accuracy, agreement, drift, sizes) are within the margin in every run, or not reproduced.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from accelbench.figures.figures import Figure
from accelbench.measure.special import Z95, student_t
from accelbench.model.reproduction import Judged, Reproduced

MARGIN = 0.03
MARGINS: Mapping[str, float] = {
    "latency_p50_s": MARGIN,
    "latency_p99_s": 0.10,
    "throughput": MARGIN,
    "size_bytes": MARGIN,
    "sparsity": MARGIN,
    "accuracy": MARGIN,
    "agreement": MARGIN,
    "relative_l2": MARGIN,
    "sqnr_db": MARGIN,
}
"""The figures that are judged, each with the ratio minus 1 that does not matter. Of SQNR it is that of the noise's
amplitude. Compile time is not among them: it is seen once a run and depends on what the machine has in its caches."""

TIMED = frozenset({"latency_p50_s", "latency_p99_s", "throughput"})
VISIBLE = 3
"""A figure is reproduced only where a change of so many margins would have been seen."""

FEWEST_VALID = 3
"""Of fewer runs the scatter cannot be told well enough to decide anything: then all of them are taken."""
LEVEL = 0.05
NORMAL = 1e4
"""With so many degrees of freedom Student's t is the normal distribution, to four digits."""
LOOKS = (3, 5, 7)
"""After how many runs the figures are judged; it ends where none is ambiguous any more."""

ROUNDING_L2, ROUNDING_DB = 1e-6, 120.0
"""Drift below this is float32's own rounding, whose size is no property of a stack."""

Key = tuple[str, int | None]
"""A figure's name, and the position of its pass in the first report."""


@dataclass(frozen=True)
class Scatter:
    """The standard deviation of a figure's logarithm from run to run, and its degrees of freedom."""

    deviation: float
    freedom: int


def keyed(figures: Iterable[Figure]) -> dict[Key, Figure]:
    """The figures by name and pass."""
    return {(figure.name, figure.measurement): figure for figure in figures}


def judged(
    first: Iterable[Figure],
    runs: Sequence[Mapping[Key, Figure]],
    *,
    margin: float | None = None,
    looks: int = len(LOOKS),
    level: float = LEVEL,
    elsewhere: Sequence[str] = (),
    at_pace: Collection[Key] = (),
) -> tuple[Judged, ...]:
    """Every figure of ``first`` that is judged, against ``runs``, which have them by name and by the position of the
    pass in the first report. ``margin`` replaces that of every figure. With differences of the machines in
    ``elsewhere`` times are not comparable. Those ``at_pace`` are of one pace of the machine, so they scatter less than
    the others."""
    wanted = [figure for figure in first if figure.name in MARGINS]
    margins = {name: MARGINS[name] if margin is None else margin for name in MARGINS}
    tests = sum(figure.name in TIMED for figure in wanted) * looks
    pools: dict[tuple[str, bool], list[list[float]]] = defaultdict(list)
    for (name, position), figure in keyed(wanted).items():
        pools[name, (name, position) in at_pace].append(_logs(figure, runs))
    scatter = {pool: _scatter(groups) for pool, groups in pools.items()}
    found = []
    for figure in wanted:
        again = tuple(each.value for each in _again(figure, runs))
        blank = Judged(
            figure.name, figure.measurement, figure.value, again, None, None, None, margins[figure.name], "ambiguous"
        )
        if figure.name not in TIMED:
            found.append(_exact(blank, len(runs)))
        elif elsewhere:
            found.append(replace(blank, outcome="not_comparable", reasons=tuple(elsewhere)))
        else:
            logs = _logs(figure, runs)
            pool = figure.name, (figure.name, figure.measurement) in at_pace
            found.append(_timed(blank, figure, logs, scatter[pool], (level / max(tests, 1), level / looks)))
    return tuple(found)


def _scatter(groups: Sequence[Sequence[float]]) -> Scatter:
    """Pooled over groups of logarithms, each about its own mean."""
    freedom = sum(max(len(logs) - 1, 0) for logs in groups)
    squares = sum((each - fmean(logs)) ** 2 for logs in groups if logs for each in logs)
    return Scatter(math.sqrt(squares / freedom) if freedom else math.inf, freedom)


def _again(figure: Figure, runs: Sequence[Mapping[Key, Figure]]) -> list[Figure]:
    key = (figure.name, figure.measurement)
    return [run[key] for run in runs if key in run]


def _logs(figure: Figure, runs: Sequence[Mapping[Key, Figure]]) -> list[float]:
    again = [each for each in _again(figure, runs) if each.value > 0]
    valid = [each for each in again if not each.against]
    return [math.log(each.value) for each in (valid if len(valid) >= FEWEST_VALID else again)]


def _timed(
    blank: Judged, figure: Figure, logs: Sequence[float], scatter: Scatter, levels: tuple[float, float]
) -> Judged:
    """``levels`` are those of all figures together and of one alone."""
    reasons = [f"the first run's pass is not valid: {each}" for each in figure.against]
    if not logs or figure.value <= 0:
        return replace(blank, reasons=(*reasons, "no run again gave this figure"))
    left_out = len(blank.again) - len(logs)
    if left_out:
        reasons.append(f"{left_out} of {len(blank.again)} runs are left out: their passes are not valid")
    centre = fmean(logs) - math.log(figure.value)
    ratio = math.exp(centre)
    if not scatter.freedom:
        return replace(blank, ratio=ratio, reasons=(*reasons, "one run again does not tell how runs scatter"))
    known, seen = _standard_error(figure) ** 2, scatter.deviation**2 * (1 + 1 / len(logs))
    freedom = min(scatter.freedom * (1 + known / seen) ** 2, NORMAL) if seen else NORMAL
    half, alone = (student_t(freedom, 1 - level / 2) * math.sqrt(known + seen) for level in levels)
    low, high = math.exp(centre - half), math.exp(centre + half)
    outcome = _outcome(centre, half, alone, blank.margin)
    if outcome == "not_reproduced" and figure.against:
        outcome = "ambiguous"
    return replace(blank, ratio=ratio, low=low, high=high, outcome=outcome, reasons=tuple(reasons))


def _outcome(centre: float, half: float, alone: float, margin: float) -> Reproduced:
    width = math.log1p(margin)
    if abs(centre) - half > width:
        return "not_reproduced"
    seen = abs(centre) + alone < math.log1p(VISIBLE * margin)
    return "reproduced" if abs(centre) <= width and seen else "ambiguous"


def _standard_error(figure: Figure) -> float:
    """Of the figure's logarithm, from its interval within the run; zero where it has none."""
    if not figure.low or not figure.high or figure.low <= 0:
        return 0.0
    return math.log(figure.high / figure.low) / (2 * Z95)


def _exact(blank: Judged, runs: int) -> Judged:
    if not blank.again:
        return replace(blank, outcome="not_reproduced", reasons=("no run again gave this figure",))
    missing = runs - len(blank.again)
    if missing:
        return replace(blank, outcome="not_reproduced", reasons=(f"{missing} of {runs} runs did not give this figure",))
    worst = max(blank.again, key=lambda value: abs(value - blank.first))
    ratio = worst / blank.first if blank.first else None
    same = _close(blank.name, blank.first, worst, blank.margin)
    return replace(blank, ratio=ratio, outcome="reproduced" if same else "not_reproduced")


def _close(name: str, first: float, again: float, margin: float) -> bool:
    if name == "sqnr_db":
        both = first >= ROUNDING_DB and again >= ROUNDING_DB
        return both or abs(first - again) <= 20 * math.log10(1 + margin)
    if name == "relative_l2" and max(first, again) <= ROUNDING_L2:
        return True
    return abs(again - first) <= margin * abs(first)
