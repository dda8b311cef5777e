"""``accelbench run``: evaluate tasks on targets."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

import click

from accelbench.bench import ANY_DEVICE
from accelbench.board.page import write_page
from accelbench.board.rows import Row, as_json, rows
from accelbench.board.table import table
from accelbench.cli.output import DONE, json_option, print_json, print_table, progress
from accelbench.cli.parsing import COMMAS, NAMED_SHAPE, known, options_of
from accelbench.cli.plans import Load, load_options, plans
from accelbench.envs.install import installed
from accelbench.envs.spec import BackendSpec, backends, find
from accelbench.errors import UsageError
from accelbench.evaluate import Setting, evaluate
from accelbench.model import Plan, Target, Tier, Tolerance
from accelbench.reference import BACKEND as REFERENCE
from accelbench.reference import reference
from accelbench.report.store import RunDirectory, open_report, reports
from accelbench.zoo import catalogue
from accelbench.zoo.subject import Subject, from_file, from_task

PRECISIONS = ("fp32", "bf16", "fp16", "int8", "int8-static")
HARNESS = "null"


@click.command(no_args_is_help=True)
@click.argument("tasks", nargs=-1, metavar="[TASK|MODEL.onnx]...")
@click.option(
    "--tier", "tiers", type=COMMAS, default=(), help=f"Every task of these tiers: {', '.join(get_args(Tier))}."
)
@click.option("-b", "--backend", "names", multiple=True, help="A backend; repeat for more. Default: all installed.")
@click.option("--device", help="A device, as `backend show` lists it. Default: each backend's first.")
@click.option("--precision", "precisions", type=COMMAS, default="fp32", show_default=True, help=", ".join(PRECISIONS))
@load_options
@click.option("--weights", help="`shipped`, `hub`, `seeded` or a safetensors file. Default: the task's first at hand.")
@click.option("--seed-weights", is_flag=True, help="Draw the weights of a MODEL.onnx instead of using its own.")
@click.option("--inputs", type=click.Path(path_type=Path), help="Feeds of a MODEL.onnx: an .npz, one array per input.")
@click.option("--shape", "shapes", type=NAMED_SHAPE, multiple=True, help="A dynamic input's shape, NAME:1,3,224,224.")
@click.option("--max-drift", type=click.FloatRange(min=0), help="Tolerated relative L2, instead of the task's.")
@click.option("--min-accuracy", type=click.FloatRange(0, 1), help="Tolerated accuracy, instead of the task's.")
@click.option("--option", "settings", multiple=True, help="BACKEND.NAME=VALUE, as `backend show` lists them.")
@click.option("--timeout", type=click.FloatRange(min=1), help="Seconds that a worker's step may take.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A new folder for the run's reports and page.")
@json_option
def run(
    tasks: tuple[str, ...],
    tiers: tuple[str, ...],
    names: tuple[str, ...],
    device: str | None,
    precisions: tuple[str, ...],
    load: Load,
    weights: str | None,
    seed_weights: bool,
    inputs: Path | None,
    shapes: tuple[tuple[str, tuple[int, ...]], ...],
    max_drift: float | None,
    min_accuracy: float | None,
    settings: tuple[str, ...],
    timeout: float | None,
    output: Path | None,
    json_: bool,
) -> int:
    """Evaluate each task on each backend in each precision: compile, accuracy, drift, latency, throughput, report.

    Exit code 0: all done and within tolerance (unsupported is no failure). 1: something failed or left its
    tolerance; the others still ran and are reported. 2: bad usage.
    """
    specs = _specs(names)
    targets = list(_targets(specs, device, known(precisions, PRECISIONS, "precision"), options_of(settings)))
    asked = plans(load)
    wanted = _wanted(tasks, tiers)
    with progress() as say:
        subjects = []
        for name in wanted:
            say(f"{name}: model and feeds")
            subjects.append(
                from_file(Path(name), dict(shapes), inputs, seed_weights)
                if _is_file(name)
                else from_task(catalogue.find(name), weights)
            )
        for subject in subjects:
            _check_batches(subject, asked)
        folder = RunDirectory.create(output)
        setting = Setting(load.effort, asked, None, ("accelbench", *sys.argv[1:]), timeout, say)
        lines: list[Row] = []
        for subject in subjects:
            tolerance = _tolerance(subject, max_drift, min_accuracy)
            lines += _evaluate_all(subject, targets, folder, replace(setting, tolerance=tolerance))
        page = write_page(list(reports(folder.path)), folder.path)
    if json_:
        print_json([as_json(row) for row in lines])
    else:
        print_table(table(lines))
        click.echo(f"\nPage: {page}")
    return int(any(row.status == "failed" or row.verdict == "out" for row in lines))


def _specs(names: Sequence[str]) -> list[BackendSpec]:
    """The backends asked for, or all that are installed; each can be started, and so can the reference's."""
    specs = [find(name) for name in dict.fromkeys(names)]
    if not specs:
        specs = [spec for spec in backends().values() if installed(spec) and spec.name != HARNESS]
    for spec in (*specs, find(REFERENCE)):
        if not installed(spec):
            needed = " (it gives the float32 reference)" if spec.name == REFERENCE else ""
            raise UsageError(
                f"backend {spec.name} is not installed{needed}: run 'accelbench backend install {spec.name}'"
            )
    return specs


