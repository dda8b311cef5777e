"""``accelbench run``: evaluate tasks on targets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import get_args

import click

from accelbench.board.page import write_page
from accelbench.board.rows import Row, as_json, rows
from accelbench.board.stages import stages_table
from accelbench.board.table import table
from accelbench.board.table_loadgen import loadgen_table
from accelbench.cli.ab import Duel, check_ab, duel, duel_json, duel_table, write
from accelbench.cli.choice import Choice, choice_options, wanted
from accelbench.cli.compare import margin_option
from accelbench.cli.data import data_options
from accelbench.cli.output import DONE, json_option, print_json, print_table, progress
from accelbench.cli.parsing import COMMAS
from accelbench.cli.plans import Load, load_options, plans, searches
from accelbench.cli.settings import Settings, command, setting_options
from accelbench.cli.sharing import Sharing, alone, shared, sharing_options
from accelbench.cli.subjects import Given, check_batches, made, make, source_options
from accelbench.cli.targets import PRECISION, PRECISIONS, Side, pass_option, sides, targets, tolerance
from accelbench.envs import overlay
from accelbench.errors import UsageError
from accelbench.evaluate import Driver, Setting, evaluate
from accelbench.model import Plan
from accelbench.reference import reference
from accelbench.report.store import RunDirectory, open_report, reports
from accelbench.worker.loadgen import SCENARIOS as LOADGENS
from accelbench.zoo.real import Asked
from accelbench.zoo.subject import Subject


@click.command(no_args_is_help=True)
@click.argument("tasks", nargs=-1, metavar="[TASK|FOLDER|MODEL.onnx]...")
@choice_options
@click.option("-b", "--backend", "names", multiple=True, help="A backend; repeat for more. Default: all installed.")
@click.option("--device", help="A device, as `backend show` lists it. Default: each backend's first.")
@click.option(
    "--precision", "precisions", type=COMMAS, default=(), help=f"{', '.join(PRECISIONS)}. Default: {PRECISION}."
)
@pass_option
@load_options
@sharing_options
@source_options
@data_options
@click.option("--max-drift", type=click.FloatRange(min=0), help="Tolerated relative L2, instead of the task's.")
@click.option("--min-accuracy", type=click.FloatRange(0, 1), help="Tolerated accuracy, instead of the task's.")
@setting_options
@click.option(
    "--driver",
    type=click.Choice(get_args(Driver)),
    default="accelbench",
    show_default=True,
    help="`loadgen`: each pass is followed by a run of the same session under MLPerf's LoadGen.",
)
@click.option("--timeout", type=click.FloatRange(min=1), help="Seconds that a worker's step may take.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A new folder for the run's reports and page.")
@click.option(
    "--ab", nargs=2, metavar="X Y", help="Evaluate these two, BACKEND[:PRECISION], then race them: which is faster?"
)
@margin_option
@json_option
def run(
    tasks: tuple[str, ...],
    choice: Choice,
    names: tuple[str, ...],
    device: str | None,
    precisions: tuple[str, ...],
    passes: tuple[str, ...],
    load: Load,
    sharing: Sharing,
    given: Given,
    data: Asked | None,
    stages: bool,
    max_drift: float | None,
    min_accuracy: float | None,
    settings: Settings,
    driver: Driver,
    timeout: float | None,
    output: Path | None,
    ab: tuple[str, str] | None,
    margin: float,
    json_: bool,
) -> int:
    """Evaluate each task on each backend in each precision: compile, accuracy, drift, latency, throughput, report.

    Exit code 0: all done and within tolerance (unsupported is no failure). 1: something failed or left its
    tolerance; the others still ran and are reported. 2: bad usage. Of a tier, tasks that this machine cannot hold, or
    whose weights are not on it, are left out.
    """
    asked, sought = shared(plans(load), searches(load), sharing)
    if ab:
        check_ab(names, (*precisions, *passes), asked, sought)
        alone(asked, "--ab")
        chosen = sides(ab, device, settings)
    else:
        chosen = targets(names, device, precisions, settings, passes)
    sources = wanted(tasks, choice)
    with progress() as say:
        if driver == "loadgen":
            _prepare_loadgen(asked, chosen, say)
        subjects = made(sources, tasks, partial(make, given=given, data=data, say=say), say)
        check_batches(subjects, asked, sought)
        folder = RunDirectory.create(output)
        told = command(settings, chosen)
        setting = Setting(load.effort, asked, None, told, timeout, say, driver, sought, stages)
        lines: list[Row] = []
        duels: list[Duel] = []
        try:
            for subject in subjects:
                allowed = tolerance(subject.task.tolerance, max_drift, min_accuracy)
                found = _evaluate_all(subject, chosen, folder, replace(setting, tolerance=allowed))
                lines += found
                if ab:
                    duels.append(duel(subject, ab, chosen, found, setting, margin))
                    write(duels, folder.path)
        finally:
            page = _page(folder)
    if json_:
        _print_json(lines, duels, folder.path if ab else None)
    else:
        _print_tables(lines, duels, page)
    bad = any(row.status == "failed" or row.verdict == "out" for row in lines)
    return int(bad or any(each.problem for each in duels))


def _page(folder: RunDirectory) -> Path:
    """The page of all reports that there are, in the order in which they came to be."""
    return write_page(sorted(reports(folder.path), key=lambda entry: entry[0].created), folder.path)


def _print_json(lines: Sequence[Row], duels: Sequence[Duel], raced: Path | None) -> None:
    """The rows; of a run with races (in the folder ``raced``) an object with both."""
    shown = [as_json(row) for row in lines]
    print_json({"rows": shown, "ab": [duel_json(each, raced) for each in duels]} if raced else shown)


def _print_tables(lines: Sequence[Row], duels: Sequence[Duel], page: Path) -> None:
    print_table(table(lines))
    for beside in (loadgen_table(lines), stages_table(lines)):
        if beside is not None:
            print_table(beside)
    for each in duels:
        print_table(duel_table(each))
    click.echo(f"\nPage: {page}")


def _prepare_loadgen(asked: Sequence[Plan], chosen: Sequence[Side], say: Callable[[str], None]) -> None:
    """Have LoadGen at hand for every backend before anything is evaluated."""
    alone(asked, "--driver loadgen")
    if any(plan.trace for plan in asked):
        raise UsageError("LoadGen draws its own arrivals: leave --trace out")
    for plan in asked:
        if plan.scenario not in LOADGENS or plan.burst > 1:
            what = "bursts" if plan.burst > 1 else f"scenario {plan.scenario}"
            raise UsageError(f"LoadGen has no {what}: --driver loadgen takes {', '.join(LOADGENS)}, without --burst")
    for spec in {spec.name: spec for spec, _ in chosen}.values():
        overlay.install(overlay.LOADGEN, spec, say)


def _evaluate_all(subject: Subject, targets: Sequence[Side], folder: RunDirectory, setting: Setting) -> list[Row]:
    lines: list[Row] = []
    setting.say(f"{subject.task.id}: float32 reference")
    standard = reference(subject, setting.timeout_s)
    for spec, target in targets:
        name = " · ".join((subject.task.id, spec.name, target.precision, *target.passes))

        def say(step: str, name: str = name) -> None:
            setting.say(f"{name}: {step}")

        report, where = open_report(evaluate(subject, spec, target, standard, folder, replace(setting, say=say)))
        found = rows(report, where)
        setting.say(f"{DONE}{name}: {found[0].outcome}{_because(found[0])}")
        lines += found
    return lines


def _because(row: Row) -> str:
    return f" ({row.reasons[0]})" if row.reasons else ""
