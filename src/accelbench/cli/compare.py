"""``accelbench compare``: two reports, or two runs, side by side."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from accelbench.cli.output import json_option, listing, print_json, print_table
from accelbench.cli.parsing import RATIO
from accelbench.compare import FIGURES, MARGIN, STATISTICS, Both, FigurePair, PlanPair, ReportPair, Stored, match
from accelbench.compare import compare as compared
from accelbench.measure.compare import Comparison
from accelbench.model import Plan, Report, Target
from accelbench.page import units
from accelbench.report.store import open_report, reports

margin_option = click.option(
    "--margin", type=RATIO, default=f"{MARGIN:.0%}", show_default=True, help="What is still called the same."
)


@click.command()
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@margin_option
@json_option
def compare(a: Path, b: Path, margin: float, json_: bool) -> None:
    """Compare A with B: reports, or folders of runs. Each outcome says what A is beside B: faster, slower, the same
    within the margin, or ambiguous; the ratio is how many times as fast.

    Reports are matched by task (by target too where there are several), passes by plan. Two runs that did not run side
    by side show large differences only: `accelbench run --ab` interleaves them.
    """
    pairs, *left = match(stored(a), stored(b))
    found = [compared(one, other, margin) for one, other in pairs]
    if json_:
        alone = {side: [str(folder) for _, folder in rest] for side, rest in zip("ab", left, strict=True)}
        print_json({"margin": margin, "pairs": [_as_json(pair) for pair in found], "unmatched": alone})
        return
    for pair in found:
        _print(pair)
    for side, rest in zip("AB", left, strict=True):
        for report, folder in rest:
            click.echo(f"Only in {side}: {_name(report)} ({folder})")


def outcome(found: Comparison | None) -> str:
    """``faster ×1.25 (1.20 to 1.31)``; a dash where there was nothing to compare."""
    if found is None:
        return units.ABSENT
    if found.low is None or found.high is None:
        return f"{found.outcome} ×{found.ratio:.3f}"
    return f"{found.outcome} ×{found.ratio:.3f} ({found.low:.3f} to {found.high:.3f})"


def plan_words(plan: Plan) -> str:
    """``server ×1, 20/s``: scenario, batch, and what else tells plans apart."""
    words = [f"{plan.scenario} ×{plan.batch}"]
    if plan.rate is not None:
        words.append(f"{plan.rate:g}/s" + (f" by {plan.burst}" if plan.burst > 1 else ""))
    if plan.concurrency is not None:
        words.append(f"{plan.concurrency} in flight")
    return ", ".join(words)


def target_words(target: Target) -> str:
    """``openvino:bf16``."""
    return f"{target.backend}:{target.precision}"


def stored(path: Path) -> list[Stored]:
    """The reports at ``path``: all of a run or store, or the one that lies there."""
    return list(reports(path)) if (path / "reports").is_dir() else [open_report(path)]


def _print(pair: ReportPair) -> None:
    click.echo(f"{pair.task}: A = {target_words(pair.targets[0])}, B = {target_words(pair.targets[1])}")
    if pair.plans:
        print_table(_speeds(pair.plans))
    changes = [f"{name} {_change(pair.quality[name])}" for name in FIGURES if pair.quality[name] != (None, None)]
    if changes:
        click.echo("; ".join(changes))
    for side, plans in zip("AB", pair.unmatched, strict=True):
        if plans:
            click.echo(f"Only in {side}: {'; '.join(plan_words(plan) for plan in plans)}")
    for line in (*pair.notes, *_doubts(pair.plans)):
        click.echo(f"Note: {line}")
    click.echo()


def _speeds(plans: tuple[PlanPair, ...]) -> Table:
    table = listing("plan", "", "A", "B", "A is")
    for each in plans:
        for index, name in enumerate(STATISTICS):
            figure = each.figures[name]
            label = plan_words(each.plan) if index == 0 else ""
            table.add_row(label, name, _value(name, figure.a), _value(name, figure.b), outcome(figure.comparison))
    return table


def _value(name: str, value: float | None) -> str:
    return units.rate(value) if name == "throughput" else units.seconds(value)


def _change(both: Both) -> str:
    a, b = (units.ABSENT if value is None else f"{value:.4g}" for value in both)
    return f"{a} in both" if both[0] == both[1] else f"{a} in A, {b} in B"


def _doubts(plans: tuple[PlanPair, ...]) -> list[str]:
    return [
        f"{plan_words(each.plan)} of {side} is not valid: {reasons[0]}"
        for each in plans
        for side, reasons in zip("AB", each.invalid, strict=True)
        if reasons
    ]


def _as_json(pair: ReportPair) -> dict[str, Any]:
    return {
        "task": pair.task,
        "a": {"report": str(pair.folders[0]), "target": asdict(pair.targets[0])},
        "b": {"report": str(pair.folders[1]), "target": asdict(pair.targets[1])},
        "plans": [
            {
                "plan": asdict(each.plan),
                **{name: _figure(each.figures[name]) for name in STATISTICS},
                "invalid": dict(zip("ab", each.invalid, strict=True)),
            }
            for each in pair.plans
        ],
        "unmatched_plans": {
            side: [asdict(plan) for plan in plans] for side, plans in zip("ab", pair.unmatched, strict=True)
        },
        "quality": {name: dict(zip("ab", both, strict=True)) for name, both in pair.quality.items()},
        "notes": pair.notes,
    }


def _figure(figure: FigurePair) -> dict[str, Any]:
    return {"a": figure.a, "b": figure.b, "comparison": asdict(figure.comparison) if figure.comparison else None}


def _name(report: Report) -> str:
    return f"{report.task.id} on {target_words(report.target)}"
