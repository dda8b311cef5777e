"""What a board has beside its reports: products, companies, doubts about them, recipes, tasks, claims. What does not
change while a process lives is made once, and is not to be changed by those who get it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from accelbench.board.plain import number, record
from accelbench.hardware import catalogue
from accelbench.hardware.lint import lint
from accelbench.knowledge import catalogue as knowledge
from accelbench.knowledge.words import plain
from accelbench.model import Claim, Device, Task, TensorSpec
from accelbench.zoo import catalogue as zoo
from accelbench.zoo.facts import facts_of

WEIGHT_BYTES = 4
"""Of a parameter in float32, as tasks have them."""


@cache
def devices() -> list[dict[str, Any]]:
    """The whole catalogue in the order of ids."""
    return [_device(each) for each in catalogue.devices().values()]


@cache
def vendors() -> list[dict[str, Any]]:
    """The companies in the order of ids."""
    return [record(each) for each in catalogue.vendors().values()]


@cache
def lints() -> list[dict[str, Any]]:
    """What is doubtful in the catalogue."""
    return [record(each) for each in lint(catalogue.devices(), catalogue.vendors())]


@cache
def recipes() -> list[dict[str, Any]]:
    """What was learned in bringing models to stacks; the numbers behind it are in ``accelbench advise --list``."""
    return [
        {name: value for name, value in plain(each).items() if name != "measured"}
        for each in knowledge.recipes().values()
    ]


def tasks(reported: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The tasks of the zoo, and those that reports are of, by what the rows of these tell, in the order of ids."""
    found = dict(_known())
    for row in reported:
        found.setdefault(row["task"], _foreign(row))
    return [found[name] for name in sorted(found)]


@cache
def _known() -> Mapping[str, dict[str, Any]]:
    return {task.id: _task(task) for task in zoo.tasks().values()}


def claimed(claims: Sequence[Claim]) -> list[dict[str, Any]]:
    """Figures of others, as they were published."""
    return [_claim(each) for each in claims]


def _device(device: Device) -> dict[str, Any]:
    told: dict[str, Any] = record(device)
    return {name: value for name, value in told.items() if name not in ("matches", "pictures")}


def _task(task: Task) -> dict[str, Any]:
    facts, nodes = facts_of(task), zoo.graph(task).graph.node
    kinds = Counter(node.op_type for node in nodes)
    return {
        **{"id": task.id, "version": task.version, "tier": task.tier, "domain": task.domain, "title": task.title},
        **{"flops": facts.flops or None, "parameters": facts.parameters, "bytes": _bytes(task, facts.parameters)},
        "operators": {name: number(count / len(nodes), 3) for name, count in kinds.most_common()} if nodes else None,
        "metric": None if task.metric.name == "none" else task.metric.name,
    }


def _foreign(row: Mapping[str, Any]) -> dict[str, Any]:
    """A task that is not of the zoo: little is known of it."""
    known = {"id": row["task"], **{name: row[name] for name in ("version", "tier", "domain")}, "title": row["task"]}
    return {**known, **dict.fromkeys(("flops", "parameters", "bytes", "operators")), "metric": row["metric"]}


def _bytes(task: Task, parameters: int) -> int | None:
    """Weights in float32, inputs and outputs of one sample; None where a shape is open."""
    sizes = [_size(spec) for spec in (*task.inputs, *task.outputs)]
    return None if None in sizes else parameters * WEIGHT_BYTES + sum(filter(None, sizes))


def _size(spec: TensorSpec) -> int | None:
    """Bytes of one sample of a tensor: an open first dimension is the batch, of which one is taken."""
    dims = [1 if isinstance(dim, str) and place == 0 else dim for place, dim in enumerate(spec.shape)]
    fixed = [dim for dim in dims if isinstance(dim, int)]
    return math.prod(fixed) * np.dtype(spec.dtype).itemsize if len(fixed) == len(dims) else None


def _claim(claim: Claim) -> dict[str, Any]:
    device, task = claim.device, claim.task
    return {
        **{"id": claim.id[:12], "kind": claim.kind, "source": claim.source.kind, "sourceName": claim.source.name},
        **{"url": claim.source.url, "vendor": claim.vendor.text if claim.vendor else None},
        **{"device": device.text if device else None, "deviceId": device.id if device else None},
        **{"task": task.text if task else None, "taskId": task.id if task else None},
        **{"software": claim.text("software"), "date": claim.text("date"), "caveats": list(claim.caveats)},
        "figures": [
            {
                name: getattr(each, name)
                for name in _FIGURE
                if getattr(each, name) is not None or name in ("value", "unit")
            }
            for each in claim.figures
            if math.isfinite(each.value)
        ],
    }


_FIGURE = ("name", "value", "unit", "batch", "scenario", "precision", "statistic", "caveat")
