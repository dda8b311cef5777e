"""``accelbench profile``: time per operator, as the stack tells it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Literal

import click
from rich.table import Table

from accelbench.cli.choice import Choice, wanted
from accelbench.cli.data import data_options
from accelbench.cli.output import json_option, listing, print_facts, print_json, print_table, progress
from accelbench.cli.parsing import Finite
from accelbench.cli.settings import Settings, setting_options
from accelbench.cli.subjects import Given, check_batches, make, source_options
from accelbench.cli.targets import PRECISION, PRECISIONS, pass_option, targets
from accelbench.errors import UsageError
from accelbench.model import Plan, Stop
from accelbench.page import units
from accelbench.profiling import Profile
from accelbench.profiling import profile as profiled
from accelbench.quality.operators import OperatorTime, operators
from accelbench.zoo.real import Asked
from accelbench.zoo.subject import Subject

CLOCK = "times of operators are the stack's own account, by its clock; p50 is the harness's"


@click.command(no_args_is_help=True)
@click.argument("source", metavar="TASK|FOLDER|MODEL.onnx")
@click.option("-b", "--backend", "name", required=True, help="The backend whose stack runs it.")
@click.option("--device", help="A device, as `backend show` lists it. Default: the backend's first.")
@click.option("--precision", type=click.Choice(PRECISIONS), default=PRECISION, show_default=True)
@pass_option
@click.option("--batch", type=click.IntRange(min=1), default=1, show_default=True, help="Samples of one run.")
@click.option("--runs", type=click.IntRange(min=1), default=30, show_default=True, help="Runs that count.")
@click.option("--by", type=click.Choice(("op", "kernel")), default="op", show_default=True, help="What a line is.")
@click.option("--top", type=click.IntRange(min=1), help="So many lines at most, the longest times first.")
@setting_options
@source_options
@data_options
@click.option("--timeout", type=Finite(min=1), help="Seconds that a worker's step may take.")
@json_option
def profile(
    source: str,
    name: str,
    device: str | None,
    precision: str,
    passes: tuple[str, ...],
    batch: int,
    runs: int,
    by: Literal["op", "kernel"],
    top: int | None,
    settings: Settings,
    given: Given,
    data: Asked | None,
    stages: bool,  # noqa: ARG001 - belongs to the options of real data
    timeout: float | None,
    json_: bool,
) -> int:
    """Show where a model's time goes: time per operator as the stack's own profiler tells it, beside placement,
    coverage and the harness's latency without profiling.

    Exit code 0: shown. 1: the backend does not tell, cannot take the model, or failed. 2: bad usage.
    """
    if len(passes) > 1:
        raise UsageError("a profile is of one model: chain passes with +, as in prune:0.5+int8")
    ((spec, target),) = targets((name,), device, (precision,), settings, passes)
    (word,) = wanted((source,), Choice((), (), None))
    with progress() as say:
        subject = make(word, given=given, data=data, say=say)
        check_batches([subject], [Plan("single_stream", Stop(max_s=1.0), batch=batch)], [])
        done = profiled(subject, spec, target, batch=batch, runs=runs, timeout_s=timeout, say=say)
    facts = subject.facts
    lines = operators(done.times, facts.by_node, facts.unknown, batch, single=by == "kernel")
    if json_:
        print_json({**_facts(subject, done), "by": by, "operators": [_line(line) for line in lines[:top]]})
    else:
        print_table(_table(lines, top, by))
        print_facts({key: _shown(key, value) for key, value in _facts(subject, done).items()})
    return 0


def _facts(subject: Subject, done: Profile) -> dict[str, object]:
    coverage, target = done.build.coverage, done.target
    return {
        "model": subject.task.id,
        "backend": f"{target.backend} on {target.device}",
        "precision": f"{target.precision}, executed {done.build.compiled.executed_precision}",
        "passes": list(target.passes),
        "batch": done.build.batch,
        "runs": done.runs,
        "kernels_s": sum(each.ns for each in done.times) * 1e-9,
        "p50_s": done.plain_s,
        "profiled_p50_s": done.profiled_s,
        "covered_nodes": coverage.nodes,
        "covered_flops": coverage.flops,
        "fallbacks": list(coverage.fallbacks),
        "clock": CLOCK,
    }


def _line(line: OperatorTime) -> dict[str, object]:
    return {**asdict(line), "gflops": line.gflops}


def _shown(key: str, value: object) -> object:
    if isinstance(value, float):
        return units.seconds(value) if key.endswith("_s") else units.percent(value)
    return value


def _table(lines: Sequence[OperatorTime], top: int | None, by: Literal["op", "kernel"]) -> Table:
    table = listing(by, "kernels", "calls", "time", "share", "FLOPs", "GFLOP/s", "device", "precision")
    for line in lines[:top]:
        table.add_row(
            line.op if line.name is None else f"{line.op} {line.name}",
            str(line.kernels),
            f"{line.calls:g}",
            units.seconds(line.ns * 1e-9),
            units.percent(line.share),
            units.percent(line.flops_share),
            units.ABSENT if line.gflops is None else f"{line.gflops:.3g}",
            line.device,
            line.precision,
        )
    left = lines[top:] if top else ()
    if left:
        table.add_row(f"{len(left)} more", "", "", units.seconds(sum(line.ns for line in left) * 1e-9))
    return table
