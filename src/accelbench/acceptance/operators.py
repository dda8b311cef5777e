"""Which operators a stack can take: the ONNX project's node cases, run in as few workers as its crashes allow."""

from __future__ import annotations

import itertools
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from accelbench.acceptance.result import CaseResult, Outcome
from accelbench.envs.spec import BackendSpec
from accelbench.envs.worker import Worker
from accelbench.errors import WorkerError
from accelbench.model import Target

CASE_S = 60.0
"""How long a case may take, compiling included."""


MOST = 4
"""Workers at once, where a backend declares the ability ``processes``."""

Ended = Callable[[str, Outcome, str], None]
"""Told of a case, its outcome and a detail."""


class Stopped(Exception):
    """The check was interrupted while a worker was busy."""


@dataclass
class Watch:
    """Reads the log that the worker writes and tells of the cases that ended. Raises WorkerError ``hung`` when a case
    takes more than ``limit_s``, and Stopped when it should stop."""

    log: Path
    limit_s: float
    tell: Ended
    stop: threading.Event = field(default_factory=threading.Event)
    clock: Callable[[], float] = time.monotonic
    ended: set[str] = field(default_factory=set)
    begun: str | None = None
    _place: int = 0
    _since: float = 0.0

    def __post_init__(self) -> None:
        self._since = self.clock()

    def __call__(self) -> None:
        self.read()
        if self.stop.is_set():
            raise Stopped
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
                self.end(told["case"], told["outcome"], told["detail"])
            self._since = self.clock()
        self._place += len(whole) + 1 if whole else 0

    def end(self, case: str, outcome: Outcome, detail: str) -> None:
        self.ended.add(case)
        self.tell(case, outcome, detail)


@dataclass(frozen=True)
class Ground:
    """Where cases are run: on ``target`` by workers that ``start`` gives, one for each lane at a time, by its number.
    ``folder`` has the cases, as ``worker.cases`` reads them; ``scratch`` is empty; no case may take more than
    ``limit_s``."""

    start: Callable[[int], Worker]
    folder: Path
    target: Target
    scratch: Path
    limit_s: float
    lanes: int = 1


def lanes(spec: BackendSpec) -> int:
    """How many workers may run cases of a backend at once on this machine."""
    return min(MOST, len(os.sched_getaffinity(0))) if spec.table.abilities.processes else 1


def run(ground: Ground, names: Sequence[str], tell: Ended) -> None:
    """Run cases, and ``tell`` of each when it ends, in no order, perhaps from other threads.

    Each lane gives all its cases to one worker. Where it dies, a new one begins with the case that it died at; dies
    that one too, the case is to blame and the next one follows. A case that hangs is not tried twice. Raises
    WorkerError when a worker cannot be started or dies between two cases.
    """
    stop = threading.Event()
    with ThreadPoolExecutor(ground.lanes) as pool:
        lanes = [pool.submit(_lane, ground, n, names[n :: ground.lanes], tell, stop) for n in range(ground.lanes)]
        try:
            for lane in as_completed(lanes):
                lane.result()
        except BaseException:
            stop.set()
            raise


def _lane(ground: Ground, number: int, names: Sequence[str], tell: Ended, stop: threading.Event) -> None:
    todo = list(names)
    for round_ in itertools.count():
        if not todo:
            return
        room = ground.scratch / f"{number}-{round_}"
        (room / "work").mkdir(parents=True)
        watch = Watch(room / "log", ground.limit_s, tell, stop)
        try:
            with ground.start(number) as worker:
                worker.cases(ground.folder, todo, ground.target, room / "work", watch.log, watch)
        except WorkerError as error:
            watch.read()
            if watch.begun is None:
                raise
            if error.kind == "hung":
                watch.end(watch.begun, "hung", str(error))
            elif not watch.ended:
                watch.end(watch.begun, "crashed", str(error))
        else:
            watch.read()
        todo = [name for name in todo if name not in watch.ended]


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
