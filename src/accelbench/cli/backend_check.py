"""``accelbench backend check``: the acceptance test."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path

import click
from rich.markup import escape
from rich.table import Table

from accelbench.acceptance.check import PARTS, Wishes
from accelbench.acceptance.check import check as checked
from accelbench.acceptance.operators import CASE_S, by_operator, counts
from accelbench.acceptance.result import OUTCOMES, Acceptance, CaseResult, PartResult, TaskResult
from accelbench.acceptance.tasks import LIGHT
from accelbench.cli.output import DONE, json_option, listing, print_json, print_table, progress
from accelbench.cli.parsing import COMMAS, NEW_PATH, Finite, known
from accelbench.cli.settings import Settings, setting_options
from accelbench.envs.install import install, interpreter
from accelbench.envs.options import resolved
from accelbench.envs.spec import BackendSpec, find, read
from accelbench.model import Task
from accelbench.paths import writing
from accelbench.zoo import catalogue, roster

ALL = "all"
COLOURS = {"passed": "green", "failed": "red", "skipped": "yellow"}
SILENT = ("passed", "not expressible")
"""Outcomes that need no row of their own."""


@click.command()
@click.argument("backend", metavar="NAME|DIR")
@click.option("--only", type=COMMAS, default=(), help=f"Only these parts, of {', '.join(PARTS)}.")
@click.option("--skip", type=COMMAS, default=(), help="Not these parts.")
@click.option("--device", help="A device, as `backend show` lists it. Default: the first.")
@setting_options
@click.option("--cases", default="*", help="Only ONNX cases of such names, like `test_conv*`. Default: all.")
@click.option(
    "--case-timeout",
    type=Finite(min=1),
    default=CASE_S,
    show_default=True,
    help="Seconds that a case may take.",
)
@click.option("--tasks", type=COMMAS, default=LIGHT, help=f"Tasks, or `{ALL}`. Default: {', '.join(LIGHT)}.")
@click.option("--timeout", type=Finite(min=1), help="Seconds that any other step may take.")
@click.option(
    "-o",
    "--output",
    type=NEW_PATH,
    help="A new file for what was found, as JSON. Until the end, FILE.partial has it: what is interrupted can go on.",
)
@json_option
def check(
    backend: str,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    device: str | None,
    settings: Settings,
    cases: str,
    case_timeout: float,
    tasks: tuple[str, ...],
    timeout: float | None,
    output: Path | None,
    json_: bool,
) -> int:
    """Test whether a backend keeps the contract, and what its stack can take.

    A DIR (a path with a slash in it) is tested where it lies; its environment is made when it is not there. Exit code
    1: a part failed. The table says for each part why it failed or was skipped.
    """
    chosen = known(only or PARTS, PARTS, "part")
    left_out = known(skip, PARTS, "part")
    spec = read(Path(backend)) if "/" in backend or backend in (".", "..") else find(backend)
    wishes = Wishes(
        parts=[part for part in chosen if part not in left_out],
        options=_options(spec, settings),
        tasks=_tasks(tasks),
        device=device,
        cases=cases,
        case_s=case_timeout,
        timeout_s=timeout,
    )
    with writing(output) if output else nullcontext() as file, progress() as say:
        if "/" in backend or backend in (".", ".."):
            install(spec, say)
        interpreter(spec)
        partial = output and output.with_name(f"{output.name}.partial")
        try:
            found = checked(spec, wishes, say, lambda part: say(f"{DONE}{part.part}: {part.outcome}"), partial)
        except KeyboardInterrupt:
            if partial is not None and partial.exists():
                say(f"{DONE}What was found is in {partial}: the same command goes on from there.")
            raise
        told = {**asdict(found), "passed": found.passed, "counts": dict(counts(found.cases))}
        if file:
            file.write((json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode())
    if partial:
        partial.unlink()
    if json_:
        print_json(told)
    else:
        _print(found)
    return 0 if found.passed else 1


def _options(spec: BackendSpec, settings: Settings) -> dict[str, str]:
    """The options of all precisions together: what one needs another does without."""
    precisions = spec.table.precisions
    found = resolved(spec.table, settings.given([spec], precisions)[spec.name], precisions)
    return {name: value for options in found for name, value in options.items()}


def _tasks(names: Sequence[str]) -> list[Task]:
    return catalogue.select(roster.newest()) if tuple(names) == (ALL,) else [catalogue.find(name) for name in names]


def _print(found: Acceptance) -> None:
    if found.cases:
        print_table(_operator_table(found.cases))
        click.echo()
    if found.tasks:
        print_table(_task_table(found.tasks))
        click.echo()
    print_table(_part_table(found.parts))


def _part_table(parts: Sequence[PartResult]) -> Table:
    table = listing("part", "outcome", "s", "why")
    for part in parts:
        outcome = f"[{COLOURS[part.outcome]}]{part.outcome}[/]"
        table.add_row(part.part, outcome, f"{part.seconds:.1f}", escape("\n".join((*part.reasons, *part.remarks))))
    return table


def _operator_table(cases: Sequence[CaseResult]) -> Table:
    """Operators with a case that is neither passed nor not expressible, and the sums of all."""
    table = listing("operator", "opset", *OUTCOMES)
    whole = 0
    for (operator, opset), counted in by_operator(cases).items():
        if set(counted) <= set(SILENT):
            whole += 1
        else:
            table.add_row(operator, str(opset), *(str(counted[outcome] or "") for outcome in OUTCOMES))
    sums = counts(cases)
    table.add_row(f"{whole} more, without a fault", "")
    table.add_row(f"all {len(cases)} cases", "", *(str(sums[outcome]) for outcome in OUTCOMES), style="bold")
    return table


def _task_table(tasks: Sequence[TaskResult]) -> Table:
    table = listing("task", "outcome", "drift", "why")
    for row in tasks:
        drift = "–" if row.relative_l2 is None else f"{row.relative_l2:.1e}"
        table.add_row(row.task, row.outcome, drift, escape(row.detail))
    return table
