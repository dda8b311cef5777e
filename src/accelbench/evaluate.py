"""The spine: one task meets one target, step by step as production would, and whatever happens becomes a report."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

import numpy as np

from accelbench import __version__, paths
from accelbench.envs.install import environment_facts
from accelbench.envs.spec import BackendSpec
from accelbench.envs.worker import BuildFacts, Job, Worker
from accelbench.errors import Unsupported, WorkerError
from accelbench.model import (
    REPORT_SCHEMA,
    Build,
    DeviceInfo,
    Effort,
    Environment,
    Measurement,
    Plan,
    Purpose,
    Quality,
    Report,
    Status,
    Target,
    TaskFacts,
    Tolerance,
)
from accelbench.quality.assess import assess
from accelbench.quality.coverage import coverage
from accelbench.reference import Reference
from accelbench.report.host import host_facts
from accelbench.report.privacy import here, private_facts, scrub
from accelbench.report.store import RunDirectory
from accelbench.tensors import TensorSet
from accelbench.zoo.materialise import Model
from accelbench.zoo.subject import Subject

CALIBRATION_SAMPLES = 64

ANY_DEVICE = "default"
"""A target's device when none was asked for: the backend's first, whose own name the report has."""


@dataclass(frozen=True)
class Setting:
    """What holds for every evaluation of a run: effort, timed passes, tolerance (None: the task's own), the command as
    typed, the time limit of one step in seconds (None: the backend's own), and who is told what is being done."""

    effort: Effort
    plans: tuple[Plan, ...]
    tolerance: Tolerance | None
    command: tuple[str, ...]
    timeout_s: float | None
    say: Callable[[str], None]


@dataclass
class Facts:
    """What is known so far; a step that fails leaves what came before."""

    target: Target
    status: Status = "ok"
    reasons: list[str] = field(default_factory=list)
    device: DeviceInfo | None = None
    environment: Environment | None = None
    builds: list[Build] = field(default_factory=list)
    quality: Quality | None = None
    measurements: list[Measurement] = field(default_factory=list)


def evaluate(
    subject: Subject, spec: BackendSpec, target: Target, reference: Reference, run: RunDirectory, setting: Setting
) -> Path:
    """Compile, check, measure and report ``subject`` on ``target``; returns the folder of the report.

    A stack that cannot take the model ends as ``unsupported``, a worker that raises, crashes, hangs or grows too large
    as ``failed``, each with its reason; the report holds what was found before. Raises only what is the host's own
    trouble: a full disk, an interruption.
    """
    facts = Facts(target)
    with run.staging() as stage:
        try:
            _steps(subject, spec, reference, setting, stage, facts)
        except Unsupported as finding:
            facts.status, facts.reasons = "unsupported", [str(finding)]
        except WorkerError as error:
            facts.status, facts.reasons = "failed", [f"{error.kind}: {error}"]
        if reference.problem and facts.status == "ok":
            facts.reasons = [reference.problem]
        _keep_texts(spec, stage)
        report = _report(subject, spec, setting, facts)
        return run.put(report, stage, private_facts(setting.command, here(), os.environ))


def _steps(
    subject: Subject,
    spec: BackendSpec,
    reference: Reference,
    setting: Setting,
    stage: Path,
    facts: Facts,
) -> None:
    target = facts.target
    if target.precision not in spec.table.precisions:
        offered = ", ".join(spec.table.precisions)
        raise Unsupported(f"{spec.name} does not offer {target.precision} (it offers {offered})")
    facts.environment = environment_facts(spec)
    task = subject.task
    with paths.scratch() as work, Worker(spec, stage / "logs", timeout_s=setting.timeout_s) as worker:
        facts.device = _device(worker.devices(), target)
        target = facts.target = replace(target, device=facts.device.id)
        outputs = work / "outputs"
        for batch, purpose, plans in _builds(setting.plans, spec):
            model = subject.model(batch)
            job = _job(subject, model, target, batch, purpose, work)
            setting.say(f"compiling for batch {batch}")
            built = worker.compile(job)
            load_s = worker.load(built.compiled, job)
            facts.builds.append(_build(batch, purpose, built, load_s, target, model, subject))
            if not outputs.exists():
                setting.say("accuracy and drift")
                passed = worker.infer(subject.feeds.path, outputs, batch=batch, batched=task.batched)
                facts.quality = _quality(subject, outputs, reference, passed.unready, stage)
            for plan in plans:
                setting.say(f"measuring {plan.scenario}, batch {batch}")
                columns = stage.absolute() / "columns" / str(len(facts.measurements))
                measured = worker.measure(
                    plan,
                    feeds=subject.feeds.path,
                    outputs=outputs,
                    columns=columns,
                    batched=task.batched,
                    concurrency=built.compiled.concurrency,
                )
                facts.measurements.append(replace(measured, columns=f"columns/{columns.name}"))


def _builds(plans: Sequence[Plan], spec: BackendSpec) -> Iterator[tuple[int, Purpose | None, list[Plan]]]:
    """The compiled forms that the plans need: one per batch, and per purpose where the stack tells them apart."""

    def form(plan: Plan) -> tuple[int, Purpose | None]:
        return plan.batch, plan.purpose if spec.table.abilities.purpose else None

    for (batch, purpose), group in groupby(sorted(plans, key=lambda plan: (plan.batch, plan.purpose)), form):
        yield batch, purpose, list(group)


def _device(devices: Sequence[DeviceInfo], target: Target) -> DeviceInfo:
    for device in devices:
        if target.device in (device.id, ANY_DEVICE):
            return device
    known = ", ".join(device.id for device in devices) or "none at all"
    raise Unsupported(f"{target.backend} sees no device {target.device} here (it sees {known})")


def _job(subject: Subject, model: Model, target: Target, batch: int, purpose: Purpose | None, work: Path) -> Job:
    folder = work / f"{batch}-{purpose or 'any'}"
    folder.mkdir()
    return Job(
        model=str(model.path),
        inputs=model.inputs,
        outputs=model.outputs,
        target=target,
        batch=batch,
        batched=subject.task.batched,
        purpose=purpose,
        work=str(folder),
        calibration=str(subject.calibration.path),
        calibration_count=CALIBRATION_SAMPLES,
    )


def _build(
    batch: int,
    purpose: Purpose | None,
    built: BuildFacts,
    load_s: float,
    target: Target,
    model: Model,
    subject: Subject,
) -> Build:
    return Build(
        batch=batch,
        purpose=purpose,
        compile_s=built.seconds,
        load_s=load_s,
        compiled=built.compiled,
        coverage=coverage(built.compiled.placements, target.device, subject.facts.by_node),
        artifacts=tuple(replace(artifact, parent=model.source.sha256) for artifact in built.artifacts),
    )


def _quality(subject: Subject, outputs: Path, reference: Reference, unready: int, stage: Path) -> Quality | None:
    """Scores, drift and the predictions' file; None without a reference to hold the outputs against."""
    if reference.outputs is None:
        return None
    found, predictions = assess(subject.task, TensorSet(outputs), reference.outputs, subject.feeds.labels, unready)
    if not predictions:
        return found
    np.savez_compressed(stage / "predictions.npz", allow_pickle=False, **predictions)
    return replace(found, predictions="predictions.npz")


def _keep_texts(spec: BackendSpec, stage: Path) -> None:
    """The worker's output without names and paths, and the lock that its environment was made from."""
    identity = here()
    for log in sorted((stage / "logs").glob("*.txt")):
        log.write_text(scrub(log.read_text(encoding="utf-8", errors="replace"), identity), encoding="utf-8")
    if spec.lock.is_file():
        shutil.copyfile(spec.lock, stage / "requirements.lock")


def _report(subject: Subject, spec: BackendSpec, setting: Setting, facts: Facts) -> Report:
    identity, task, model = here(), subject.task, subject.model(setting.plans[0].batch)
    return Report(
        schema=REPORT_SCHEMA,
        id="",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        accelbench=__version__,
        command=tuple(scrub(word, identity) for word in setting.command),
        effort=setting.effort,
        status=facts.status,
        reasons=tuple(scrub(reason, identity) for reason in facts.reasons),
        task=TaskFacts(
            id=task.id,
            version=task.version,
            tier=task.tier,
            domain=task.domain,
            hash=subject.task_hash,
            flops=subject.facts.flops,
            feeds_sha256=subject.feeds.sha256,
        ),
        weights=model.weights,
        target=facts.target,
        tolerance=setting.tolerance or task.tolerance,
        untested=spec.table.untested,
        device=facts.device,
        host=host_facts(),
        environment=facts.environment,
        chain=(model.source,),
        builds=tuple(facts.builds),
        quality=facts.quality,
        measurements=tuple(facts.measurements),
        files={},
    )
