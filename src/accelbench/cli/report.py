"""``accelbench report``: read what was stored."""

from __future__ import annotations

import json
from pathlib import Path

import click

from accelbench.cli.bundle import pack, sign, unpack, verify
from accelbench.cli.output import json_option, print_json, print_table
from accelbench.cli.tuning import tuning_table
from accelbench.page.rows import as_json, rows
from accelbench.page.stages import stages_table
from accelbench.page.table import table
from accelbench.report.codec import encode
from accelbench.report.store import open_report, reports


@click.group()
def report() -> None:
    """Reports: what happened when a task met a target."""


for _verb in (pack, unpack, verify, sign):
    report.add_command(_verb)


@report.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--raw", is_flag=True, help="Print the stored facts themselves, as JSON.")
@json_option
def show(path: Path, raw: bool, json_: bool) -> None:
    """Show a report, or every report of a run folder: the same rows as `accelbench run` ends with."""
    found = list(reports(path)) if (path / "reports").is_dir() else [open_report(path)]
    if raw:
        print_json([json.loads(encode(stored)) for stored, _ in found])
        return
    lines = [row for stored, folder in found for row in rows(stored, folder)]
    if json_:
        print_json([as_json(row) for row in lines])
        return
    print_table(table(lines))
    for beside in (stages_table(lines), tuning_table([stored for stored, _ in found])):
        if beside is not None:
            print_table(beside)
