"""What the rules know beside the submission: rosters, tasks, devices. Tests put their own in its place."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from accelbench.hardware import catalogue as hardware
from accelbench.hardware.match import device_of
from accelbench.model import DeviceInfo, Host, Task
from accelbench.tensors import Array
from accelbench.zoo import catalogue, feeds, roster
from accelbench.zoo.facts import facts_of
from accelbench.zoo.graph_facts import GraphFacts
from accelbench.zoo.roster import Roster


@dataclass(frozen=True)
class World:
    """``roster(name)`` and ``task(roster, id)`` raise UsageError for unknown ones; ``task_hash`` is that of what the
    task means, ``facts`` are counted from its graph, ``labels`` those of its samples (None: they have none);
    ``devices`` are the ids of the hardware catalogue, and ``recognised`` gives the one that a report ran on, None where
    the catalogue does not know the name."""

    roster: Callable[[str], Roster]
    task: Callable[[Roster, str], Task]
    task_hash: Callable[[Task], str]
    facts: Callable[[Task], GraphFacts]
    labels: Callable[[Task], Array | None]
    devices: Callable[[], Collection[str]]
    recognised: Callable[[DeviceInfo | None, Host], str | None]


HERE = World(
    roster=roster.find,
    task=catalogue.listed,
    task_hash=catalogue.task_hash,
    facts=facts_of,
    labels=lambda task: feeds.labels(task, catalogue.folder(task)),
    devices=hardware.devices,
    recognised=device_of,
)
"""What this accelbench has."""
