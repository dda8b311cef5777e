"""From the options of the load to the plans of timed passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from typing import Any, get_args

import click

from accelbench.cli.parsing import COMMAS, RATIO, known, positive_integers
from accelbench.errors import UsageError
from accelbench.measure.efforts import stop
from accelbench.model import Effort, Plan, Scenario

SCENARIOS: tuple[Scenario, ...] = get_args(Scenario)
DEFAULT = "single_stream,offline"
SEVERAL_IN_FLIGHT: tuple[Scenario, ...] = ("server", "offline", "closed_loop")
SECONDS = click.FloatRange(min=0, max=86_400, min_open=True)


@dataclass(frozen=True)
class Load:
    """What the options ask of the timed passes. None: not asked for."""

    batches: tuple[str, ...]
    scenarios: tuple[str, ...]
    rate: float | None
    burst: int | None
    concurrency: int | None
    seed: int
    effort: Effort
    ci_target: float | None
    max_time: float | None


_OPTIONS = (
    click.option(
        "--batch", "batches", type=COMMAS, default="1", show_default=True, help="Samples per query, e.g. 1,8."
    ),
    click.option("--scenario", "scenarios", type=COMMAS, default=DEFAULT, show_default=True, help=", ".join(SCENARIOS)),
    click.option("--rate", type=float, metavar="QPS", help="Queries per second that arrive; `server` needs it."),
    click.option("--burst", type=click.IntRange(min=1), help="Queries that arrive together, in `server`."),
    click.option(
        "--concurrency",
        type=click.IntRange(min=1),
        help=f"Queries in flight, in {', '.join(SEVERAL_IN_FLIGHT)}. Default: what the stack asks for.",
    ),
    click.option("--seed", type=click.IntRange(min=0), default=0, help="Of the arrivals and of everything drawn."),
    click.option("--quick", "effort", flag_value="quick", help="At most 3 s per point; results are indicative."),
    click.option("--standard", "effort", flag_value="standard", default=True, help="Until intervals are within 2 %."),
    click.option("--submission", "effort", flag_value="submission", help="Tails within 1 %, a minute at least."),
    click.option("--ci-target", type=RATIO, help="Stop when the interval is within ±this, 2% or 0.02."),
    click.option("--max-time", type=SECONDS, metavar="SECONDS", help="A timed pass's limit."),
)


def load_options(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command the options of the load; it gets them together, as ``load``."""

    @wraps(command)
    def collected(**words: Any) -> int:
        load = Load(**{field.name: words.pop(field.name) for field in fields(Load)})
        return command(load=load, **words)

    for option in reversed(_OPTIONS):
        collected = option(collected)
    return collected


def plans(load: Load) -> tuple[Plan, ...]:
    """One plan per batch and scenario, in the order of SCENARIOS. Raises UsageError for what does not go together."""
    chosen = known(load.scenarios, SCENARIOS, "scenario")
    batches = positive_integers(load.batches, "batch")
    _check(load, chosen, batches)
    return tuple(_plan(load, scenario, batch) for batch in batches for scenario in SCENARIOS if scenario in chosen)


def _plan(load: Load, scenario: Scenario, batch: int) -> Plan:
    return Plan(
        scenario,
        stop(load.effort, scenario, load.ci_target, load.max_time),
        batch,
        concurrency=load.concurrency if scenario in SEVERAL_IN_FLIGHT else None,
        rate=load.rate if scenario == "server" else None,
        burst=load.burst or 1 if scenario == "server" else 1,
        seed=load.seed,
    )


def _check(load: Load, chosen: tuple[str, ...], batches: tuple[int, ...]) -> None:
    if "server" in chosen and load.rate is None:
        raise UsageError("--scenario server needs --rate QPS: how many queries arrive per second")
    for name, value in (("--rate", load.rate), ("--burst", load.burst)):
        if value is not None and "server" not in chosen:
            raise UsageError(f"{name} is about arrivals, which only --scenario server has")
    if load.rate is not None and not 0 < load.rate < float("inf"):
        raise UsageError(f"--rate must be above 0 queries per second, not {load.rate:g}")
    if load.concurrency is not None and not set(chosen) & set(SEVERAL_IN_FLIGHT):
        raise UsageError(f"--concurrency needs a --scenario with several queries in flight: {_listed()}")
    if "multi_stream" in chosen and max(batches) == 1:
        raise UsageError("--scenario multi_stream needs --batch N above 1: the samples of each query")


def _listed() -> str:
    return ", ".join(SEVERAL_IN_FLIGHT)