def _targets(
    specs: Sequence[BackendSpec], device: str | None, precisions: Sequence[str], given: dict[str, dict[str, str]]
) -> Iterator[tuple[BackendSpec, Target]]:
    for name in given:
        if name not in [spec.name for spec in specs]:
            raise UsageError(f"--option is for backend {name!r}, which is not part of this run")
    for spec in specs:
        options = spec.options(given.get(spec.name, {}))
        for precision in precisions:
            yield spec, Target(spec.name, device or ANY_DEVICE, precision, options)


def _wanted(tasks: Sequence[str], tiers: Sequence[str]) -> list[str]:
    of_tiers = set(known(tiers, get_args(Tier), "tier"))
    wanted = [*tasks, *(task.id for task in catalogue.tasks().values() if task.tier in of_tiers)]
    if not wanted:
        raise UsageError("nothing to evaluate: name a task (accelbench zoo list), a MODEL.onnx, or a --tier")
    return list(dict.fromkeys(wanted))


def _is_file(name: str) -> bool:
    return name.endswith(".onnx") or "/" in name


def _check_batches(subject: Subject, plans: Sequence[Plan]) -> None:
    if not subject.task.batched and any(plan.batch > 1 for plan in plans):
        raise UsageError(f"{subject.task.id} has no batch dimension, so --batch can only be 1 for it")


def _tolerance(subject: Subject, max_drift: float | None, min_accuracy: float | None) -> Tolerance:
    own = subject.task.tolerance
    return replace(
        own,
        max_relative_l2=own.max_relative_l2 if max_drift is None else max_drift,
        min_accuracy=own.min_accuracy if min_accuracy is None else min_accuracy,
    )


def _evaluate_all(
    subject: Subject, targets: Sequence[tuple[BackendSpec, Target]], folder: RunDirectory, setting: Setting
) -> list[Row]:
    lines: list[Row] = []
    setting.say(f"{subject.task.id}: float32 reference")
    standard = reference(subject, setting.timeout_s)
    for spec, target in targets:
        name = f"{subject.task.id} · {spec.name} · {target.precision}"

        def say(step: str, name: str = name) -> None:
            setting.say(f"{name}: {step}")

        report, where = open_report(evaluate(subject, spec, target, standard, folder, replace(setting, say=say)))
        found = rows(report, where)
        setting.say(f"{DONE}{name}: {found[0].outcome}{_because(found[0])}")
        lines += found
    return lines


def _because(row: Row) -> str:
    return f" ({row.reasons[0]})" if row.reasons else ""
