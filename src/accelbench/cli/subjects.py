"""What is evaluated: the subjects that a command's words and options name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from accelbench.cli.choice import Named
from accelbench.cli.groups import grouped
from accelbench.cli.output import DONE
from accelbench.cli.parsing import NAMED_SHAPE
from accelbench.errors import NotHere, UsageError
from accelbench.model import Plan
from accelbench.search import Search
from accelbench.zoo.real import Asked
from accelbench.zoo.subject import Subject, from_file, from_task


@dataclass(frozen=True)
class Given:
    """What the options say of weights, of a model file's feeds, and of its shapes."""

    weights: str | None
    seed_weights: bool
    inputs: Path | None
    shapes: tuple[tuple[str, tuple[int, ...]], ...]


_OPTIONS = (
    click.option(
        "--weights", help="`shipped`, `hub`, `package`, `seeded`, or a safetensors file. Default: the first at hand."
    ),
    click.option("--seed-weights", is_flag=True, help="Draw the weights of a MODEL.onnx instead of using its own."),
    click.option(
        "--inputs", type=click.Path(path_type=Path), help="Feeds of a MODEL.onnx: an .npz, one array per input."
    ),
    click.option(
        "--shape", "shapes", type=NAMED_SHAPE, multiple=True, help="A dynamic input's shape, NAME:1,3,224,224."
    ),
)
source_options = grouped("given", Given, _OPTIONS)
"""Gives a command these options, as ``given``."""


def make(source: Named | Path, *, given: Given, data: Asked | None, say: Callable[[str], None]) -> Subject:
    """The subject that a word of the command line stands for. Raises UsageError for what is wrong with it or is not
    about it, and NotHere where this machine cannot have it."""
    if isinstance(source, Named):
        for option, value in (
            ("--inputs", given.inputs),
            ("--shape", given.shapes),
            ("--seed-weights", given.seed_weights),
        ):
            if value:
                raise UsageError(f"{option} is about a MODEL.onnx, and {source.task.id} is a task: leave it out")
        return from_task(source.task, given.weights, None, source.folder, source.roster, data, say)
    if given.weights:
        raise UsageError(f"--weights is about a task: {source} has its own, and --seed-weights draws others")
    if data:
        raise UsageError(f"--data is what a task knows how to read: {source} takes --inputs")
    return from_file(source, dict(given.shapes), given.inputs, given.seed_weights)


def made(
    sources: Sequence[Named | Path],
    names: Sequence[str],
    make: Callable[[Named | Path], Subject],
    say: Callable[[str], None],
) -> list[Subject]:
    """What ``make`` makes of each source. A task that this machine cannot hold, or that has no weights there, is left
    out, and ``say`` is told. Raises NotHere for one that is among the ``names``, and where nothing is left."""
    subjects: list[Subject] = []
    problem: NotHere | None = None
    for source in sources:
        name = source.task.id if isinstance(source, Named) else str(source)
        say(f"{name}: model and feeds")
        try:
            subjects.append(make(source))
        except NotHere as error:
            if name in names:
                raise
            problem = error
            say(f"{DONE}{name}: left out ({error})")
    if problem and not subjects:
        raise problem
    return subjects


def check_batches(subjects: Sequence[Subject], plans: Sequence[Plan], searches: Sequence[Search]) -> None:
    """Raise UsageError for a subject without batch dimension that a plan or a search wants batches of."""
    several = [plan for plan in (*plans, *(each.plan for each in searches)) if plan.compiled_batch > 1]
    for subject in subjects:
        if not subject.task.batched and (several or any(each.over == "batch" for each in searches)):
            raise UsageError(f"{subject.task.id} has no batch dimension, so --batch can only be 1 for it")
