"""``accelbench diff``: what changed between two sets of reports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from accelbench.cli.compare import margin_option, outcome, plan_words, stored, target_words
from accelbench.cli.output import json_option, listing, print_json, print_table
from accelbench.cli.parsing import COMMAS, known
from accelbench.errors import UsageError
from accelbench.library.diff import FAILURES, Change, Diff, counts
from accelbench.library.diff import diff as differences
from accelbench.page import units

QUIET = ("same", "ambiguous")
"""Kinds that a summary counts and does not list."""

HEADINGS = ("what", "task", "target", "plan", "figure", "old", "new", "new is")


@click.command()
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@margin_option
@click.option("--fail-on", type=COMMAS, default=(), help=f"Exit with 1 on any of: {', '.join(FAILURES)}.")
@click.option("--all", "all_", is_flag=True, help="List also what is the same or ambiguous.")
@click.option("--markdown", is_flag=True, help="Print a summary in Markdown.")
@json_option
def diff(
    old: Path, new: Path, margin: float, fail_on: tuple[str, ...], all_: bool, markdown: bool, json_: bool
) -> None:
    """Say what changed from OLD to NEW: stores, folders of runs, or reports.

    Of several reports of one task and target the newest counts. A speed is faster or slower where it surely moved by
    more than the margin, all comparisons taken together; scores and drift do not scatter.
    """
    known(fail_on, FAILURES, "word of --fail-on")
    if json_ and markdown:
        raise UsageError("--json and --markdown exclude one another")
    found = differences(stored(old), stored(new), margin)
    failures = found.failures(fail_on)
    shown = found.changes if all_ else tuple(each for each in found.changes if each.kind not in QUIET)
    if json_:
        print_json(_as_json(found, failures))
    elif markdown:
        click.echo("\n".join(_markdown(found, shown)))
    else:
        _print(found, shown)
    if failures:
        raise SystemExit(1)


def _print(found: Diff, shown: tuple[Change, ...]) -> None:
    if shown:
        table = listing(*HEADINGS)
        for each in shown:
            table.add_row(*_cells(each))
        print_table(table)
    for task, target, note in found.notes:
        click.echo(f"Note: {task} on {target_words(target)}: {note}")
    click.echo(_summary(found))


def _markdown(found: Diff, shown: tuple[Change, ...]) -> Iterator[str]:
    yield f"**{_summary(found)}**"
    if shown:
        yield ""
        yield f"| {' | '.join(HEADINGS)} |"
        yield f"|{'---|' * len(HEADINGS)}"
        for each in shown:
            yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in _cells(each))} |"
    if found.notes:
        yield ""
        for task, target, note in found.notes:
            yield f"- {task} on {target_words(target)}: {note}"


def _summary(found: Diff) -> str:
    told = [f"{number} {kind.replace('_', ' ')}" for kind, number in counts(found.changes).items() if number]
    older = f", {found.older} older reports left out" if found.older else ""
    return f"{found.compared} pairs of reports{older}: {', '.join(told) or 'nothing to compare'}"


def _cells(each: Change) -> tuple[str, ...]:
    said = outcome(each.comparison) if each.comparison else ""
    return (
        each.kind.replace("_", " "),
        each.task,
        target_words(each.target),
        plan_words(each.plan) if each.plan else "",
        each.figure or "",
        _value(each.figure, each.old),
        _value(each.figure, each.new),
        "; ".join(word for word in (said, each.detail) if word),
    )


def _value(figure: str | None, value: float | None) -> str:
    if figure is None:
        return ""
    if figure.startswith("p"):
        return units.seconds(value)
    if figure == "throughput":
        return units.rate(value)
    return units.small(value) if figure == "relative_l2" else units.fraction(value)


def _as_json(found: Diff, failures: tuple[Change, ...]) -> dict[str, Any]:
    return {
        "margin": found.margin,
        "compared": found.compared,
        "tests": found.tests,
        "older": found.older,
        "counts": counts(found.changes),
        "changes": [asdict(each) for each in found.changes],
        "failures": len(failures),
        "notes": [{"task": task, "target": asdict(target), "note": note} for task, target, note in found.notes],
    }
