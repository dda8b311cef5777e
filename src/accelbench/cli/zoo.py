"""``accelbench zoo``: the tasks."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from accelbench.board.units import count
from accelbench.cli.output import json_option, listing, print_facts, print_json, print_table, progress
from accelbench.model import Task
from accelbench.zoo import catalogue
from accelbench.zoo.graph_facts import GraphFacts, graph_facts
from accelbench.zoo.subject import from_task


@click.group()
def zoo() -> None:
    """The task zoo: frozen graphs, weights, feeds, metrics, tolerances."""


@zoo.command("list")
@json_option
def list_(json_: bool) -> None:
    """List every task with its tier, domain, size, inputs, data set and sources of weights."""
    facts = [(task, graph_facts(catalogue.graph(task))) for task in catalogue.tasks().values()]
    if json_:
        print_json([_row(task, about) for task, about in facts])
        return
    table = listing("task", "tier", "domain", "parameters", "FLOPs", "inputs", "data set", "weights")
    for task, about in facts:
        table.add_row(
            task.id,
            task.tier,
            task.domain,
            count(about.parameters),
            count(about.flops),
            "  ".join(f"{spec.name} {_shape(spec.shape)}" for spec in task.inputs),
            f"{task.dataset.kind} ({task.dataset.count})",
            ", ".join(source.kind for source in task.weights),
        )
    print_table(table)


@zoo.command()
@click.argument("name")
@json_option
def show(name: str, json_: bool) -> None:
    """Show a task: what it computes, on what, judged how, and where its weights come from."""
    task = catalogue.find(name)
    row = {
        **_row(task, graph_facts(catalogue.graph(task))),
        "source": task.source,
        "dataset": asdict(task.dataset),
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
@click.argument("names", nargs=-1, required=True, metavar="TASK...")
@click.option("--weights", help="`shipped`, `hub`, `seeded` or a safetensors file. Default: the task's first at hand.")
@json_option
def fetch(names: tuple[str, ...], weights: str | None, json_: bool) -> None:
    """Make a task's model and samples ready in the cache, so that `accelbench run` needs neither network nor time."""
    tasks = [catalogue.find(name) for name in names]
    made = []
    with progress() as say:
        for task in tasks:
            say(f"{task.id}: model and feeds")
            subject = from_task(task, weights, lambda done, whole: say(f"{done:,} of {whole or '?'} bytes"))
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
    for each in made:
        print_facts(each)


def _row(task: Task, about: GraphFacts) -> dict[str, Any]:
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
        "hash": catalogue.task_hash(task),
    }


def _shape(shape: tuple[int | str, ...]) -> str:
    return "×".join(str(dim) for dim in shape)
