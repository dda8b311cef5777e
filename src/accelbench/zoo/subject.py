"""What is evaluated: a task of the zoo or a user's own model, with its weights chosen and its feeds at hand."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

from accelbench.errors import UsageError
from accelbench.model import Task
from accelbench.zoo import catalogue, user, user_feeds
from accelbench.zoo.download import Progress
from accelbench.zoo.facts import facts_of
from accelbench.zoo.feeds import Feeds, calibration, draw, feeds
from accelbench.zoo.graph_facts import GraphFacts, graph_facts
from accelbench.zoo.materialise import Model, materialise
from accelbench.zoo.real import Asked, Real, real
from accelbench.zoo.user import Shapes

HUB = "hub"
DOWNLOADED = (HUB, "package")
KINDS = ("shipped", *DOWNLOADED, "seeded")


@dataclass(frozen=True)
class Subject:
    """A task ready to be evaluated. ``model(batch)`` is its complete ONNX file for that batch; ``feeds`` are the
    samples of the accuracy pass and of the timed passes, ``calibration`` other ones of the same distribution, for
    precisions that need to see data, ``fresh(seed, folder)`` writes ones that nobody has seen (None: those of real
    data and of users are given); ``facts`` are counted from the graph for one sample. ``roster`` is the name of the
    list that gives the task its tier. ``real`` are the real data that the feeds are made of."""

    task: Task
    task_hash: str
    model: Callable[[int], Model]
    feeds: Feeds
    calibration: Feeds
    facts: GraphFacts
    roster: str | None = None
    real: Real | None = None
    fresh: Callable[[int, Path], None] | None = None

    @property
    def scored(self) -> bool:
        """Whether labels of real data mean something for the weights in use: not for seeded ones."""
        return self.model(1).weights.kind != "seeded"


def from_task(
    task: Task,
    weights: str | None,
    progress: Progress | None = None,
    folder: Path | None = None,
    roster: str | None = None,
    data: Asked | None = None,
    say: Callable[[str], None] = lambda _text: None,
) -> Subject:
    """The task in ``folder`` (None: a shipped one), which ``roster`` lists, with the weights that are named: None (the
    first at hand), one of ``KINDS``, or a safetensors file; on real data, or (None) on the task's own samples.

    Raises UsageError when weights or data are missing, damaged or do not fit.
    """
    folder = folder or catalogue.folder(task)
    file = Path(weights) if weights is not None and weights not in KINDS else None
    if file is not None and not file.is_file():
        raise UsageError(f"--weights {weights}: there is no such file (or say one of {', '.join(KINDS)})")
    chosen = task
    if weights in KINDS:
        chosen = replace(task, weights=tuple(source for source in task.weights if source.kind == weights))
        if not chosen.weights:
            raise UsageError(f"task {task.id} has no {weights} weights: it has {_kinds(task)}")

    @cache
    def model(batch: int) -> Model:
        return materialise(
            chosen, folder, batch=batch, weights_file=file, download=weights in DOWNLOADED, progress=progress
        )

    model(1)
    found = real(task, data, say) if data else None
    return Subject(
        task=task,
        task_hash=catalogue.task_hash(task, folder),
        model=model,
        feeds=found.feeds if found else feeds(task, folder),
        calibration=found.calibration if found else calibration(task, folder),
        facts=facts_of(task, folder),
        roster=roster,
        real=found,
        fresh=None if found else partial(draw, task, folder),
    )


def from_file(path: Path, shapes: Shapes, inputs: Path | None, seed_weights: bool) -> Subject:
    """A user's ONNX file, with its own weights or drawn ones, on the user's samples (``inputs``) or drawn ones.

    Raises UsageError for whatever is wrong with the file, its shapes or the samples.
    """
    given = user.read(path, shapes, seed_weights)
    task, graph = given.task, given.proto.graph
    samples = user_feeds.from_file(task, inputs) if inputs else user_feeds.drawn(task, graph, user.SEED)
    return Subject(
        task=replace(task, dataset=replace(task.dataset, count=samples.count)),
        task_hash=hashlib.sha256(f"{given.content} {samples.sha256} {seed_weights}".encode()).hexdigest(),
        model=cache(given.model),
        feeds=samples,
        calibration=samples if inputs else user_feeds.drawn(task, graph, user.SEED + 1),
        facts=graph_facts(given.fixed()),
    )


def _kinds(task: Task) -> str:
    return (
        ", ".join(source.kind for source in task.weights if source.kind != "local") or "none but a file that you name"
    )
