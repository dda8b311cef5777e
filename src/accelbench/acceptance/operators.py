"""Which operators a stack can take: the ONNX project's node cases, run in as few workers as its crashes allow."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from accelbench.acceptance.cases import NodeCase
from accelbench.acceptance.result import CaseResult, Outcome
from accelbench.envs.worker import Worker
from accelbench.errors import WorkerError
from accelbench.model import Target

CASE_S = 60.0
"""How long a case may take, compiling included."""


@dataclass
class Watch:
    """Reads the log that the worker writes, and raises WorkerError ``hung`` when a case takes more than ``limit_s``."""

    log: Path
    limit_s: float
    say: Callable[[int], None]
    clock: Callable[[], float] = time.monotonic
    ended: dict[str, tuple[Outcome, str]] = field(default_factory=dict)
    begun: str | None = None
    _place: int = 0
    _since: float = 0.0

    def __post_init__(self) -> None:
        self._since = self.clock()

    def __call__(self) -> None:
        self.read()
        self.say(len(self.ended))
        if self.begun is not None and self.clock() - self._since > self.limit_s:
            raise WorkerError("hung", f"did not end within {self.limit_s:g} s; the worker was ended")

    def read(self) -> None:
        """Take in the lines that are complete."""
        if not self.log.is_file():
            return
        with self.log.open("rb") as file:
            file.seek(self._place)
            whole = file.read().rpartition(b"\n")[0]
        for line in whole.splitlines():
            told = json.loads(line)
            self.begun = None if "outcome" in told else told["case"]
            if "outcome" in told:
                self.ended[told["case"]] = told["outcome"], told["detail"]
            self._since = self.clock()
        self._place += len(whole) + 1 if whole else 0


def run(
    start: Callable[[], Worker],
    folder: Path,
    cases: Sequence[NodeCase],
    target: Target,
    scratch: Path,
    limit_s: float,
    say: Callable[[str], None],
) -> tuple[CaseResult, ...]:
    """The outcome of every case, in their order.

    All cases that the contract can express go to one worker. Where it dies, a new one begins with the case that it died
    at; dies that one too, the case is to blame and the next one follows. A case that hangs is not tried twice.
    ``start`` gives a new worker. Raises WorkerError when a worker cannot be started or dies between two cases.
    """
    found: dict[str, tuple[Outcome, str]] = {
        case.name: ("not expressible", case.problem) for case in cases if case.problem is not None
    }
    expressible = len(cases) - len(found)
    todo = [case.name for case in cases if case.problem is None]
    round_ = 0
    while todo:
        round_ += 1
        done = expressible - len(todo)
        room = scratch / str(round_)
        (room / "work").mkdir(parents=True)

        def told(ended: int, before: int = done) -> None:
            say(f"operators: {before + ended} of {expressible} cases")

        watch = Watch(room / "log", limit_s, told)
        try:
            with start() as worker:
                worker.cases(folder, todo, target, room / "work", watch.log, watch)
        except WorkerError as error:
            watch.read()
            if watch.begun is None:
                raise
            if error.kind == "hung":
                watch.ended[watch.begun] = "hung", str(error)
            elif not watch.ended:
                watch.ended[watch.begun] = "crashed", str(error)
        else:
            watch.read()
        found.update(watch.ended)
        todo = [name for name in todo if name not in found]
    return tuple(CaseResult(case.name, case.operator, case.opset, *found[case.name]) for case in cases)


def counts(cases: Sequence[CaseResult]) -> Counter[Outcome]:
    """How many cases have each outcome."""
    return Counter(case.outcome for case in cases)


def by_operator(cases: Sequence[CaseResult]) -> dict[tuple[str, int], Counter[Outcome]]:
    """The outcomes of each operator and opset, ordered by name and version."""
    found: dict[tuple[str, int], Counter[Outcome]] = {}
    for case in sorted(cases, key=lambda case: (case.operator.lower(), case.opset)):
        found.setdefault((case.operator, case.opset), Counter())[case.outcome] += 1
    return found


def problems(cases: Sequence[CaseResult]) -> list[str]:
    """What speaks against the stack: cases that it answered wrongly where nobody declares it, and those that ended its
    process."""
    found = []
    for outcome in ("wrong", "crashed", "hung"):
        bad = [case.case for case in cases if case.outcome == outcome and case.declared is None]
        if bad:
            how = f"{outcome} and not declared" if outcome == "wrong" else outcome
            found.append(f"{len(bad)} {how}: {', '.join(bad[:4])}{', …' if len(bad) > 4 else ''}")
    return found
