"""``accelbench query``: questions to the index of a store."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any

import click

from accelbench.cli.groups import grouped
from accelbench.cli.output import json_option, listing, print_table
from accelbench.cli.parsing import COMMAS, known
from accelbench.errors import UsageError
from accelbench.library import export, index
from accelbench.library.query import LIMIT_S, SHOWN, Answer, Wanted, ask, statement
from accelbench.library.tables import FIGURES
from accelbench.page import units

MOST_ROWS = 1000
"""That a table for people shows."""

wanted_options = (
    click.option("--task", multiple=True, help="Figures of this task. May be repeated, as the three below."),
    click.option("-b", "--backend", multiple=True, help="Figures of this backend."),
    click.option("--precision", multiple=True, help="Figures of this precision."),
    click.option("--figure", multiple=True, help="Figures of this name, like latency_p50_s."),
    click.option("--where", metavar="SQL", help="A condition on the columns of figures, like 'batch >= 8'."),
    click.option("--columns", type=COMMAS, default=",".join(SHOWN), help="The columns that are shown."),
    click.option("--by", type=COMMAS, default=(), help="Count and summarise by these columns."),
)


@click.command()
@click.argument("store", type=click.Path(path_type=Path))
@click.argument("sql", required=False)
@grouped("wanted", Wanted, wanted_options)
@click.option("--csv", "csv_", is_flag=True, help="Print CSV.")
@click.option("--parquet", type=click.Path(path_type=Path), help="Write this new Parquet file.")
@click.option("--limit", type=click.FloatRange(min=0.1), default=LIMIT_S, show_default=True, help="Seconds at most.")
@json_option
def query(
    store: Path, sql: str | None, wanted: Wanted, csv_: bool, parquet: Path | None, limit: float, json_: bool
) -> None:
    """Filter and aggregate the figures of STORE, or ask it in SQL: one SELECT on the tables of docs/store.md.

    The index is brought up to date first, and cannot be changed by any query.
    """
    if sql is not None and wanted != Wanted():
        raise UsageError("SQL and options that choose figures exclude one another")
    known((*wanted.columns, *wanted.by), FIGURES, "column")
    index.current(store)
    text, parameters = (sql, ()) if sql is not None else statement(wanted)
    asked = partial(ask, store, text, parameters, limit)
    if parquet is not None:
        click.echo(f"{export.write_parquet(asked, parquet)} rows in {parquet}", err=True)
        return
    with asked() as answer:
        if json_ or csv_:
            (export.write_json if json_ else export.write_csv)(answer, sys.stdout)
        else:
            _show(answer)


def _show(answer: Answer) -> None:
    rows, more = export.first(answer.rows, MOST_ROWS)
    table = listing(*answer.columns)
    for row in rows:
        table.add_row(*map(_text, row))
    print_table(table)
    if more:
        click.echo(f"Only the first {MOST_ROWS} rows are shown: --csv, --json and --parquet give all.", err=True)


def _text(value: Any) -> str:
    if value is None:
        return units.ABSENT
    return f"{value:.6g}" if isinstance(value, float) else str(value)
