"""``--tune SECONDS``: stacks choose settings by their own means before they compile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import click
from rich.table import Table

from accelbench.cli.output import listing
from accelbench.cli.targets import Side
from accelbench.envs.spec import backends
from accelbench.errors import UsageError
from accelbench.model import Report
from accelbench.page import units
from accelbench.page.tuning import changed, gain

CLOCK = "times are the tuners' own account, by their clocks; the rows above are the harness's"

tune_option = click.option(
    "--tune",
    type=click.FloatRange(min=1, max=86_400),
    metavar="SECONDS",
    help="Let the stack tune each form that it compiles by its own means, for so long at most.",
)
"""Gives a command the seconds that a stack may tune for, as ``tune``."""


def tuned(sides: Sequence[Side], tune_s: float | None) -> list[Side]:
    """The sides, to be tuned for so many seconds (None: not). Raises UsageError for a backend that cannot tune."""
    if tune_s is None:
        return list(sides)
    for spec, _ in sides:
        if not spec.table.abilities.tune:
            able = ", ".join(sorted(each.name for each in backends().values() if each.table.abilities.tune))
            raise UsageError(f"backend {spec.name} has no tuning of its own: --tune takes {able}")
    return [(spec, replace(target, tune_s=tune_s)) for spec, target in sides]


def tuning_table(reports: Sequence[Report]) -> Table | None:
    """What each tuner chose and what that cost, form by form; None where nothing was tuned."""
    table = listing("tuned", "batch", "for", "took", "trials", "chosen", "a sample before → after")
    for report in reports:
        for build in report.builds:
            if build.tuning is None or build.tune_s is None:
                continue
            table.add_row(
                f"{report.task.id}\n{report.target.backend} {report.target.precision}",
                str(build.batch),
                build.purpose or units.ABSENT,
                units.seconds(build.tune_s) + ("" if build.tuning.finished else ", all its time"),
                str(build.tuning.trials),
                changed(build.tuning),
                gain(build.tuning),
            )
    table.caption = CLOCK
    return table if table.row_count else None
