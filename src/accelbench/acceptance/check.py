"""The acceptance test as a whole: its parts in order, each with an outcome and reasons."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import onnx

from accelbench import __version__, paths
from accelbench.acceptance import deviations, operators, tasks
from accelbench.acceptance.basics import contract, determinism, leak, reload, threads
from accelbench.acceptance.cases import node_cases
from accelbench.acceptance.forms import batches, precision
from accelbench.acceptance.hostile import bad_inputs, bad_models
from accelbench.acceptance.journal import Journal, journal
from accelbench.acceptance.result import OUTCOMES, Acceptance, CaseResult, Outcome, PartResult, TaskResult
from accelbench.acceptance.stand import Found, Stand
from accelbench.bench import ANY_DEVICE, device_of
from accelbench.envs.spec import BackendSpec
from accelbench.envs.worker import Worker
from accelbench.errors import Unsupported, UsageError, WorkerError
from accelbench.model import Target, Task
from accelbench.report.privacy import here, scrub

PRECISION = "fp32"

TOLD_EVERY = 10
"""Cases between two words on progress."""

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
    """One backend's test. What it finds is in the journal too, part by part, and taken from there where it is known."""

    def __init__(self, stand: Stand, wishes: Wishes, found: Journal) -> None:
        self.cases: tuple[CaseResult, ...] = ()
        self.tasks: tuple[TaskResult, ...] = ()
        self._stand, self._wishes, self._journal = stand, wishes, found

    def part(self, name: str) -> PartResult:
        """Run one part; what its worker does wrong is its outcome. Raises only what is the host's own trouble."""
        if name in PROBED and name in self._journal.parts:
            return self._journal.parts[name]
        self._journal.begin(name)
        try:
            found = self._operators() if name == "operators" else self._tasks() if name == "tasks" else self._run(name)
        except Unsupported as finding:
            refused = f"the probe is unsupported: {finding}"
            found = Found([refused]) if name == "contract" else Found(nothing=refused)
        except WorkerError as error:
            found = Found([f"{error.kind}: {error}"])
        identity = here()
        skipped = (found.nothing,) if found.nothing else ()
        result = PartResult(
            part=name,
            outcome="failed" if found.problems else "skipped" if skipped else "passed",
            reasons=tuple(scrub(text, identity) for text in (*found.problems, *skipped)),
            remarks=tuple(scrub(text, identity) for text in found.remarks),
            seconds=self._journal.seconds(name),
        )
        self._journal.part(result)
        return result

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
        self._run_cases(folder, [case.name for case in chosen if case.problem is None])
        told = deviations.read(stand.spec.folder)
        rows = [
            CaseResult(case.name, case.operator, case.opset, *self._journal.cases[case.name])
            if case.problem is None
            else CaseResult(case.name, case.operator, case.opset, "not expressible", case.problem)
            for case in chosen
        ]
        self.cases = deviations.declared(rows, told)
        counted = operators.counts(self.cases)
        remarks = [", ".join(f"{counted[outcome]} {outcome}" for outcome in OUTCOMES if counted[outcome])]
        known_wrong = sum(case.declared is not None for case in self.cases)
        if known_wrong:
            remarks.append(f"{known_wrong} of the wrong answers are declared in {deviations.FILE}")
        for pattern in deviations.stale(self.cases, told):
            remarks.append(f"{deviations.FILE} declares {pattern}, where nothing is wrong")
        return Found(operators.problems(self.cases), remarks)

    def _run_cases(self, folder: Path, names: Sequence[str]) -> None:
        """Run those that the journal does not know, and put them there."""
        stand, identity = self._stand, here()

        def tell(case: str, outcome: Outcome, detail: str) -> None:
            self._journal.case(case, outcome, scrub(detail, identity))
            done = sum(name in self._journal.cases for name in names)
            if done % TOLD_EVERY == 0 or done == len(names):
                stand.say(f"operators: {done} of {len(names)} cases")

        ground = operators.Ground(
            start=lambda lane: Worker(stand.spec, stand.logs / f"lane-{lane}", timeout_s=stand.timeout_s),
            folder=folder,
            target=stand.target,
            scratch=stand.room(),
            limit_s=self._wishes.case_s,
            lanes=operators.lanes(stand.spec),
        )
        operators.run(ground, [name for name in names if name not in self._journal.cases], tell)

    def _tasks(self) -> Found:
        stand, identity, known = replace(self._stand, timeout_s=self._wishes.timeout_s), here(), self._journal.tasks
        try:
            for row in tasks.run(stand, [task for task in self._wishes.tasks if task.id not in known], stand.say):
                self._journal.task(replace(row, detail=scrub(row.detail, identity)))
        except UsageError as reason:
            return Found(nothing=str(reason))
        self.tasks = tuple(known[task.id] for task in self._wishes.tasks)
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
    kept: Path | None = None,
) -> Acceptance:
    """Test a backend that is installed. ``ended`` is told of each part when it ends. What is found goes to the file
    ``kept`` at once, and a check goes on from what an interrupted one of the same left there. Raises UsageError for a
    request that cannot be served, Unsupported or WorkerError when the stack has no device or cannot even start."""
    started = datetime.now(UTC).isoformat(timespec="seconds")
    with paths.scratch() as folder:
        logs = folder / "logs"
        step_s = wishes.timeout_s or STEP_S
        with Worker(spec, logs, timeout_s=step_s) as worker:
            asked = PRECISION if PRECISION in spec.table.precisions else spec.table.precisions[0]
            target = Target(spec.name, wishes.device or ANY_DEVICE, asked, dict(wishes.options))
            target = replace(target, device=device_of(worker.devices(), target).id)
        (folder / "stand").mkdir()
        stand = Stand(spec, target, folder / "stand", logs, step_s, say)
        with journal(kept, _about(stand, wishes), started) as found:
            if found.known:
                say(f"{kept}: goes on from {found.known}")
            tested = Check(stand, wishes, found)
            parts = []
            for name in wishes.parts:
                parts.append(tested.part(name))
                ended(parts[-1])
    return Acceptance(
        **_subject(stand),
        created=found.created,
        parts=tuple(parts),
        cases=tested.cases,
        tasks=tested.tasks,
    )


def _subject(stand: Stand) -> dict[str, Any]:
    """What is tested, and by what: fields of Acceptance."""
    spec, target = stand.spec, stand.target
    return {
        "backend": spec.name,
        "version": spec.table.version,
        "title": spec.table.title,
        "untested": spec.table.untested,
        "device": target.device,
        "precision": target.precision,
        "options": dict(target.options),
        "adapter_sha256": spec.adapter_sha256,
        "lock_sha256": spec.lock_sha256,
        "accelbench": __version__,
        "onnx": onnx.__version__,
    }


def _about(stand: Stand, wishes: Wishes) -> dict[str, Any]:
    """What two sittings of one check must agree in; which parts, cases and tasks it has may differ."""
    return {**_subject(stand), "case_s": wishes.case_s, "timeout_s": wishes.timeout_s}
