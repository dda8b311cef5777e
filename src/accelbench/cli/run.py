"""``accelbench run``: evaluate tasks on targets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import get_args

import click

from accelbench.cli.ab import Rivals, check_ab, duel_json, duel_table, rival_options
from accelbench.cli.choice import Choice, choice_options, wanted
from accelbench.cli.data import data_options
from accelbench.cli.evaluations import Evaluated, evaluated
from accelbench.cli.limits import Limits, limit_options
from accelbench.cli.output import json_option, print_json, print_table, progress
from accelbench.cli.parsing import COMMAS, Finite
from accelbench.cli.plans import Load, load_options, plans, searches
from accelbench.cli.settings import Settings, command, setting_options
from accelbench.cli.sharing import Sharing, alone, shared, sharing_options
from accelbench.cli.subjects import Given, check_batches, made, make, source_options
from accelbench.cli.targets import PRECISION, PRECISIONS, Side, pass_option, sides, targets
from accelbench.cli.tuning import tune_option, tuned, tuning_table
from accelbench.envs import overlay
from accelbench.errors import UsageError
from accelbench.evaluate import Driver, Setting
from accelbench.model import Plan, Report
from accelbench.page.rows import as_json
from accelbench.page.stages import stages_table
from accelbench.page.table import table
from accelbench.page.table_loadgen import loadgen_table
from accelbench.report.store import OUTPUTS, RunDirectory, open_report
from accelbench.worker.loadgen import SCENARIOS as LOADGENS
from accelbench.zoo.real import Asked


@click.command(no_args_is_help=True)
@click.argument("tasks", nargs=-1, metavar="[TASK|FOLDER|MODEL.onnx]...")
@choice_options
@click.option("-b", "--backend", "names", multiple=True, help="A backend; repeat for more. Default: all installed.")
@click.option("--device", help="A device, as `backend show` lists it. Default: each backend's first.")
@click.option(
    "--precision", "precisions", type=COMMAS, default=(), help=f"{', '.join(PRECISIONS)}. Default: {PRECISION}."
)
@pass_option
@tune_option
@load_options
@sharing_options
@source_options
@data_options
@limit_options
@setting_options
@click.option(
    "--driver",
    type=click.Choice(get_args(Driver)),
    default="accelbench",
    show_default=True,
    help="`loadgen`: each pass is followed by a run of the same session under MLPerf's LoadGen.",
)
@click.option(
    "--compliance",
    is_flag=True,
    help="Each pass is followed by one with a drawn seed, on samples of that seed. Always so with --submission.",
)
@click.option("--keep-outputs", is_flag=True, help="Keep the accuracy pass's outputs in the run's folder `outputs`.")
@click.option("--timeout", type=Finite(min=1), help="Seconds that a worker's step may take.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A new folder for the run's reports and page.")
@rival_options
@json_option
def run(
    tasks: tuple[str, ...],
    choice: Choice,
    names: tuple[str, ...],
    device: str | None,
    precisions: tuple[str, ...],
    passes: tuple[str, ...],
    tune: float | None,
    load: Load,
    sharing: Sharing,
    given: Given,
    data: Asked | None,
    stages: bool,
    limits: Limits,
    settings: Settings,
    driver: Driver,
    compliance: bool,
    keep_outputs: bool,
    timeout: float | None,
    output: Path | None,
    rivals: Rivals,
    json_: bool,
) -> int:
    """Evaluate each task on each backend in each precision: compile, accuracy, drift, latency, throughput, report.

    Exit code 0: all done and within tolerance (unsupported is no failure). 1: something failed or left its
    tolerance; the others still ran and are reported. 2: bad usage. Of a tier, tasks that this machine cannot hold, or
    whose weights are not on it, are left out.
    """
    asked, sought = shared(plans(load), searches(load), sharing)
    if rivals.ab:
        check_ab(names, (*precisions, *passes), asked, sought)
        if tune is not None:
            raise UsageError("--ab races two targets as they are: leave --tune out, and give what it chose as --option")
        alone(asked, "--ab")
        chosen = sides(rivals.ab, device, settings)
    else:
        chosen = tuned(targets(names, device, precisions, settings, passes), tune)
    sources = wanted(tasks, choice)
    with progress() as say:
        if driver == "loadgen":
            _prepare_loadgen(asked, chosen, say)
        subjects = made(sources, tasks, partial(make, given=given, data=data, say=say), say)
        check_batches(subjects, asked, sought)
        folder = RunDirectory.create(output)
        told = command(settings, chosen)
        again = compliance or load.effort == "submission"
        kept = folder.path / OUTPUTS if keep_outputs else None
        setting = Setting(
            load.effort, asked, None, told, timeout, say, driver, sought, stages, compliance=again, outputs=kept
        )
        done = evaluated(subjects, chosen, folder, setting, limits, rivals)
    if json_:
        _print_json(done, folder.path if rivals.ab else None)
    else:
        _print_tables(done)
    return int(done.flawed)


def _print_json(done: Evaluated, raced: Path | None) -> None:
    """The rows; of a run with races (in the folder ``raced``) an object with both."""
    shown = [as_json(row) for row in done.rows]
    print_json({"rows": shown, "ab": [duel_json(each, raced) for each in done.duels]} if raced else shown)


def _print_tables(done: Evaluated) -> None:
    print_table(table(done.rows))
    for beside in (loadgen_table(done.rows), stages_table(done.rows), tuning_table(_reports(done))):
        if beside is not None:
            print_table(beside)
    for each in done.duels:
        print_table(duel_table(each))
    click.echo(f"\nPage: {done.page}")


def _reports(done: Evaluated) -> list[Report]:
    return [open_report(path)[0] for path in dict.fromkeys(row.report for row in done.rows)]


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
