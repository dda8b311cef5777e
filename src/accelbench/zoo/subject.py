"""What is evaluated: a task of the zoo or a user's own model, with its weights chosen and its feeds at hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from accelbench.model import Task
from accelbench.zoo.feeds import Feeds
from accelbench.zoo.materialise import Model


@dataclass(frozen=True)
class Subject:
    """A task ready to be evaluated. ``model(batch)`` is its complete ONNX file for that batch; ``feeds`` are the
    samples of the accuracy pass and of the timed passes, ``unseen`` fresh ones of the same distribution."""

    task: Task
    task_hash: str
    model: Callable[[int], Model]
    feeds: Feeds
    unseen: Feeds
