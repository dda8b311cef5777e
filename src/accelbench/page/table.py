"""The comparison as a table for the terminal."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from accelbench.page import units
from accelbench.page.rows import Row, settled

PIPED = 160
COLUMNS = (
    "task", "backend", "precision", "plan", "status", "compile", "accuracy", "drift\nL2", "SQNR\ndB", "p50", "p99",
    "samples/s\n± half CI", "size", "verdict",
)  # fmt: skip
STACKED = ("task\nplan", "backend\nprecision", "verdict\nstatus", "compile\naccuracy", "drift L2\nSQNR dB", "p50\np99",
           "samples/s\nsize")  # fmt: skip
PAIRS = ((0, 3), (1, 2), (13, 4), (5, 6), (7, 8), (9, 10), (11, 12))
FIGURES, STACKED_FIGURES = 5, 3
"""The first column of figures, which are aligned on the right; in the wide table the last column is text again."""

_ENDLESS = Console(width=10_000)

VERDICTS = {"within": ("✓ within", "green"), "out": ("✗ out", "red"), "unknown": ("? unknown", "")}
AGREEMENT, INDICATIVE, PEAK, UNTESTED = "≈", "*", "▲", "†"


def table(rows: Sequence[Row], width: int | None = None) -> Table:
    """The rows as a table for ``rich`` to print on ``width`` columns (None: those of this terminal), down to 80: with a
    column for each figure where there is room for that, else with two figures to a column.

    Of a search only the peak is shown. Marks are explained under the table: ``≈`` agreement where there is no accuracy,
    ``*`` an indicative row, ``▲`` a peak, ``†`` a backend that nobody has tested on its hardware.
    """
    room = width or shutil.get_terminal_size((PIPED, 24)).columns
    rows = settled(rows)
    cells = [_cells(row) for row in rows]
    shown = _table(COLUMNS, cells, range(FIGURES, len(COLUMNS) - 1))
    if Measurement.get(_ENDLESS, _ENDLESS.options, shown).maximum > room:
        shown = _table(STACKED, [_stacked(line) for line in cells], range(STACKED_FIGURES, len(STACKED)))
    shown.caption = _caption(rows)
    return shown


def _table(columns: Sequence[str], lines: Sequence[Sequence[Text]], figures: range) -> Table:
    shown = Table(box=SIMPLE_HEAD, pad_edge=False, padding=0, show_edge=False, caption_justify="left")
    for index, name in enumerate(columns):
        figure = index in figures
        shown.add_column(name, justify="right" if figure else "left", overflow="fold", no_wrap=figure)
    for line in lines:
        shown.add_row(*line)
    return shown


def _cells(row: Row) -> list[Text]:
    spread = units.half_width(row.throughput, row.throughput_ci).replace(units.SPACE, "")
    failed = "red" if row.status == "failed" else ""
    return [
        Text(row.task),
        Text(f"{row.backend}{UNTESTED}" if row.untested else row.backend),
        Text(
            "\n".join(
                (
                    *row.passes,
                    *_tuned(row),
                    row.precision if row.executed_precision in (None, row.precision) else _executed(row),
                )
            )
        ),
        Text(_plan(row)),
        Text(row.status, failed),
        _seconds(row.compile_s),
        Text(_score(row)),
        Text(units.small(row.drift["relative_l2"])),
        Text(units.sqnr(row.drift["sqnr_db"], row.drift["relative_l2"])),
        _seconds(row.latency_s["p50"]),
        _seconds(row.latency_s["p99"]),
        Text(f"{units.number(row.throughput)} {spread}".rstrip()),
        Text(units.count(row.size_bytes, "B").replace(units.SPACE, " ")),
        _verdict(row),
    ]


def _seconds(value: float | None) -> Text:
    return Text(units.seconds(value).replace(units.SPACE, " "))


def _stacked(cells: Sequence[Text]) -> list[Text]:
    return [Text("\n").join((cells[a], cells[b])) for a, b in PAIRS]


def _verdict(row: Row) -> Text:
    if row.status != "ok":
        return Text(units.ABSENT)
    words, colour = VERDICTS[row.verdict]
    return Text(f"{words}{INDICATIVE}" if row.indicative else words, colour)


def _plan(row: Row) -> str:
    if row.scenario is None:
        return units.ABSENT
    rate = "" if row.rate is None else f" {row.rate:.4g}/s"
    return f"{row.scenario.removesuffix('_stream')} ×{row.batch}{rate}{PEAK if row.peak else ''}"


def _tuned(row: Row) -> tuple[str, ...]:
    return () if row.tune_s is None else (f"tuned {row.tune_s:g} s",)


def _executed(row: Row) -> str:
    return f"{row.precision}→{row.executed_precision}"


def _score(row: Row) -> str:
    if row.accuracy is not None or row.agreement is None:
        return units.fraction(row.accuracy) + units.error(row.accuracy_error)
    return f"{AGREEMENT}{units.fraction(row.agreement)}"


def _caption(rows: Sequence[Row]) -> str | None:
    notes = []
    if any(row.untested for row in rows):
        notes.append(f"{UNTESTED} untested on hardware by the backend's author")
    if any(row.indicative for row in rows):
        notes.append(f"{INDICATIVE} indicative: quick effort")
    if any(row.accuracy is None and row.agreement is not None for row in rows):
        notes.append(f"{AGREEMENT} agreement with float32, where there is no accuracy")
    if any(row.accuracy_error is not None for row in rows):
        notes.append("accuracy ± its standard error")
    for data in {row.data["name"]: row.data for row in rows if row.data}.values():
        unscored = "" if data["scored"] else ", labels not scored: they mean nothing for seeded weights"
        notes.append(f"on {data['name']} ({data['items']} items{unscored})")
    bounds = dict.fromkeys(row.slo for row in rows if row.peak and row.slo)
    if bounds:
        notes.append(f"{PEAK} the highest rate that keeps {', '.join(bounds)}, confirmed")
    failed = dict.fromkeys(row.slo for row in rows if row.peak is False and row.slo)
    if failed:
        notes.append(f"no rate was confirmed to keep {', '.join(failed)}: the last probe is shown")
    return "; ".join(notes) or None
