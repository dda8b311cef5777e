"""Stacks against tasks: where each target stands, at a glance, when there are several of both."""

from __future__ import annotations

from collections.abc import Sequence

from accelbench.page import units
from accelbench.page.entry import Entry
from accelbench.page.markup import Markup, join, tag
from accelbench.page.rows import Row
from accelbench.page.words import text

FEWEST = 2
"""Tasks, and targets, that make a matrix of it."""

Key = tuple[str, str, str, tuple[str, ...]]


def matrix(entries: Sequence[Entry]) -> Markup | None:
    """A line per target and a column per task: the median latency of one query at a time, else the throughput, with
    verdict and drift; what did not run says so. None where there is too little of either. Of several reports of one
    task and target the last counts."""
    cells = {(_key(entry), entry.report.task.id): entry for entry in entries}
    targets = list(dict.fromkeys(key for key, _ in cells))
    tasks = list(dict.fromkeys(task for _, task in cells))
    if len(targets) < FEWEST or len(tasks) < FEWEST:
        return None
    head = tag("tr", tag("th", text("col.target"), scope="col"), [tag("th", task, scope="col") for task in tasks])
    body = [
        tag("tr", tag("th", _target(key), scope="row"), [_cell(cells.get((key, task))) for task in tasks])
        for key in targets
    ]
    table = tag(
        "table", tag("caption", text("matrix.caption"), class_="hidden"), tag("thead", head), tag("tbody", body)
    )
    return join(
        tag("h2", text("matrix.title")),
        tag("p", text("matrix.note"), class_="note"),
        tag("div", tag("div", table, class_="matrix scroll"), class_="card"),
    )


def _key(entry: Entry) -> Key:
    target = entry.report.target
    return target.backend, target.device, target.precision, target.passes


def _target(key: Key) -> Markup:
    backend, _, precision, passes = key
    return join(backend, tag("small", " + ".join((*passes, precision))))


def _cell(entry: Entry | None) -> Markup:
    if entry is None:
        return tag("td", units.ABSENT)
    row = _row(entry.rows)
    figure = _figure(row) if row.status == "ok" else text(f"verdict.{row.outcome}")
    link = tag("a", figure, href=f"#{entry.anchor}")
    drift = tag("small", units.small(row.drift["relative_l2"])) if row.status == "ok" else None
    return tag("td", link, drift, class_=f"is {row.outcome}", title="; ".join(row.reasons) or None)


def _row(rows: Sequence[Row]) -> Row:
    return next((row for row in rows if row.scenario == "single_stream"), rows[0])


def _figure(row: Row) -> str:
    median = row.latency_s["p50"]
    return units.seconds(median) if median is not None else units.rate(row.throughput)
