"""Every number that a report comes to, one by one: what an index keeps, a gate recomputes and a second run is held
against. Computed from the raw facts by the code that makes rows and pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from accelbench.figures.passes import Pass, passes
from accelbench.measure.stats import Quantile
from accelbench.model import Quality, Report
from accelbench.quality.drift import worst

Better = Literal["more", "less"]

UNITS = {
    "latency_p50_s": "s",
    "latency_p90_s": "s",
    "latency_p99_s": "s",
    "latency_p99.9_s": "s",
    "throughput": "samples/s",
    "compile_s": "s",
    "size_bytes": "bytes",
    "sparsity": "ratio",
    "accuracy": "ratio",
    "agreement": "ratio",
    "relative_l2": "ratio",
    "sqnr_db": "dB",
}
"""The unit of each figure, by its name."""

_MORE = ("throughput", "accuracy", "agreement", "sqnr_db")
BETTER: dict[str, Better] = {name: "more" if name in _MORE else "less" for name in UNITS if name != "sparsity"}
"""Which way each figure is better; that of sparsity is nobody's to say."""

TAILS = ("p50", "p90", "p99", "p99.9")
"""The quantiles that are figures."""


@dataclass(frozen=True)
class Figure:
    """A number with its 95 % interval, both ends absent where it has none. ``measurement`` is the position of the timed
    pass in the report that it is of, None for a figure of the whole report. ``against`` are the reasons for which the
    pass is not valid."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    measurement: int | None = None
    against: tuple[str, ...] = ()

    @property
    def unit(self) -> str:
        """What ``value`` counts."""
        return UNITS[self.name]


def figures(report: Report, folder: Path) -> list[Figure]:
    """All figures of the report that lies in ``folder``: those of the whole report first, then pass by pass. What was
    not measured is not there."""
    return figures_of(report, passes(report, folder, TAILS))


def figures_of(report: Report, timed: Sequence[Pass]) -> list[Figure]:
    """The same from passes that were read before."""
    found = list(_whole(report))
    for position, each in enumerate(timed):
        found += of_pass(each, position)
    return found


def _whole(report: Report) -> Iterator[Figure]:
    if report.builds:
        first = report.builds[0]
        yield Figure("compile_s", first.compile_s)
        yield Figure("size_bytes", float(sum(made.size_bytes for made in first.artifacts)))
    sparsity = sparsity_of(report)
    if sparsity is not None:
        yield Figure("sparsity", sparsity)
    if report.quality is not None:
        yield from _quality(report.quality)


def sparsity_of(report: Report) -> float | None:
    """The share of zeros among the weights in the last file of the chain that can be read."""
    made = (*report.chain, *(report.builds[0].artifacts if report.builds else ()))
    counted = [each.contents for each in made if each.contents is not None]
    return counted[-1].sparsity if counted else None


def _quality(quality: Quality) -> Iterator[Figure]:
    for name, score in (("accuracy", quality.accuracy), ("agreement", quality.agreement)):
        if score is not None:
            yield Figure(name, score.value)
    if quality.drift:
        drift = worst(quality)
        for name, value in (("relative_l2", drift.relative_l2), ("sqnr_db", drift.sqnr_db)):
            if value is not None:
                yield Figure(name, value)


def of_pass(timed: Pass, position: int) -> Iterator[Figure]:
    """The figures of one timed pass, which lies at ``position`` in its report."""
    summary, against = timed.summary, timed.validity or ()
    if summary is None:
        return
    for name in TAILS:
        found: Quantile | None = summary.quantiles.get(name)
        if found is not None:
            yield Figure(f"latency_{name}_s", found.value_s, found.low_s, found.high_s, position, against)
    if summary.throughput is not None:
        low, high = summary.throughput_ci or (None, None)
        yield Figure("throughput", summary.throughput, low, high, position, against)
