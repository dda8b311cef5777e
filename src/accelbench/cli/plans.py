"""From the options of the load to the plans of timed passes, and to searches for the best plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

import click

from accelbench.cli.groups import grouped
from accelbench.cli.parsing import AUTO, BOUND, COMMAS, COUNT_OR_AUTO, RATIO, Finite, known, positive_integers
from accelbench.envs.traces import keep
from accelbench.errors import UsageError
from accelbench.measure.efforts import stop
from accelbench.model import Effort, Plan, Scenario, Stop
from accelbench.search import Over, Search

SCENARIOS: tuple[Scenario, ...] = get_args(Scenario)
DEFAULT = "single_stream,offline"
SEVERAL_IN_FLIGHT: tuple[Scenario, ...] = ("server", "offline", "closed_loop")
SCALING: tuple[Scenario, ...] = ("offline", "closed_loop")
"""Where more samples at once may bring more throughput."""

PROBE_S: dict[Effort, float] = {"quick": 1.0, "standard": 10.0, "submission": 60.0}
"""Seconds of a probe of the highest rate, at least."""

SECONDS = Finite(min=0, max=86_400, min_open=True)


@dataclass(frozen=True)
class Load:
    """What the options ask of the timed passes. None: not asked for."""

    batches: tuple[str, ...]
    scenarios: tuple[str, ...]
    rate: float | None
    burst: int | None
    trace: Path | None
    concurrency: int | Literal["auto"] | None
    slo: tuple[str, float] | None
    seed: int
    effort: Effort
    ci_target: float | None
    max_time: float | None


_OPTIONS = (
    click.option(
        "--batch", "batches", type=COMMAS, default="1", show_default=True, help="Samples per query: 1,8 or `auto`."
    ),
    click.option("--scenario", "scenarios", type=COMMAS, default=DEFAULT, show_default=True, help=", ".join(SCENARIOS)),
    click.option("--rate", type=float, metavar="QPS", help="Queries per second that arrive; `server` needs it."),
    click.option("--burst", type=click.IntRange(min=1), help="Queries that arrive together, in `server`."),
    click.option(
        "--trace",
        type=click.Path(path_type=Path),
        help="A file of arrivals, seconds one per line, that `server` follows instead of --rate.",
    ),
    click.option(
        "--concurrency",
        type=COUNT_OR_AUTO,
        help=f"Queries in flight, in {', '.join(SEVERAL_IN_FLIGHT)}; or `auto`. Default: the stack's wish.",
    ),
    click.option("--slo", type=BOUND, help="Find the highest rate of `server` that keeps this bound on its latency."),
    click.option("--seed", type=click.IntRange(min=0), default=0, help="Of the arrivals and of everything drawn."),
    click.option("--quick", "effort", flag_value="quick", help="At most 3 s per point; results are indicative."),
    click.option("--standard", "effort", flag_value="standard", default=True, help="Until intervals are within 2 %."),
    click.option("--submission", "effort", flag_value="submission", help="Tails within 1 %, a minute at least."),
    click.option("--ci-target", type=RATIO, help="Stop when the interval is within ±this, 2% or 0.02."),
    click.option("--max-time", type=SECONDS, metavar="SECONDS", help="A timed pass's limit."),
)


load_options = grouped("load", Load, _OPTIONS)
"""Gives a command the options of the load, as ``load``."""


def plans(load: Load) -> tuple[Plan, ...]:
    """One plan per batch and scenario, in the order of SCENARIOS, without those that are searched for. Raises
    UsageError for what does not go together."""
    chosen, batches = _checked(load)
    over = _over(load)
    left = [each for each in chosen if not (over and each in SCALING) and not (load.slo and each == "server")]
    return tuple(_plan(load, scenario, batch) for batch in batches for scenario in left)


def searches(load: Load) -> tuple[Search, ...]:
    """What is to be found out by probing. Raises UsageError as ``plans`` does."""
    chosen, batches = _checked(load)
    over = _over(load)
    found: list[Search] = []
    for batch in batches:
        if over:
            found += [Search(_plan(load, scenario, batch), over) for scenario in chosen if scenario in SCALING]
        if load.slo:
            found.append(Search(_bounded(load, batch, *load.slo), "rate"))
    return tuple(found)


def _checked(load: Load) -> tuple[list[Scenario], tuple[int, ...]]:
    words = known(load.scenarios, SCENARIOS, "scenario")
    chosen = [each for each in SCENARIOS if each in words]
    _check_auto(load, chosen)
    batches = (1,) if AUTO in load.batches else positive_integers(load.batches, "batch")
    _check(load, chosen, batches)
    return chosen, batches


def _over(load: Load) -> Over | None:
    if AUTO in load.batches:
        return "batch"
    return "concurrency" if load.concurrency == AUTO else None


def _plan(load: Load, scenario: Scenario, batch: int) -> Plan:
    concurrency = None if load.concurrency == AUTO else load.concurrency
    return Plan(
        scenario,
        stop(load.effort, scenario, load.ci_target, load.max_time),
        batch,
        concurrency=concurrency if scenario in SEVERAL_IN_FLIGHT else None,
        rate=load.rate if scenario == "server" else None,
        burst=load.burst or 1 if scenario == "server" else 1,
        seed=load.seed,
        trace=keep(load.trace) if load.trace is not None and scenario == "server" else None,
    )


def _bounded(load: Load, batch: int, statistic: str, bound_s: float) -> Plan:
    """What the probes of a search for the highest rate share."""
    once = Stop(max_s=load.max_time or PROBE_S[load.effort], statistic=statistic, ci_target=load.ci_target)
    return replace(_plan(load, "server", batch), stop=once, latency_bound_s=bound_s)


def _check(load: Load, chosen: Sequence[Scenario], batches: tuple[int, ...]) -> None:
    open_loop = "server" in chosen or load.slo is not None
    if "server" in chosen and load.rate is None and load.slo is None and load.trace is None:
        raise UsageError("--scenario server needs --rate QPS (how many queries arrive per second), --trace or --slo")
    if load.trace is not None and (load.rate, load.burst, load.slo) != (None, None, None):
        raise UsageError("--trace tells every arrival: leave --rate, --burst and --slo out")
    if load.rate is not None and load.slo is not None:
        raise UsageError("--slo finds the rate by itself: leave --rate out")
    for name, value in (("--rate", load.rate), ("--burst", load.burst), ("--trace", load.trace)):
        if value is not None and not open_loop:
            raise UsageError(f"{name} is about arrivals, which only --scenario server has")
    if load.rate is not None and not 0 < load.rate < float("inf"):
        raise UsageError(f"--rate must be above 0 queries per second, not {load.rate:g}")
    if load.concurrency is not None and not (open_loop or set(chosen) & set(SEVERAL_IN_FLIGHT)):
        raise UsageError(f"--concurrency needs a --scenario with several queries in flight: {_or(SEVERAL_IN_FLIGHT)}")
    if "multi_stream" in chosen and max(batches) == 1:
        raise UsageError("--scenario multi_stream needs --batch N above 1: the samples of each query")


def _check_auto(load: Load, chosen: Sequence[Scenario]) -> None:
    asked = ["--batch"] if AUTO in load.batches else []
    asked += ["--concurrency"] if load.concurrency == AUTO else []
    if len(asked) == 2:
        raise UsageError("--batch auto and --concurrency auto each search alone: give a number for one of them")
    if AUTO in load.batches and len(load.batches) > 1:
        raise UsageError("--batch auto stands alone: it tries 1, 2, 4, … by itself")
    if asked and not set(chosen) & set(SCALING):
        raise UsageError(f"{asked[0]} auto looks for throughput: it needs --scenario {_or(SCALING)}")


def _or(names: Sequence[str]) -> str:
    return " or ".join(names)
