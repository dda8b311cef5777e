"""The data of a board from its stores, as ``web/src/data.ts`` has them: the whole in one file, and one per report."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import accelbench
from accelbench.board import catalogue, stores
from accelbench.board.making import DETAILS, Job, Made, Raw, make
from accelbench.board.plain import columns, record
from accelbench.board.stores import Stores
from accelbench.board.summary import PASSES, REPORTS
from accelbench.hardware.prices import NONE, Own, Rate, shipped
from accelbench.library.workers import spread

SCHEMA = 1
"""Version of the contract. 1: first."""

BATCH = 64


@dataclass(frozen=True)
class Wish:
    """What is wanted of a board: its ``title``, whether details hold the stored report itself (``raw``), whether it is
    ``served``, whether there are downloads as Parquet too; ``rules`` are those of submission, as the page shows them;
    ``own`` are private prices, ``problems`` what could not be read before, with why."""

    title: str | None = None
    raw: bool = False
    served: bool = False
    parquet: bool = False
    rules: Sequence[Mapping[str, Any]] = field(default_factory=list)
    own: Own = NONE
    problems: Sequence[tuple[str, str]] = ()


def write(paths: Sequence[Path], board: Path, wish: Wish, processes: int | None = None) -> dict[str, Any]:
    """Write the details of all reports under the folder ``board`` and return the index. Raises UsageError where one of
    ``paths`` is no store."""
    found = stores.read(paths)
    (board / DETAILS).mkdir(parents=True)
    jobs, twins = _told_apart(found.jobs)
    raw: Raw = "served" if wish.served else "packed" if wish.raw else "none"
    made = sorted(_made(board, raw, jobs, processes), key=lambda each: each.job.id)
    made.sort(key=lambda each: each.row["created"] if each.row else "", reverse=True)
    good = [each for each in made if each.row is not None]
    problems = [
        *wish.problems,
        *found.problems,
        *twins,
        *((each.job.folder, each.problem or "") for each in made if each.row is None),
    ]
    return _index(found, good, problems, wish)


def _made(board: Path, raw: Raw, jobs: Sequence[Job], processes: int | None) -> Iterator[Made]:
    batches = [
        together[start : start + BATCH]
        for _, each in groupby(jobs, key=lambda job: job.store)
        for together in [list(each)]
        for start in range(0, len(together), BATCH)
    ]
    count = min(processes or len(os.sched_getaffinity(0)), len(batches))
    work = partial(make, board, raw)
    for results in spread(work, batches, count) if count > 1 and len(batches) > 2 else map(work, batches):
        yield from results


def _told_apart(jobs: Sequence[Job]) -> tuple[list[Job], list[tuple[str, str]]]:
    """The jobs without those whose short id another has: a detail's file is named by it."""
    kept: dict[str, Job] = {}
    twins = []
    for job in jobs:
        if kept.setdefault(job.id[:12], job) is not job:
            twins.append((job.folder, f"the first twelve digits of its id are those of {kept[job.id[:12]].folder}"))
    return list(kept.values()), twins


def _index(found: Stores, made: Sequence[Made], problems: Sequence[tuple[str, str]], wish: Wish) -> dict[str, Any]:
    rows = [dict(each.row) for each in made if each.row is not None]
    passes = [{**each, "report": number} for number, one in enumerate(made) for each in one.passes]
    return {
        "meta": {
            **{"schema": SCHEMA, "accelbench": accelbench.__version__, "title": wish.title},
            "created": max((row["created"] for row in rows), default=None),
            "stores": [{"name": name, "reports": count} for name, count in found.counts],
            "problems": [{"folder": folder, "problem": problem} for folder, problem in problems],
            "rates": [_rate(each) for each in (*wish.own.rates, *shipped())],
            "cost": record(wish.own.cost),
            "prices": [{"device": name, **record(each)} for name, told in wish.own.prices.items() for each in told],
            "served": wish.served,
        },
        "reports": columns(rows, REPORTS),
        "passes": columns(passes, PASSES),
        "claims": catalogue.claimed(found.claims),
        "tasks": catalogue.tasks(rows),
        **{"devices": catalogue.devices(), "vendors": catalogue.vendors(), "lints": catalogue.lints()},
        **{"recipes": catalogue.recipes(), "rules": list(wish.rules), "downloads": []},
    }


def _rate(told: Rate) -> dict[str, Any]:
    return {"from": told.of, **{name: getattr(told, name) for name in ("to", "rate", "date", "source")}}
