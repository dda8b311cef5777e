"""What the timed passes showed: latency, throughput, and whether they can be relied on."""

from __future__ import annotations

from accelbench.figures.passes import Pass
from accelbench.measure.columns import Columns
from accelbench.measure.stats import Quantile, Summary, latencies
from accelbench.model import Integrity, LoadGen
from accelbench.page import drawings, units
from accelbench.page.blocks import Fact, facts, figure
from accelbench.page.entry import Entry
from accelbench.page.markup import Content, Markup, join, tag
from accelbench.page.surroundings import sharing, told
from accelbench.page.words import text

SHOWN = ("p50", "p90", "p99")
FEWEST = 2
"""Latencies below which there is no distribution to draw."""


def passes_part(entry: Entry) -> Markup | None:
    """Every timed pass of the report; nothing where nothing was timed."""
    return join(map(_pass, entry.passes)) if entry.passes else None


def _pass(timed: Pass) -> Markup:
    plan = timed.measurement.plan
    scenario = plan.scenario.replace("_", " ")
    if plan.rate is not None:
        scenario += f" {units.rate(plan.rate)}"
    pairs = [*(_speed(timed.summary) if timed.summary else ()), *_circumstances(timed)]
    problem = tag("p", text("pass.missing", reason=timed.problem), class_="note") if timed.problem else None
    return join(
        tag("h4", text("pass.title", scenario=scenario, batch=str(plan.batch))),
        _validity(timed),
        facts(pairs),
        _errors(timed),
        problem,
        _pictures(timed.columns, timed.summary) if timed.columns is not None and timed.summary else None,
        _loadgen(timed.loadgen) if timed.loadgen else None,
    )


def _speed(summary: Summary) -> list[Fact]:
    pairs: list[Fact] = []
    for name in SHOWN:
        found = summary.quantiles.get(name)
        if found is None:
            pairs.append((name, units.ABSENT, text("pass.absent")))
        else:
            pairs.append((name, units.seconds(found.value_s), _interval(found)))
    remark: Content = None
    if summary.throughput_ci is not None:
        low, high = (units.rate(bound) for bound in summary.throughput_ci)
        remark = text("pass.interval", low=low, high=high)
    pairs.append((text("pass.throughput"), units.rate(summary.throughput), remark))
    return pairs


def _interval(quantile: Quantile) -> Content:
    if quantile.low_s is None or quantile.high_s is None:
        return text("pass.nointerval")
    return text("pass.interval", low=units.seconds(quantile.low_s), high=units.seconds(quantile.high_s))


def _circumstances(timed: Pass) -> list[Fact]:
    measured = timed.measurement
    warm = text("pass.warmup", count=f"{measured.warmup_queries:,}", seconds=units.seconds(measured.warmup_s))
    pairs: list[Fact] = [
        (text("pass.queries"), f"{measured.queries:,}", warm),
        (text("pass.inflight"), str(measured.concurrency), None),
        *sharing(timed),
        (text("pass.stop"), text(f"pass.stop.{measured.stop_reason}"), None),
    ]
    if measured.audit.overhead_ns is not None:
        cost = units.seconds(measured.audit.overhead_ns * 1e-9)
        pairs.append((text("pass.overhead"), cost, text("pass.perquery")))
    if measured.integrity is not None:
        pairs.append((text("pass.checked"), str(measured.integrity.checked), _checked(measured.integrity)))
    return [*pairs, *told(timed)]


def _checked(integrity: Integrity) -> Content:
    if integrity.mismatched:
        return text("pass.mismatched", count=str(integrity.mismatched))
    if integrity.worst_relative_l2 is None:
        return None
    return text("pass.worst", value=units.small(integrity.worst_relative_l2))


def _validity(timed: Pass) -> Markup | None:
    if timed.validity is None:
        return None
    if not timed.validity:
        return tag("p", tag("span", text("pass.valid"), class_="is within"), class_="note")
    words = tag("p", tag("span", text("pass.invalid"), class_="is out"), class_="note")
    return join(words, tag("ul", [tag("li", reason) for reason in timed.validity], class_="warnings"))


def _errors(timed: Pass) -> Markup | None:
    if not timed.measurement.errors:
        return None
    items = [tag("li", error) for error in timed.measurement.errors]
    return join(tag("h5", text("pass.errors")), tag("ul", items, class_="warnings"))


def _loadgen(run: LoadGen) -> Markup:
    """What LoadGen said of the same plan, under its own names."""
    verdict = {True: "pass.loadgen.valid", False: "pass.loadgen.invalid", None: "pass.loadgen.none"}[run.valid]
    pairs: list[Fact] = [(name, f"{value:,.15g}", None) for name, value in run.figures.items()]
    return join(
        tag("h5", text("pass.loadgen", version=run.version or "")),
        tag("p", text(verdict), class_="note"),
        tag("ul", [tag("li", reason) for reason in run.reasons], class_="warnings") if run.reasons else None,
        facts(pairs) if pairs else None,
    )


def _pictures(columns: Columns, summary: Summary) -> Markup | None:
    taken = latencies(columns) * 1e-9
    if len(taken) < FEWEST:
        return None
    since = (columns.done[columns.ok] - columns.scheduled[0]) * 1e-9
    marks = {name: found for name in SHOWN if (found := summary.quantiles.get(name)) is not None}
    return tag(
        "div",
        figure(text("figure.latency"), text("figure.latency.note"), drawings.latency_histogram(taken, marks)),
        figure(text("figure.series"), text("figure.series.note"), drawings.latency_series(since, taken)),
        class_="figures",
    )
