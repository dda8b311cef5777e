"""Options that put a tolerance in the place of a task's own."""

from __future__ import annotations

from dataclasses import dataclass, replace

import click

from accelbench.cli.groups import grouped
from accelbench.cli.parsing import Finite
from accelbench.model import Tolerance


@dataclass(frozen=True)
class Limits:
    """What the options tolerate. None: what the task does."""

    max_drift: float | None
    min_accuracy: float | None

    def over(self, own: Tolerance) -> Tolerance:
        """A task's ``own`` tolerance, with the limits that are given in the place of its own."""
        return replace(
            own,
            max_relative_l2=own.max_relative_l2 if self.max_drift is None else self.max_drift,
            min_accuracy=own.min_accuracy if self.min_accuracy is None else self.min_accuracy,
        )


_OPTIONS = (
    click.option("--max-drift", type=Finite(min=0), help="Tolerated relative L2, instead of the task's."),
    click.option("--min-accuracy", type=Finite(0, 1), help="Tolerated accuracy, instead of the task's."),
)

limit_options = grouped("limits", Limits, _OPTIONS)
"""Gives a command these options, as ``limits``."""
