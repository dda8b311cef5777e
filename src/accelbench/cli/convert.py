"""``accelbench convert``: what was evaluated, as a folder to deploy."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import click

from accelbench.cli.choice import Choice, wanted
from accelbench.cli.data import data_options
from accelbench.cli.limits import Limits, limit_options
from accelbench.cli.output import json_option, print_facts, print_json, progress
from accelbench.cli.parsing import NEW_PATH, Finite
from accelbench.cli.settings import Settings, command, setting_options
from accelbench.cli.subjects import Given, check_batches, make, source_options
from accelbench.cli.targets import PRECISION, PRECISIONS, pass_option, targets
from accelbench.cli.tuning import tune_option, tuned
from accelbench.deploy.convert import Converted
from accelbench.deploy.convert import convert as write
from accelbench.errors import UsageError
from accelbench.evaluate import Setting
from accelbench.model import Plan, Purpose, Stop
from accelbench.quality.drift import worst
from accelbench.reference import reference
from accelbench.zoo.real import Asked

PLANS = {"latency": Plan("single_stream", Stop(max_s=1.0)), "throughput": Plan("offline", Stop(max_s=1.0))}


@click.command(no_args_is_help=True)
@click.argument("source", metavar="TASK|FOLDER|MODEL.onnx")
@click.option("-b", "--backend", "name", required=True, help="The backend whose stack compiles it.")
@click.option("--device", help="A device, as `backend show` lists it. Default: the backend's first.")
@click.option("--precision", type=click.Choice(PRECISIONS), default=PRECISION, show_default=True)
@pass_option
@tune_option
@click.option("--batch", type=click.IntRange(min=1), default=1, show_default=True, help="Samples of one call.")
@click.option(
    "--for",
    "purpose",
    type=click.Choice(get_args(Purpose)),
    default="latency",
    show_default=True,
    help="What a stack compiles for that tells the two apart.",
)
@setting_options
@source_options
@data_options
@limit_options
@click.option("--force", is_flag=True, help="Write it although it is out of its tolerance; the manifest says so.")
@click.option("--timeout", type=Finite(min=1), help="Seconds that a worker's step may take.")
@click.option("-o", "--output", type=NEW_PATH, required=True, help="The new folder for the deployable.")
@json_option
def convert(
    source: str,
    name: str,
    device: str | None,
    precision: str,
    passes: tuple[str, ...],
    tune: float | None,
    batch: int,
    purpose: Purpose,
    settings: Settings,
    given: Given,
    data: Asked | None,
    stages: bool,
    limits: Limits,
    force: bool,
    timeout: float | None,
    output: Path,
    json_: bool,
) -> int:
    """Compile a model for a backend, check accuracy and drift, and write what production loads: the compiled artifact,
    its manifest, the adapter with its lock, the report, and a loader.

    `accelbench.load(DIR)` runs it in Python. Nothing is written when it is out of its tolerance, unless you --force it.
    Exit code 0: written. 1: out of tolerance, unsupported or failed. 2: bad usage.
    """
    if len(passes) > 1:
        raise UsageError("a deployable is one model: chain passes with +, as in prune:0.5+int8")
    ((spec, target),) = tuned(targets((name,), device, (precision,), settings, passes), tune)
    (word,) = wanted((source,), Choice((), (), None))
    plan = Plan(PLANS[purpose].scenario, PLANS[purpose].stop, batch=batch)
    with progress() as say:
        subject = make(word, given=given, data=data, say=say)
        check_batches([subject], [plan], [])
        say(f"{subject.task.id}: float32 reference")
        standard = reference(subject, timeout)
        allowed = limits.over(subject.task.tolerance)
        told = command(settings, [(spec, target)])
        setting = Setting("standard", (), allowed, told, timeout, say, stages=stages)
        done = write(subject, spec, target, standard, plan, setting, output, force)
    facts = _facts(done, output)
    if json_:
        print_json(facts)
    else:
        print_facts(facts)
    return 0


def _facts(done: Converted, output: Path) -> dict[str, object]:
    manifest, quality = done.manifest, done.report.quality
    drift = worst(quality) if quality else None
    return {
        "deployable": str(output),
        "model": manifest.name,
        "backend": f"{manifest.target.backend} on {manifest.target.device}",
        "precision": f"{manifest.target.precision}, executed {manifest.compiled.executed_precision}",
        "passes": list(manifest.target.passes),
        "options": dict(manifest.target.options),
        "batch": manifest.batch,
        "verdict": manifest.verdict + (", forced" if manifest.forced else ""),
        "reasons": list(manifest.reasons),
        "relative_l2": drift.relative_l2 if drift else None,
        "accuracy": quality.accuracy.value if quality and quality.accuracy else None,
        "files": {item.name: item.sha256 for item in manifest.chain if item.name in manifest.compiled.files},
        "report": manifest.report,
    }
