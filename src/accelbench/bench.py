"""A subject on a target in a living worker: compiled and loaded as plans need it, then timed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from accelbench.envs.worker import Job, Worker
from accelbench.errors import Unsupported
from accelbench.model import Artifact, Build, DeviceInfo, Measurement, Plan, Purpose, Target, Tuning
from accelbench.passes.apply import Calibration, passed
from accelbench.passes.weights import contents
from accelbench.quality.coverage import coverage
from accelbench.worker.infer import InferFacts
from accelbench.zoo.materialise import Model
from accelbench.zoo.subject import Subject

CALIBRATION_SAMPLES = 64

ANY_DEVICE = "default"
"""A target's device when none was asked for: the backend's first, whose own name the report has."""

Form = tuple[int, Purpose | None]


class Bench:
    """``builds`` has every compiled form in the order of making, one per batch, and per purpose where the stack tells
    them apart; ``chain`` the artifacts from the source model to what the stack got for the first. ``outputs`` is the
    tensor set of the accuracy pass. Raises what the worker and the passes raise."""

    def __init__(
        self, worker: Worker, subject: Subject, target: Target, work: Path, say: Callable[[str], None]
    ) -> None:
        """``target`` names a device of the worker; ``work`` is an empty folder."""
        self.builds: list[Build] = []
        self.chain: tuple[Artifact, ...] = ()
        self.outputs = work / "outputs"
        self._worker, self._subject, self._target, self._work, self._say = worker, subject, target, work, say
        self._jobs: dict[Form, tuple[Build, Job]] = {}
        self._loaded: Form | None = None

    def check(self, plan: Plan) -> InferFacts:
        """The accuracy pass: every sample once, through the form that ``plan`` needs."""
        self.prepare(plan)
        self._say("accuracy and drift")
        task = self._subject.task
        return self._worker.infer(
            self._subject.feeds.path, self.outputs, batch=plan.compiled_batch, batched=task.batched
        )

    def measure(self, plan: Plan, columns: Path, telemetry: Path | None = None, audited: bool = True) -> Measurement:
        """Time a pass; its raw columns go to the new folder ``columns``, what the host tells of itself meanwhile to the
        new file ``telemetry``. Without ``audited`` the harness looks at nothing but the queries. ``check`` comes
        first."""
        build = self.prepare(plan)
        return self._timed(build, plan, self._subject.feeds.path, self.outputs, columns, telemetry, audited)

    def measure_on(self, samples: Path, plan: Plan, columns: Path) -> Measurement:
        """Time a pass on other samples than the subject's, which are run once before; nothing is kept of that."""
        build, task = self.prepare(plan), self._subject.task
        outputs = Path(tempfile.mkdtemp(dir=self._work)) / "outputs"
        self._worker.infer(samples, outputs, batch=plan.compiled_batch, batched=task.batched)
        measured = self._timed(build, plan, samples, outputs, columns, None, True)
        shutil.rmtree(outputs.parent)
        return measured

    def prepare(self, plan: Plan) -> Build:
        """Have the form loaded that ``plan`` needs."""
        form = self._form(plan)
        if form not in self._jobs:
            self._compile(*form)
        elif form != self._loaded:
            build, job = self._jobs[form]
            self._worker.load(build.compiled, job)
        self._loaded = form
        return self._jobs[form][0]

    def release(self, plan: Plan) -> tuple[Build, Job]:
        """The form that ``plan`` was measured with and its job, for another process to load; the session here is
        closed until it is needed again."""
        self._worker.unload()
        self._loaded = None
        return self._jobs[self._form(plan)]

    def keep(self, plan: Plan, folder: Path) -> None:
        """Copy the files of the form that ``plan`` needs to the new folder ``folder``."""
        build, job = self._jobs[self._form(plan)]
        for name in build.compiled.files:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(Path(job.work) / name, folder / name)

    def _timed(
        self,
        build: Build,
        plan: Plan,
        feeds: Path,
        outputs: Path,
        columns: Path,
        telemetry: Path | None,
        audited: bool,
    ) -> Measurement:
        return self._worker.measure(
            plan,
            feeds=feeds,
            outputs=outputs,
            columns=columns.absolute(),
            batched=self._subject.task.batched,
            concurrency=build.compiled.concurrency,
            telemetry=telemetry,
            audited=audited,
        )

    def _passed(self, batch: int) -> Model:
        """The subject's model for ``batch`` after the target's passes."""
        samples = self._subject.calibration
        calibration = Calibration(samples.path, samples.sha256, CALIBRATION_SAMPLES, batch, self._subject.task.batched)
        done = passed(self._subject.model(batch), self._target.passes, calibration, self._say)
        self.chain = self.chain or done.chain
        return done.model

    def _form(self, plan: Plan) -> Form:
        return plan.compiled_batch, plan.purpose if self._worker.spec.table.abilities.purpose else None

    def _tuned(self, job: Job) -> tuple[Job, float | None, Tuning | None]:
        """The job with the options that the stack's tuner chose, where the target lets it tune."""
        limit_s = job.target.tune_s
        if limit_s is None:
            return job, None, None
        self._say(f"tuning for batch {job.batch}, {limit_s:g} s at most")
        tuning, seconds = self._worker.tune(job, limit_s)
        options = {**job.target.options, **tuning.chosen}
        return replace(job, target=replace(job.target, options=options)), seconds, tuning

    def _compile(self, batch: int, purpose: Purpose | None) -> None:
        model = self._passed(batch)
        folder = self._work / f"{batch}-{purpose or 'any'}"
        folder.mkdir()
        job = Job(
            model=str(model.path),
            inputs=model.inputs,
            outputs=model.outputs,
            target=self._target,
            batch=batch,
            batched=self._subject.task.batched,
            purpose=purpose,
            work=str(folder),
            calibration=str(self._subject.calibration.path),
            calibration_count=CALIBRATION_SAMPLES,
        )
        job, tune_s, tuning = self._tuned(job)
        self._say(f"compiling for batch {batch}")
        built = self._worker.compile(job)
        build = Build(
            batch=batch,
            purpose=purpose,
            compile_s=built.seconds,
            load_s=self._worker.load(built.compiled, job),
            compiled=built.compiled,
            coverage=coverage(built.compiled.placements, self._target.device, self._subject.facts.by_node),
            artifacts=tuple(_of(artifact, model, folder) for artifact in built.artifacts),
            tune_s=tune_s,
            tuning=tuning,
        )
        self._jobs[batch, purpose] = build, job
        self.builds.append(build)


def _of(artifact: Artifact, model: Model, folder: Path) -> Artifact:
    """The compiled file as made from the model, with what can be counted in it."""
    told = contents(folder / artifact.name) if artifact.name.endswith(".onnx") else None
    return replace(artifact, parent=model.source.sha256, contents=told)


def device_of(devices: Sequence[DeviceInfo], target: Target) -> DeviceInfo:
    """The device that the target names, or the first. Raises Unsupported."""
    for device in devices:
        if target.device in (device.id, ANY_DEVICE):
            return device
    if not devices:
        raise Unsupported(f"{target.backend} sees no device here: its driver or this build of its library has none")
    known = ", ".join(device.id for device in devices)
    raise Unsupported(f"{target.backend} sees no device {target.device} here (it sees {known})")
