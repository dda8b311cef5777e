"""``accelbench zoo add`` and ``accelbench zoo check``: tasks of a user's own."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import get_args, get_type_hints

import click
from rich.markup import escape

from accelbench.adding import AUTO, Wishes
from accelbench.adding import add as added
from accelbench.checking import Finding
from accelbench.checking import check as checked
from accelbench.cli.output import json_option, listing, print_json, print_table, progress
from accelbench.cli.parsing import NEW_PATH, Finite
from accelbench.errors import UsageError
from accelbench.model import Domain, Metric, Tolerance

MARKS = {"fine": "[green]✓[/]", "remark": "·", "problem": "[red]✗[/]"}
METRICS = get_args(get_type_hints(Metric)["name"])


@click.command()
@click.argument("model", metavar="MODEL")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    required=True,
    help="An .npz: an array per input, a row per sample; perhaps `labels`.",
)
@click.option("-o", "--output", type=NEW_PATH, help="The task's new folder. Default: its id, here.")
@click.option("--id", "name", help="The task's id. Default: the folder's or the model's name.")
@click.option("--title", help="What people read. Default: the model's name.")
@click.option("--domain", type=click.Choice(get_args(Domain)), default="any", show_default=True)
@click.option("--source", help="Where the model comes from.")
@click.option("--metric", type=click.Choice((AUTO, *METRICS)), default=AUTO, show_default=True)
@click.option("--max-drift", type=Finite(min=0), help="Tolerated relative L2.")
@click.option("--min-accuracy", type=Finite(0, 1), help="Default: the reference's, less a point.")
@click.option("--min-agreement", type=Finite(0, 1), help="Tolerated share of equal decisions.")
@json_option
def add(
    model: str,
    data: Path,
    output: Path | None,
    name: str | None,
    title: str | None,
    domain: Domain,
    source: str | None,
    metric: str,
    max_drift: float | None,
    min_accuracy: float | None,
    min_agreement: float | None,
    json_: bool,
) -> int:
    """Make a task of MODEL and samples, in a folder that others can run: `accelbench run ./FOLDER`.

    MODEL is an .onnx, .tflite or .pt2 file (a PyTorch exported program), a folder with a transformers model, or its id
    on a hub. Weights ship with the task. Exit code 1: the task was made, and `zoo check` has a problem with it.
    """
    tolerance = Tolerance(max_relative_l2=max_drift, min_accuracy=min_accuracy, min_agreement=min_agreement)
    wishes = Wishes(name, title, domain, source, metric, tolerance)
    with progress() as say:
        task, folder = added(model, data, output, wishes, say)
        found = checked(folder, say)
    return _told(folder, task.id, found, json_)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@json_option
def check(folder: Path, json_: bool) -> int:
    """Check that the task in FOLDER can be run by others: schema, checksums, graph, samples, outputs of the reference.

    Exit code 1: there is a problem. Remarks (·) are for the author to judge.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder: name one with a task.toml")
    with progress() as say:
        found = checked(folder, say)
    return _told(folder, None, found, json_)


def _told(folder: Path, task: str | None, found: list[Finding], json_: bool) -> int:
    sound = all(finding.kind != "problem" for finding in found)
    if json_:
        print_json({"folder": str(folder), "sound": sound, "findings": [asdict(finding) for finding in found]})
        return int(not sound)
    table = listing("", "check", "finding")
    for finding in found:
        table.add_row(MARKS[finding.kind], finding.check, escape(finding.text))
    print_table(table)
    if sound:
        run = folder if folder.is_absolute() else f"./{folder}"
        click.echo(f"\n{f'Task {task}: ' if task else ''}accelbench run {run}")
    return int(not sound)
