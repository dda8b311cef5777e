"""The top of the page: how many reports came to what, and the comparison of all rows, grouped by task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from accelbench.page import drawings, units
from accelbench.page.entry import Entry
from accelbench.page.markup import Content, Markup, join, tag
from accelbench.page.rows import Outcome, Row, settled
from accelbench.page.words import text

OUTCOMES: tuple[Outcome, ...] = ("within", "out", "unknown", "failed", "unsupported")
COLUMNS = (
    "target",
    "precision",
    "plan",
    "verdict",
    "compile",
    "accuracy",
    "drift",
    "sqnr",
    "p50",
    "p99",
    "throughput",
    "size",
)
NUMERIC = frozenset(COLUMNS[4:])
Best = Mapping[tuple[str, str | None], float]


def tallies(entries: Sequence[Entry]) -> Markup:
    """The count of reports and of each outcome that there is."""
    counts = Counter(entry.outcome for entry in entries)
    items = [tag("li", tag("b", str(len(entries))), text("tally.reports"))]
    for outcome in OUTCOMES:
        if counts[outcome]:
            items.append(tag("li", tag("b", str(counts[outcome])), text(f"tally.{outcome}"), class_=outcome))
    return tag("ul", items, class_="tallies")


def comparison(entries: Sequence[Entry]) -> Markup:
    """Every row of every report; throughput has a bar against the best of the same task and scenario."""
    every = [(entry, row) for entry in entries for row in settled(entry.rows)]
    best: dict[tuple[str, str | None], float] = {}
    for _, row in every:
        key = (row.task, row.scenario)
        best[key] = max(best.get(key, 0.0), row.throughput or 0.0)
    head = tag("tr", [tag("th", text(f"col.{c}"), scope="col", class_="n" if c in NUMERIC else None) for c in COLUMNS])
    tasks = dict.fromkeys(row.task for _, row in every)
    groups = [_group(task, [(entry, row) for entry, row in every if row.task == task], best) for task in tasks]
    table = tag("table", tag("caption", text("rows.caption"), class_="hidden"), tag("thead", head), groups)
    return tag("div", tag("div", table, class_="rows scroll"), class_="card")


def _group(task: str, members: Sequence[tuple[Entry, Row]], best: Best) -> Markup:
    weights = ", ".join(dict.fromkeys(row.weights for _, row in members if row.weights))
    label = join(task, tag("small", text("fact.weights"), ": ", weights) if weights else None)
    title = tag("tr", tag("th", label, colspan=len(COLUMNS), scope="rowgroup"), class_="group")
    domain = members[0][0].report.task.domain
    return tag("tbody", title, [_row(entry, row, best) for entry, row in members], data_domain=domain)


def _row(entry: Entry, row: Row, best: Best) -> Markup:
    link = tag("a", row.backend, href=f"#{entry.anchor}")
    untested = tag("small", text("untested")) if row.untested else None
    target = tag("th", link, tag("small", row.device), untested, scope="row")
    cells: dict[str, Content] = {
        "precision": _precision(row),
        "plan": _plan(row),
        "verdict": _verdict(row),
        "compile": units.seconds(row.compile_s),
        "accuracy": _score(row),
        "drift": units.small(row.drift["relative_l2"]),
        "sqnr": units.sqnr(row.drift["sqnr_db"], row.drift["relative_l2"]),
        "p50": units.seconds(row.latency_s["p50"]),
        "p99": units.seconds(row.latency_s["p99"]),
        "throughput": _throughput(row, best[row.task, row.scenario]),
        "size": _size(row),
    }
    return tag("tr", target, [_cell(name, content) for name, content in cells.items()])


def _cell(name: str, content: Content) -> Markup:
    label = tag("span", text(f"col.{name}"), class_="what", aria_hidden="true")
    return tag("td", label, content, class_="n" if name in NUMERIC else "wide" if name == "verdict" else None)


def _precision(row: Row) -> Content:
    after = tag("small", " + ".join(row.passes)) if row.passes else None
    if row.executed_precision in (None, row.precision):
        return join(row.precision, after)
    return join(row.precision, " → ", tag("b", row.executed_precision), after)


def _size(row: Row) -> Content:
    pruned = any(word.startswith("prune") for word in row.passes)
    zeros = text("size.zeros", share=units.percent(row.sparsity)) if pruned and row.sparsity is not None else None
    return join(units.count(row.size_bytes, "B"), tag("small", zeros) if zeros else None)


def _plan(row: Row) -> Content:
    if row.scenario is None:
        return units.ABSENT
    return join(
        tag("span", row.scenario.replace("_", " "), class_="whole"),
        tag("small", text("compile.batch", batch=str(row.batch))),
        tag("small", _rate(row)) if row.rate is not None else None,
    )


def _rate(row: Row) -> Content:
    arriving = units.rate(row.rate)
    return join(f"▲ {arriving}, ", text("search.peak", bound=row.slo or "")) if row.peak else arriving


def _verdict(row: Row) -> Markup:
    marks = [
        *([tag("span", text("invalid"), class_="tag warn")] if row.validity else []),
        *([tag("span", text("indicative"), class_="tag")] if row.indicative else []),
    ]
    return join(
        tag("span", text(f"verdict.{row.outcome}"), class_=f"is {row.outcome}"),
        tag("small", marks, class_="tags") if marks else None,
    )


def _score(row: Row) -> Content:
    if row.accuracy is not None:
        error = units.error(row.accuracy_error)
        return join(units.fraction(row.accuracy), tag("small", error) if error else None)
    if row.agreement is None:
        return units.ABSENT
    return join(units.fraction(row.agreement), tag("small", text("agreement")))


def _throughput(row: Row, best: float) -> Content:
    if row.throughput is None:
        return units.ABSENT
    spread = units.half_width(row.throughput, row.throughput_ci)
    return join(
        units.number(row.throughput, 4),
        tag("small", spread) if spread else None,
        drawings.bar(row.throughput / best) if best else None,
    )
