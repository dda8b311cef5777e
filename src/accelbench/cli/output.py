"""How verbs speak: tables for people, JSON for programs, progress on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console
from rich.table import Table

Say = Callable[[str], None]

PIPED_WIDTH = 160

json_option = click.option("--json", "json_", is_flag=True, help="Print JSON on stdout instead of a table.")


def print_json(value: Any) -> None:
    """One JSON value on stdout; a NaN would be a bug and raises."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def print_table(table: Table) -> None:
    """The table on stdout, as wide as the terminal, or wide enough to cut nothing when piped."""
    console = Console(file=sys.stdout)
    if not console.is_terminal:
        console = Console(file=sys.stdout, width=PIPED_WIDTH)
    console.print(table)


def listing(*columns: str) -> Table:
    """An empty table in the house style."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def print_facts(facts: Mapping[str, Any]) -> None:
    """Names and values, one below the other, on stdout."""
    table = listing("fact", "value")
    for name, value in facts.items():
        table.add_row(name, _text(value))
    print_table(table)


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return "\n".join(f"{key}: {_text(item)}" for key, item in value.items()) or "–"
    if isinstance(value, list | tuple):
        between = "\n" if any(isinstance(item, Mapping) for item in value) else ", "
        return between.join(_line(item) for item in value) or "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "–" if value is None else str(value)


def _line(item: Any) -> str:
    if not isinstance(item, Mapping):
        return _text(item)
    return "; ".join(f"{key} {_text(value)}" for key, value in item.items())


@contextmanager
def progress() -> Iterator[Say]:
    """A function that says what is being done: a spinner on a terminal, plain lines on stderr elsewhere."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:

        def say_line(text: str) -> None:
            click.echo(text, err=True)

        yield say_line
        return
    with console.status("") as status:

        def say_status(text: str) -> None:
            if text.startswith(DONE):
                console.print(text)
            else:
                status.update(text)

        yield say_status


DONE = "• "
"""A text that begins so is kept on the terminal; any other is replaced by the next."""
