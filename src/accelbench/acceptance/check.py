"""The acceptance test as a whole: its parts in order, each with an outcome and reasons."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fnmatch import fnmatch

import onnx

from accelbench import __version__, paths
from accelbench.acceptance import deviations, operators, tasks
from accelbench.acceptance.basics import contract, determinism, leak, reload, threads
from accelbench.acceptance.cases import node_cases
from accelbench.acceptance.forms import batches, precision
from accelbench.acceptance.hostile import bad_inputs, bad_models
from accelbench.acceptance.result import OUTCOMES, Acceptance, CaseResult, PartResult, TaskResult
from accelbench.acceptance.stand import Found, Stand
from accelbench.bench import ANY_DEVICE, device_of
from accelbench.envs.spec import BackendSpec
from accelbench.envs.worker import Worker
from accelbench.errors import Unsupported, UsageError, WorkerError
from accelbench.model import Target, Task
from accelbench.report.privacy import here, scrub

PRECISION = "fp32"

STEP_S = 300.0
"""How long a step with the probe may take where nobody says otherwise: it is tiny."""


@dataclass(frozen=True)
class Wishes:
    """What to test, and how: names of ``PARTS``; a device (None: the first) and checked options of the backend; tasks
    for the part of that name; a pattern of the names of ONNX's cases and the seconds that each may take; the time limit
    of every other step (None: STEP_S, and the backend's own for tasks)."""

    parts: Sequence[str]
    options: Mapping[str, str]
    tasks: Sequence[Task]
    device: str | None = None
    cases: str = "*"
    case_s: float = operators.CASE_S
    timeout_s: float | None = None


class Check:
    """One backend's test. What the parts on operators and tasks found in particular is kept beside their results."""

    def __init__(self, stand: Stand, wishes: Wishes) -> None:
        self.cases: tuple[CaseResult, ...] = ()
        self.tasks: tuple[TaskResult, ...] = ()
        self._stand, self._wishes = stand, wishes

    def part(self, name: str) -> PartResult:
        """Run one part; what its worker does wrong is its outcome. Raises only what is the host's own trouble."""
        begun = time.monotonic()
        try:
            found = self._operators() if name == "operators" else self._tasks() if name == "tasks" else self._run(name)
        except Unsupported as finding:
            refused = f"the probe is unsupported: {finding}"
            found = Found([refused]) if name == "contract" else Found(nothing=refused)
        except WorkerError as error:
            found = Found([f"{error.kind}: {error}"])
        identity = here()
        skipped = (found.nothing,) if found.nothing else ()
        return PartResult(
            part=name,
            outcome="failed" if found.problems else "skipped" if skipped else "passed",
            reasons=tuple(scrub(text, identity) for text in (*found.problems, *skipped)),
            remarks=tuple(scrub(text, identity) for text in found.remarks),
            seconds=time.monotonic() - begun,
        )

    def _run(self, name: str) -> Found:
        self._stand.say(name)
        return PROBED[name](self._stand)

    def _operators(self) -> Found:
        stand, wishes = self._stand, self._wishes
        stand.say("operators: the ONNX project's cases are made once")
        folder, known = node_cases()
        chosen = [case for case in known if fnmatch(case.name, wishes.cases)]
        if not chosen:
            raise UsageError(f"no case of onnx {onnx.__version__} is called {wishes.cases!r}, like test_conv*")
        found = operators.run(
            stand.worker, folder, chosen, stand.target, stand.room(), limit_s=wishes.case_s, say=stand.say
        )
        identity = here()
        told = deviations.read(stand.spec.folder)
        self.cases = deviations.declared([replace(case, detail=scrub(case.detail, identity)) for case in found], told)
        counted = operators.counts(self.cases)
        remarks = [", ".join(f"{counted[outcome]} {outcome}" for outcome in OUTCOMES if counted[outcome])]
        known_wrong = sum(case.declared is not None for case in self.cases)
        if known_wrong:
            remarks.append(f"{known_wrong} of the wrong answers are declared in {deviations.FILE}")
        for pattern in deviations.stale(self.cases, told):
            remarks.append(f"{deviations.FILE} declares {pattern}, where nothing is wrong")
        return Found(operators.problems(self.cases), remarks)

    def _tasks(self) -> Found:
        stand = replace(self._stand, timeout_s=self._wishes.timeout_s)
        try:
            found = tasks.run(stand, self._wishes.tasks, stand.say)
        except UsageError as reason:
            return Found(nothing=str(reason))
        identity = here()
        self.tasks = tuple(replace(row, detail=scrub(row.detail, identity)) for row in found)
        bad = [f"{row.task}: {row.detail}" for row in self.tasks if row.outcome in ("out", "failed")]
        ran = sum(row.outcome in ("within", "out") for row in self.tasks)
        return Found(bad, [f"{ran} of {len(self.tasks)} tasks ran"])


PROBED: Mapping[str, Callable[[Stand], Found]] = {
    "contract": contract,
    "determinism": determinism,
    "threads": threads,
    "batches": batches,
    "precision": precision,
    "bad-models": bad_models,
    "bad-inputs": bad_inputs,
    "leak": leak,
    "reload": reload,
}
PARTS = (*PROBED, "operators", "tasks")


def check(
    spec: BackendSpec,
    wishes: Wishes,
    say: Callable[[str], None],
    ended: Callable[[PartResult], None] = lambda _part: None,
) -> Acceptance:
    """Test a backend that is installed. ``ended`` is told of each part when it ends. Raises UsageError for a request
    that cannot be served, Unsupported or WorkerError when the stack has no device or cannot even start."""
    started = datetime.now(UTC).isoformat(timespec="seconds")
    with paths.scratch() as folder:
        logs = folder / "logs"
        step_s = wishes.timeout_s or STEP_S
        with Worker(spec, logs, timeout_s=step_s) as worker:
            asked = PRECISION if PRECISION in spec.table.precisions else spec.table.precisions[0]
            target = Target(spec.name, wishes.device or ANY_DEVICE, asked, dict(wishes.options))
            target = replace(target, device=device_of(worker.devices(), target).id)
        (folder / "stand").mkdir()
        tested = Check(Stand(spec, target, folder / "stand", logs, step_s, say), wishes)
        parts = []
        for name in wishes.parts:
            parts.append(tested.part(name))
            ended(parts[-1])
    return Acceptance(
        backend=spec.name,
        version=spec.table.version,
        title=spec.table.title,
        untested=spec.table.untested,
        device=target.device,
        precision=target.precision,
        options=dict(target.options),
        adapter_sha256=spec.adapter_sha256,
        lock_sha256=spec.lock_sha256,
        accelbench=__version__,
        onnx=onnx.__version__,
        created=started,
        parts=tuple(parts),
        cases=tested.cases,
        tasks=tested.tasks,
    )
