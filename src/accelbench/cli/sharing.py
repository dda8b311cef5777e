"""Options that put several instances, or batches of the harness's, between the queries of a plan and its session."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import click

from accelbench.cli.groups import grouped
from accelbench.cli.parsing import UNITS
from accelbench.cli.plans import SEVERAL_IN_FLIGHT
from accelbench.errors import UsageError
from accelbench.model import Plan, Scenario
from accelbench.search import Search

SEVERAL_CLIENTS: tuple[Scenario, ...] = ("server", "closed_loop")


@dataclass(frozen=True)
class Sharing:
    """What the options ask of the plans. None: not asked for."""

    instances: int | None
    max_batch: int | None
    max_delay: float | None


class _Duration(click.ParamType[float]):
    """``2ms`` as 0.002."""

    name = "2ms"

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        found = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+)\s*([a-zµμ]+)", str(value).strip())
        if found is None or found[2] not in UNITS or not math.isfinite(float(found[1])):
            self.fail(f"{value!r} is not a duration like 2ms (us, ms, s)", param, ctx)
        return float(found[1]) * UNITS[found[2]]


_OPTIONS = (
    click.option(
        "--instances",
        type=click.IntRange(min=1),
        help=f"Instances of the session, each on its share of the cores, in {', '.join(SEVERAL_IN_FLIGHT)}.",
    ),
    click.option(
        "--max-batch",
        type=click.IntRange(min=1),
        help=f"Make batches of up to so many samples of the queries that wait, in {', '.join(SEVERAL_CLIENTS)}.",
    ),
    click.option("--max-delay", type=_Duration(), help="How long a query may wait for others of its batch."),
)


sharing_options = grouped("sharing", Sharing, _OPTIONS)
"""Gives a command these options, as ``sharing``."""


def shared(
    asked: Sequence[Plan], sought: Sequence[Search], sharing: Sharing
) -> tuple[tuple[Plan, ...], tuple[Search, ...]]:
    """The plans and the searches with what the options ask, each where it means something. Raises UsageError where it
    means something nowhere, or does not go together."""
    everything = [*asked, *(each.plan for each in sought)]
    searched = {each.over for each in sought}
    if sharing.instances is not None:
        _present(everything, SEVERAL_IN_FLIGHT, "--instances")
    if sharing.max_delay is not None and sharing.max_batch is None:
        raise UsageError("--max-delay is about the batches of --max-batch, which is not given")
    if sharing.max_batch is not None:
        _present(everything, SEVERAL_CLIENTS, "--max-batch")
        if "batch" in searched:
            raise UsageError("--batch auto and --max-batch both choose the batch: leave one out")
    return (
        tuple(_with(plan, sharing) for plan in asked),
        tuple(replace(each, plan=_with(each.plan, sharing)) for each in sought),
    )


def alone(plans: Sequence[Plan], option: str) -> None:
    """Raise UsageError for plans that another driver than our own loops cannot carry out."""
    if any(plan.instances > 1 or plan.max_batch for plan in plans):
        raise UsageError(f"{option} drives one session as it is: leave --instances and --max-batch out")


def _present(plans: Sequence[Plan], scenarios: Sequence[Scenario], option: str) -> None:
    if not any(plan.scenario in scenarios for plan in plans):
        raise UsageError(f"{option} needs several queries in flight: --scenario {' or '.join(scenarios)}")


def _with(plan: Plan, sharing: Sharing) -> Plan:
    instances = sharing.instances or 1 if plan.scenario in SEVERAL_IN_FLIGHT else 1
    if plan.concurrency is not None and plan.concurrency < instances:
        raise UsageError(f"--concurrency {plan.concurrency} leaves some of {instances} instances without queries")
    if sharing.max_batch is None or plan.scenario not in SEVERAL_CLIENTS:
        return replace(plan, instances=instances)
    if sharing.max_batch % plan.batch:
        raise UsageError(f"--max-batch {sharing.max_batch} is no multiple of --batch {plan.batch}")
    return replace(plan, instances=instances, max_batch=sharing.max_batch, max_delay_s=sharing.max_delay)
