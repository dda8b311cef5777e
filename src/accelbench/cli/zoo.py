"""``accelbench zoo``: the tasks."""

from __future__ import annotations

from typing import Any

import click

from accelbench.board.units import count
from accelbench.cli.output import json_option, listing, print_json, print_table
from accelbench.model import Task
from accelbench.zoo import catalogue
from accelbench.zoo.graph_facts import GraphFacts, graph_facts


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
