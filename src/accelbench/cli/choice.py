"""Options that choose among the zoo's tasks, and what a name on the command line stands for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import click

from accelbench.cli.groups import grouped
from accelbench.cli.parsing import COMMAS, known
from accelbench.errors import UsageError
from accelbench.model import Domain, Task, Tier
from accelbench.zoo import catalogue, roster
from accelbench.zoo.roster import Roster


@dataclass(frozen=True)
class Choice:
    """What the options ask for: tasks of these tiers and of these domains (none named: of all) in a roster (None: the
    newest)."""

    tiers: tuple[str, ...]
    domains: tuple[str, ...]
    roster: str | None

    @property
    def given(self) -> bool:
        """Whether any of the options was given."""
        return bool(self.tiers or self.domains or self.roster)


@dataclass(frozen=True)
class Named:
    """A task on the command line: it lies in ``folder``, and ``roster`` lists it (None: none does)."""

    task: Task
    folder: Path
    roster: str | None


_OPTIONS = (
    click.option(
        "--tier", "tiers", type=COMMAS, default=(), help=f"Every task of these tiers: {', '.join(get_args(Tier))}."
    ),
    click.option(
        "--domain", "domains", type=COMMAS, default=(), help=f"Of these domains only: {', '.join(get_args(Domain))}."
    ),
    click.option("--roster", help="The list that decides on the tasks and their tiers. Default: the newest."),
)


choice_options = grouped("choice", Choice, _OPTIONS)
"""Gives a command these options, as ``choice``."""


def roster_of(choice: Choice) -> Roster:
    """The roster that was named, or the newest."""
    return roster.newest() if choice.roster is None else roster.find(choice.roster)


def listed(choice: Choice) -> list[Task]:
    """The tasks that the options choose, mandatory ones first. Raises UsageError for a word that means nothing."""
    tiers = known(choice.tiers, get_args(Tier), "tier")
    domains = known(choice.domains, get_args(Domain), "domain")
    return catalogue.select(roster_of(choice), tiers, domains)


def named(name: str, choice: Choice) -> Named:
    """The task called ``name``, with the tier that the roster gives it, or, where ``name`` has a ``/``, the one in that
    folder.

    Raises UsageError for an unknown name, and for one that a roster which was asked for does not list.
    """
    if "/" in name:
        return Named(catalogue.load(Path(name)), Path(name), None)
    task, lists = catalogue.find(name), roster_of(choice)
    entry = lists.tasks.get(name)
    if entry is not None and (choice.roster is not None or entry.version == task.version):
        return Named(catalogue.listed(lists, name), catalogue.folder(task), lists.name)
    if choice.roster is not None:
        raise UsageError(f"roster {lists.name} does not list {name}: leave --roster out, or see 'accelbench zoo diff'")
    return Named(task, catalogue.folder(task), None)


def wanted(names: Sequence[str], choice: Choice) -> list[Named | Path]:
    """What is to be evaluated: the tasks and files that are named, then the tasks that the options choose, each once.
    Raises UsageError where that is nothing."""
    found: dict[Path, Named | Path] = {}
    for name in names:
        if name.endswith(".onnx") or ("/" in name and not Path(name).is_dir()):
            found[Path(name)] = Path(name)
        else:
            one = named(name, choice)
            found[one.folder] = one
    if choice.given:
        name = roster_of(choice).name
        found |= {catalogue.folder(task): Named(task, catalogue.folder(task), name) for task in listed(choice)}
    if not found:
        what = "no task is of these tiers and domains" if choice.given else "nothing to evaluate"
        raise UsageError(f"{what}: name a task (accelbench zoo list), a MODEL.onnx, or a --tier or --domain")
    return list(found.values())
