"""The spine: one task meets one target, step by step as production would, and whatever happens becomes a report."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from accelbench import __version__, paths
from accelbench.bench import Bench, device_of
from accelbench.envs import overlay, traces
from accelbench.envs.install import environment_facts
from accelbench.envs.loadgen import under_loadgen
from accelbench.envs.spec import BackendSpec
from accelbench.envs.worker import Worker
from accelbench.errors import Unsupported, WorkerError
from accelbench.model import (
    REPORT_SCHEMA,
    Compliance,
    DeviceInfo,
    Effort,
    Environment,
    LoadGen,
    Measurement,
    Plan,
    Quality,
    Report,
    Stage,
    Status,
    Target,
    TaskFacts,
    Tolerance,
)
from accelbench.quality.assess import assess
from accelbench.reference import Reference
from accelbench.report.harness import harness_of
from accelbench.report.host import host_facts
from accelbench.report.privacy import here, private_facts, scrub
from accelbench.report.scrubbing import nobodys
from accelbench.report.store import RunDirectory, outputs_in
from accelbench.search import Search, search
from accelbench.tensors import TensorSet, TensorWriter
from accelbench.worker.infer import batches
from accelbench.zoo.subject import Subject

SEEDS = 2**31
"""How many seeds a compliance pass draws from."""

Driver = Literal["accelbench", "loadgen"]

ADAPTER = "adapter"
"""The folder in a report with the source of the backend that made it."""


@dataclass(frozen=True)
class Keep:
    """The compiled form that ``plan`` needs is evaluated and kept: its files in ``model``, and in ``sample`` its first
    feed and what that gave, each in a folder that is not there yet."""

    plan: Plan
    model: Path
    sample: tuple[Path, Path]


@dataclass(frozen=True)
class Setting:
    """What holds for every evaluation of a run: effort, timed passes, tolerance (None: the task's own), the command as
    typed, the time limit of one step in seconds (None: the backend's own), who is told what is being done, and the
    driver: with ``loadgen`` every pass is followed by a run under LoadGen. After the ``plans`` come the
    ``searches``; both may be empty where there is something to ``keep``. With ``stages`` the host's steps on real data
    are timed too; with ``compliance`` each of the plans once more, with a seed that is drawn here. ``outputs`` is the
    folder that keeps the accuracy pass's outputs; None: they are not kept."""

    effort: Effort
    plans: tuple[Plan, ...]
    tolerance: Tolerance | None
    command: tuple[str, ...]
    timeout_s: float | None
    say: Callable[[str], None]
    driver: Driver = "accelbench"
    searches: tuple[Search, ...] = ()
    stages: bool = False
    keep: Keep | None = None
    compliance: bool = False
    outputs: Path | None = None


@dataclass
class Facts:
    """What is known so far; a step that fails leaves what came before."""

    target: Target
    status: Status = "ok"
    reasons: list[str] = field(default_factory=list)
    device: DeviceInfo | None = None
    environment: Environment | None = None
    bench: Bench | None = None
    quality: Quality | None = None
    measurements: list[Measurement] = field(default_factory=list)
    loadgen: list[LoadGen] = field(default_factory=list)
    stages: tuple[Stage, ...] = ()
    compliance: list[Compliance] = field(default_factory=list)


def evaluate(
    subject: Subject, spec: BackendSpec, target: Target, reference: Reference, run: RunDirectory, setting: Setting
) -> Path:
    """Compile, check, measure and report ``subject`` on ``target``; returns the folder of the report.

    A stack that cannot take the model ends as ``unsupported``, a worker that raises, crashes, hangs or grows too large
    as ``failed``, each with its reason; the report holds what was found before. Raises only what is the host's own
    trouble: a full disk, an interruption.
    """
    facts = Facts(target)
    with paths.disk_errors(run.path), run.staging() as stage:
        try:
            _steps(subject, spec, reference, setting, stage, facts)
        except Unsupported as finding:
            facts.status, facts.reasons = "unsupported", [str(finding)]
        except WorkerError as error:
            facts.status, facts.reasons = "failed", [f"{error.kind}: {error}"]
        if reference.problem and facts.status == "ok":
            facts.reasons.append(reference.problem)
        _keep_texts(spec, stage, facts)
        report = nobodys(_report(subject, spec, setting, facts), here())
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
    with paths.scratch() as work, Worker(spec, stage / "logs", timeout_s=setting.timeout_s) as worker:
        facts.device = device_of(worker.devices(), target)
        facts.target = replace(target, device=facts.device.id)
        bench = Bench(worker, subject, facts.target, work, setting.say)
        facts.bench = bench
        plans = sorted(setting.plans, key=lambda plan: (plan.compiled_batch, plan.purpose))
        kept = [setting.keep.plan] if setting.keep else []
        passed = bench.check((*kept, *plans, *(wanted.plan for wanted in setting.searches))[0])
        facts.quality = _quality(subject, bench.outputs, reference, passed.unready, stage)
        if setting.outputs is not None and facts.quality is not None:
            _keep_outputs(bench.outputs, facts.quality, setting.outputs)
        if setting.keep:
            _keep(setting.keep, bench, subject)
        if setting.stages and subject.real:
            setting.say("stages of the host")
            facts.stages = (*subject.real.stages, subject.real.postprocess(TensorSet(bench.outputs)))
        time = partial(_time, bench, setting, stage, facts)
        for plan in plans:
            time(plan)
            if setting.compliance:
                _comply(bench, subject, setting, stage, work, facts)
        for wanted in setting.searches:
            facts.reasons += search(wanted, time, setting.say)
        if setting.driver == "loadgen":
            for plan in plans:
                setting.say(f"{plan.scenario}, batch {plan.batch}, under LoadGen")
                facts.loadgen.append(_under_loadgen(bench, plan, spec, subject, setting, work, stage))


def _keep_outputs(outputs: Path, quality: Quality, room: Path) -> None:
    """Copy the accuracy pass's outputs to a folder in ``room`` that is named by the hash which the report has of
    them."""
    target = outputs_in(room, quality)
    if target is not None and not target.exists():
        with paths.building(target) as folder:
            shutil.copytree(outputs, folder, dirs_exist_ok=True)


def _keep(keep: Keep, bench: Bench, subject: Subject) -> None:
    bench.keep(keep.plan, keep.model)
    for source, folder in zip((subject.feeds.path, bench.outputs), keep.sample, strict=True):
        with TensorWriter(folder) as writer:
            writer.append(batches(TensorSet(source), keep.plan.compiled_batch, subject.task.batched)[0])


def _time(bench: Bench, setting: Setting, stage: Path, facts: Facts, plan: Plan) -> Path:
    """Run a timed pass, add it to the facts, and give the folder of its columns."""
    rate = "" if plan.rate is None else f" at {plan.rate:.4g}/s"
    setting.say(f"measuring {plan.scenario}{rate}, batch {plan.batch}")
    columns = f"columns/{len(facts.measurements)}"
    telemetry = f"telemetry/{len(facts.measurements)}.json"
    measured = bench.measure(plan, stage / columns, stage / telemetry)
    told = telemetry if measured.telemetry else None
    trace = _kept_trace(plan, stage)
    facts.measurements.append(replace(measured, columns=columns, telemetry=told, trace=trace))
    return stage / columns


def _comply(bench: Bench, subject: Subject, setting: Setting, stage: Path, work: Path, facts: Facts) -> None:
    """The last timed pass once more, with another seed and on the samples that this seed draws."""
    position, seed = len(facts.measurements) - 1, 1 + secrets.randbelow(SEEDS)
    timed = facts.measurements[position]
    plan, columns = replace(timed.plan, seed=seed), f"compliance/{position}"
    setting.say(f"measuring {plan.scenario}, batch {plan.batch}, again with seed {seed}")
    samples, told = subject.feeds.path, None
    if subject.fresh:
        samples = work / f"fresh-{position}"
        subject.fresh(seed, samples)
        told = TensorSet(samples).sha256()
    measured = bench.measure_on(samples, plan, stage / columns)
    facts.compliance.append(Compliance(position, seed, told, replace(measured, columns=columns, trace=timed.trace)))


def _kept_trace(plan: Plan, stage: Path) -> str | None:
    """The file in the report with the arrivals that the plan names."""
    if plan.trace is None:
        return None
    name = f"traces/{plan.trace[:12]}.txt"
    (stage / name).parent.mkdir(exist_ok=True)
    shutil.copyfile(traces.find(plan.trace), stage / name)
    return name


def _under_loadgen(
    bench: Bench, plan: Plan, spec: BackendSpec, subject: Subject, setting: Setting, work: Path, stage: Path
) -> LoadGen:
    """A cross-check: the same compiled form, in a process of its own, by LoadGen's schedule and clock."""
    build, job = bench.release(plan)
    logs = f"logs/loadgen-{plan.scenario}-{plan.batch}"
    found = under_loadgen(
        spec,
        overlay.install(overlay.LOADGEN, spec, setting.say),
        job,
        build.compiled,
        plan,
        feeds=subject.feeds.path,
        scratch=work / logs,
        logs=stage / logs,
        timeout_s=setting.timeout_s,
    )
    return replace(found, logs=logs)


def _quality(subject: Subject, outputs: Path, reference: Reference, unready: int, stage: Path) -> Quality | None:
    """Scores, drift and the predictions' file; None without a reference to hold the outputs against."""
    if reference.outputs is None:
        return None
    judge = subject.real.judge if subject.real and subject.scored else None
    ours, labels = TensorSet(outputs), subject.feeds.labels
    found, predictions = assess(subject.task, ours, reference.outputs, labels, unready, judge)
    found = replace(found, outputs_sha256=ours.sha256())
    if not predictions:
        return found
    np.savez_compressed(stage / "predictions.npz", allow_pickle=False, **predictions)
    return replace(found, predictions="predictions.npz")


def _keep_texts(spec: BackendSpec, stage: Path, facts: Facts) -> None:
    """The worker's output and the lock of its environment, both without names and paths, and the adapter's source as
    it is: a backend's folder again, which the report's own hash stands for whatever becomes of the first."""
    identity = here()
    for log in sorted(path for path in (stage / "logs").rglob("*") if path.is_file()):
        log.write_text(scrub(log.read_text(encoding="utf-8", errors="replace"), identity), encoding="utf-8")
    adapter = stage / ADAPTER
    adapter.mkdir()
    for source in spec.source:
        shutil.copyfile(source, adapter / source.name)
    if spec.lock.is_file():
        lock = scrub(spec.lock.read_text(encoding="utf-8"), identity).encode()
        for place in (stage, adapter):
            (place / spec.lock.name).write_bytes(lock)
        if facts.environment is not None:
            facts.environment = replace(facts.environment, lock_sha256=hashlib.sha256(lock).hexdigest())


def _report(subject: Subject, spec: BackendSpec, setting: Setting, facts: Facts) -> Report:
    task = subject.task
    builds = facts.bench.builds if facts.bench else []
    model = subject.model(builds[0].batch if builds else 1)
    chain = facts.bench.chain if facts.bench else ()
    host = host_facts()
    return Report(
        schema=REPORT_SCHEMA,
        id="",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        accelbench=__version__,
        command=setting.command,
        effort=setting.effort,
        status=facts.status,
        reasons=tuple(facts.reasons),
        task=TaskFacts(
            id=task.id,
            version=task.version,
            tier=task.tier,
            domain=task.domain,
            hash=subject.task_hash,
            flops=subject.facts.flops,
            feeds_sha256=subject.feeds.sha256,
            roster=subject.roster,
        ),
        weights=model.weights,
        target=facts.target,
        tolerance=setting.tolerance or task.tolerance,
        untested=spec.table.untested,
        device=facts.device,
        host=host,
        environment=facts.environment,
        chain=chain or (model.source,),
        builds=tuple(builds),
        quality=facts.quality,
        measurements=tuple(facts.measurements),
        files={},
        harness=harness_of(host),
        loadgen=tuple(facts.loadgen),
        data=subject.real.facts(subject.scored) if subject.real else None,
        stages=facts.stages,
        compliance=tuple(facts.compliance),
    )
