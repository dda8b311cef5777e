"""A user's model and samples become a task: packed, run once in the reference, and given metric and tolerance."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from accelbench import paths
from accelbench.envs import convert
from accelbench.errors import UsageError
from accelbench.model import Domain, Metric, Task, Tolerance
from accelbench.quality.accuracy import decisions, score
from accelbench.reference import reference
from accelbench.tensors import Array, Record, TensorSet
from accelbench.zoo import pack
from accelbench.zoo.subject import from_task

AUTO = "auto"
MAX_RELATIVE_L2 = 0.02
"""What an honest bfloat16 keeps on most trained networks."""
MIN_AGREEMENT = 0.9
NOTHING = Tolerance()
LOSS = 0.01
"""Accuracy that a task may lose against the reference: one point, or two standard errors of few samples."""


@dataclass(frozen=True)
class Wishes:
    """What the user says of the task. ``metric`` is ``auto``, or a metric's name; None of the others: proposed from the
    reference's outputs (``max_relative_l2``, ``min_accuracy``, ``min_agreement``), or from the model's name."""

    id: str | None = None
    title: str | None = None
    domain: Domain = "any"
    source: str | None = None
    metric: str = AUTO
    tolerance: Tolerance = NOTHING


def add(model: str, data: Path, folder: Path | None, wishes: Wishes, say: Callable[[str], None]) -> tuple[Task, Path]:
    """Make the task of ``model`` — an ONNX, TFLite or ``.pt2`` file, a transformers folder or id — and of the samples
    in ``data`` in the new ``folder`` (None: one with the task's id, here). Returns both.

    Raises UsageError, and writes nothing, where the model cannot be converted, does not fit the samples, or does not
    run in the reference runtime, and where the labels fit no metric.
    """
    name = wishes.id or (pack.name_of(folder.name) if folder else pack.name_of(Path(model).stem))
    place = folder or Path(name)
    with paths.scratch() as work, paths.building(place) as made:
        file = convert.to_onnx(model, data, work, say)
        say(f"{name}: packing")
        task = pack.pack(
            file,
            data,
            made,
            name=name,
            title=wishes.title or Path(model).name,
            domain=wishes.domain,
            source=wishes.source or f"{Path(model).name}, added by its user",
        )
        say(f"{name}: running it in the reference")
        subject = from_task(task, None, folder=made)
        found = reference(subject)
        if found.outputs is None:
            raise UsageError(f"{model} cannot become a task: {found.problem}")
        metric = _metric(wishes.metric, found.outputs, subject.feeds.labels)
        task = replace(task, metric=metric)
        task = replace(task, tolerance=_tolerance(wishes.tolerance, metric, found.outputs, subject.feeds.labels))
        pack.write(task, made)
    return task, place


def _metric(asked: str, outputs: TensorSet, labels: Array | None) -> Metric:
    """The metric that is asked for, or that the labels are of. Raises UsageError where they are of none."""
    names = tuple(outputs.names)
    first: Record = outputs[0]
    if asked == AUTO:
        asked = "none" if labels is None else _told_by(labels, [first[name] for name in names])
    if asked == "none":
        return Metric("none")
    wanted = 2 if asked in ("span", "zero_shot") else 1
    if len(names) < wanted:
        raise UsageError(f"metric {asked} reads {wanted} outputs; the model has {', '.join(names)}")
    return Metric(asked, names[:wanted])  # type: ignore[arg-type]  # the command line offers a metric's names only


def _told_by(labels: Array, outputs: list[Array]) -> str:
    """Spans: two positions per sample; a click or not: one score; classes: one per position of the first output."""
    values = labels.reshape(len(labels), -1)
    whole = labels.dtype.kind in "iub"
    if whole and values.shape[1] == 2 and len(outputs) > 1 and outputs[0].size == outputs[1].size > values.max():
        return "span"
    if whole and values.shape[1] == 1 and outputs[0].size == 1 and set(np.unique(values)) == {0, 1}:
        return "auc"
    shape = outputs[0].shape or (1,)
    if whole and values.shape[1] == math.prod(shape[:-1]) and values.min() >= 0 and values.max() < shape[-1]:
        return "top1"
    values_told = f"{values.min()} to {values.max()}" if whole else labels.dtype.name
    raise UsageError(
        f"labels of shape {labels.shape}, {values_told}, are of no metric for outputs of "
        f"{', '.join(str(output.shape) for output in outputs)}: "
        "say which one with --metric, or leave the labels out"
    )


def _tolerance(asked: Tolerance, metric: Metric, outputs: TensorSet, labels: Array | None) -> Tolerance:
    """What is asked for; else what is usual, and of the accuracy what the reference reaches, less ``LOSS``."""
    floor = asked.min_accuracy
    if floor is None and labels is not None and metric.name != "none":
        reached = score(metric, decisions(metric, outputs), labels)
        if reached is not None:
            floor = math.floor(1000 * max(reached.value - max(LOSS, 2 * (reached.standard_error or 0)), 0)) / 1000
    agreement = MIN_AGREEMENT if metric.name != "none" else None
    return Tolerance(
        max_relative_l2=MAX_RELATIVE_L2 if asked.max_relative_l2 is None else asked.max_relative_l2,
        min_accuracy=floor,
        min_agreement=agreement if asked.min_agreement is None else asked.min_agreement,
    )
