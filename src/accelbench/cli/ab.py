"""``accelbench run --ab X Y``: which of two targets is faster, from interleaved blocks."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from accelbench.cli.compare import margin_option, outcome, plan_words
from accelbench.cli.groups import grouped
from accelbench.cli.output import listing
from accelbench.cli.targets import Side
from accelbench.errors import Unsupported, UsageError, WorkerError
from accelbench.evaluate import Setting
from accelbench.model import Plan
from accelbench.page import units
from accelbench.page.rows import Row
from accelbench.paths import disk_errors
from accelbench.race import Race, race
from accelbench.search import Search
from accelbench.zoo.subject import Subject

FILE = "ab.json"


@dataclass(frozen=True)
class Rivals:
    """Two targets to be raced, BACKEND[:PRECISION] each (None: no race), and what is still called the same."""

    ab: tuple[str, str] | None
    margin: float


_OPTIONS = (
    click.option(
        "--ab", nargs=2, metavar="X Y", help="Evaluate these two, BACKEND[:PRECISION], then race them: which is faster?"
    ),
    margin_option,
)

rival_options = grouped("rivals", Rivals, _OPTIONS)
"""Gives a command these options, as ``rivals``."""


@dataclass(frozen=True)
class Duel:
    """The races of two targets on one task. ``problem``: why some did not take place."""

    task: str
    names: tuple[str, str]
    reports: tuple[Path, ...]
    races: tuple[Race, ...]
    problem: str | None


def check_ab(
    names: Sequence[str], precisions: Sequence[str], plans: Sequence[Plan], searches: Sequence[Search]
) -> None:
    """Raises UsageError for what does not go with ``--ab``."""
    if names or precisions:
        raise UsageError("--ab names its two targets itself: leave --backend and --precision out")
    if searches:
        raise UsageError("--ab compares plans as they are: leave --slo and auto out")
    if any(plan.scenario == "server" for plan in plans):
        raise UsageError("--ab compares in closed loops: choose another --scenario than server")


def duel(
    subject: Subject, words: tuple[str, str], both: Sequence[Side], rows: Sequence[Row], setting: Setting, margin: float
) -> Duel:
    """Race two targets whose reports gave ``rows``. What a worker raises ends the races and is kept as the problem."""
    done: list[Race] = []
    failed = [row for row in rows if row.status != "ok"]
    problem = f"{failed[0].backend} {failed[0].precision} is {failed[0].status}" if failed else None

    def say(text: str) -> None:
        setting.say(f"{subject.task.id} · {' and '.join(words)}: {text}")

    try:
        if not failed:
            for each in race(
                subject, both, setting.plans,
                effort=setting.effort, margin=margin, timeout_s=setting.timeout_s, say=say,
            ):  # fmt: skip
                done.append(each)
    except (Unsupported, WorkerError) as error:
        problem = str(error)
    return Duel(subject.task.id, words, tuple(dict.fromkeys(row.report for row in rows)), tuple(done), problem)


def write(duels: Sequence[Duel], run: Path) -> Path:
    """Keep the duels, blocks and all, beside the run's reports."""
    file = run / FILE
    with disk_errors(file):
        file.write_text(
            json.dumps([duel_json(each, run) for each in duels], indent=2, allow_nan=False), encoding="utf-8"
        )
    return file


def duel_json(duel: Duel, run: Path) -> dict[str, Any]:
    """The duel as a JSON object; reports are named relative to the run's folder."""
    return {
        "task": duel.task,
        "a": duel.names[0],
        "b": duel.names[1],
        "reports": [str(path.relative_to(run)) for path in duel.reports],
        "races": [asdict(each) for each in duel.races],
        "problem": duel.problem,
    }


def duel_table(duel: Duel) -> Table:
    """One line per race; ends with the problem, if there was one."""
    a, b = duel.names
    table = listing("plan", "", f"A: {a}", f"B: {b}", "A is", "pairs", "looks")
    table.title, table.title_justify = f"{duel.task}, in turns", "left"
    table.caption, table.caption_justify = duel.problem, "left"
    for each in duel.races:
        shown = _shown(each)
        medians = [shown(_median(times)) for times in (each.a_s, each.b_s)]
        found = outcome(each.comparison)
        words = (plan_words(each.plan), each.statistic, *medians, found, str(each.comparison.pairs), str(each.looks))
        table.add_row(*words)
    return table


def _shown(each: Race) -> Callable[[float], str]:
    return units.seconds if each.statistic == "p50" else lambda time: units.rate(1 / time)


def _median(times: Sequence[float]) -> float:
    return sorted(times)[len(times) // 2]
