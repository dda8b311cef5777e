"""From a subject and a target to a deployable: what production runs is the very artifact that was evaluated."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from accelbench import __version__, paths
from accelbench.deploy import manifest as stored
from accelbench.deploy.manifest import BACKEND, MODEL, SAMPLE_INPUTS, SAMPLE_OUTPUTS, Manifest
from accelbench.envs.spec import BackendSpec
from accelbench.errors import AccelbenchError, Unsupported
from accelbench.evaluate import Keep, Setting, evaluate
from accelbench.model import Plan, Report, Target
from accelbench.quality.verdict import Judgement, judge
from accelbench.reference import Reference
from accelbench.report.store import RunDirectory, open_report
from accelbench.zoo.subject import Subject

DIRECT = re.compile(r"^([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\]\s*)?(?:==.*)?$")
ANY_VERSION = ("numpy",)
"""Packages that any process of Python has its own version of, which a compiled model does not depend on."""

LOADER = '''\
"""Runs the sample of the deployable that this file lies in; copy what you need."""

from pathlib import Path

import accelbench

with accelbench.load(Path(__file__).parent) as model:
    for name, value in model(model.sample).items():
        print(name, value.dtype, value.shape)
    print(f"distance from the evaluated outputs: {model.check():.2g} (relative L2)")
'''


class Refused(AccelbenchError):
    """The model left its tolerance: nothing was written."""


@dataclass(frozen=True)
class Converted:
    """A deployable that was written, and the report of its evaluation."""

    manifest: Manifest
    report: Report


def convert(
    subject: Subject,
    spec: BackendSpec,
    target: Target,
    reference: Reference,
    plan: Plan,
    setting: Setting,
    folder: Path,
    force: bool,
) -> Converted:
    """Compile ``subject`` for the batch and the purpose of ``plan``, evaluate accuracy and drift, and write the
    deployable to the new folder ``folder``, whole or not at all.

    Raises Refused where it is out of its tolerance, unless ``force``, which the manifest then says; Unsupported where
    the stack cannot take it, and AccelbenchError with the report's reason where the evaluation failed.
    """
    with paths.building(folder) as made, paths.scratch() as work:
        keep = Keep(plan, made / MODEL, (made / SAMPLE_INPUTS, made / SAMPLE_OUTPUTS))
        run = RunDirectory.create(work / "run")
        evaluated = evaluate(subject, spec, target, reference, run, replace(setting, plans=(), searches=(), keep=keep))
        report, _ = open_report(evaluated)
        judgement = judge(report)
        _accept(report, judgement, force)
        shutil.copytree(evaluated, made / "report", ignore=shutil.ignore_patterns("private.json"))
        shutil.copytree(spec.folder, made / BACKEND, ignore=shutil.ignore_patterns("__pycache__", ".git"))
        (made / "load.py").write_text(LOADER, encoding="utf-8")
        manifest = _manifest(subject, spec, report, judgement, forced=force and judgement.verdict == "out")
        stored.write(manifest, made)
    return Converted(manifest, report)


def _accept(report: Report, judgement: Judgement, force: bool) -> None:
    """Raise unless the report's artifact may be written."""
    if report.status != "ok":
        text = f"{report.task.id} on {report.target.backend} {report.target.precision}: {'; '.join(report.reasons)}"
        raise Unsupported(text) if report.status == "unsupported" else AccelbenchError(text)
    if judgement.verdict == "out" and not force:
        raise Refused(
            f"nothing was written: {report.task.id} on {report.target.backend} {report.target.precision} is out of its "
            f"tolerance ({'; '.join(judgement.reasons)}); allow more with --max-drift or --min-accuracy, or --force it"
        )


def _manifest(subject: Subject, spec: BackendSpec, report: Report, judgement: Judgement, forced: bool) -> Manifest:
    (build,) = report.builds
    model = subject.model(build.batch)
    return Manifest(
        schema=stored.SCHEMA,
        name=subject.task.id,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        accelbench=__version__,
        target=replace(
            report.target, options={**report.target.options, **(build.tuning.chosen if build.tuning else {})}
        ),
        inputs=model.inputs,
        outputs=model.outputs,
        batch=build.batch,
        batched=subject.task.batched,
        purpose=build.purpose,
        compiled=build.compiled,
        chain=(*report.chain, *build.artifacts),
        report=report.id,
        outputs_sha256=report.quality.outputs_sha256 if report.quality else None,
        tolerance=report.tolerance,
        verdict=judgement.verdict,
        reasons=judgement.reasons,
        forced=forced,
        requires=_requires(spec, report),
        threads=spec.table.abilities.threads,
        adapter_sha256=spec.adapter_sha256,
    )


def _requires(spec: BackendSpec, report: Report) -> dict[str, str]:
    """The packages that the backend names itself, in the versions that ran."""
    wanted = spec.folder / "requirements.in"
    packages = (
        {_same(name): (name, version) for name, version in report.environment.packages.items()}
        if report.environment
        else {}
    )
    if not wanted.is_file():
        return {}
    names = [
        found[1] for line in wanted.read_text(encoding="utf-8").splitlines() if (found := DIRECT.match(line.strip()))
    ]
    there = [packages[_same(name)] for name in names if _same(name) in packages]
    return {name: version for name, version in there if _same(name) not in ANY_VERSION}


def _same(name: str) -> str:
    """A package's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()
