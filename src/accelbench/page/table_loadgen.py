"""Our figures beside LoadGen's as a table for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from accelbench.model import LoadGen
from accelbench.page import units
from accelbench.page.rows import Row

COLUMNS = ("task", "backend", "precision", "plan", "p50\nours", "p50\nLoadGen's", "samples/s\nours",
           "samples/s\nLoadGen's", "LoadGen\nsays", "finding")  # fmt: skip
FIGURES = range(4, 8)
P50 = "50.00 percentile latency (ns)"
RATES = ("QPS w/ loadgen overhead", "Samples per second", "Completed samples per second")
SAYS = {True: "valid", False: "invalid", None: units.ABSENT}


def loadgen_table(rows: Sequence[Row]) -> Table | None:
    """A line per pass that was followed by a run under LoadGen; None where none was. LoadGen's latencies of ``offline``
    count from the start of its one query, so they are left out."""
    lines = [_line(row, row.loadgen) for row in rows if row.loadgen]
    if not lines:
        return None
    shown = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, title="Beside LoadGen", title_justify="left")
    for index, name in enumerate(COLUMNS):
        shown.add_column(name, justify="right" if index in FIGURES else "left", overflow="fold")
    for line in lines:
        shown.add_row(*line)
    return shown


def _line(row: Row, run: LoadGen) -> list[str]:
    p50_ns = run.figures.get(P50) if run.plan.scenario != "offline" else None
    rate = next((run.figures[name] * run.samples for name in RATES if name in run.figures), None)
    return [
        row.task,
        row.backend,
        row.precision,
        f"{run.plan.scenario.replace('_', ' ')} ×{run.plan.batch}",
        units.seconds(row.latency_s["p50"]),
        units.seconds(None if p50_ns is None else p50_ns * 1e-9),
        units.number(row.throughput, 4),
        units.number(rate, 4),
        SAYS[run.valid],
        next(iter((*run.reasons, *(run.complaints if run.valid is False else ()))), ""),
    ]
