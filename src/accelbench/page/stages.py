"""The host's stages around a model: figures and a table for the terminal. They are not part of any latency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from accelbench.page import units
from accelbench.page.rows import Row

COLUMNS = ("task", "backend", "precision", "stage", "median\nper item", "p10 to p90", "mean\nper item", "items\ntimed")
FIGURES = range(4, 8)


def stages_table(rows: Sequence[Row]) -> Table | None:
    """A line per stage of each report; None where none was timed."""
    first = {row.report: row for row in rows if row.stages}
    if not first:
        return None
    shown = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, title="Stages of the host", title_justify="left")
    for index, name in enumerate(COLUMNS):
        shown.add_column(name, justify="right" if index in FIGURES else "left", overflow="fold")
    for row in first.values():
        for name, found in row.stages.items():
            shown.add_row(row.task, row.backend, row.precision, name, *words(found))
    shown.caption = "beside the model's latency, not in it: one item after another, in one thread"
    shown.caption_justify = "left"
    return shown


def words(found: Mapping[str, float]) -> tuple[str, str, str, str]:
    """Median, spread, mean and count as people read them."""
    spread = f"{units.seconds(found['p10_s'])} – {units.seconds(found['p90_s'])}"
    return units.seconds(found["median_s"]), spread, units.seconds(found["mean_s"]), f"{found['items']:.0f}"
