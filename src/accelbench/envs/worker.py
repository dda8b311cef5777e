"""A backend at work: the verbs of the wire as methods, each within its time limit, answers checked strictly."""

from __future__ import annotations

import hashlib
import json
import math
import os
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from accelbench.envs import monitors, traces
from accelbench.envs.install import interpreter
from accelbench.envs.options import checked_choice
from accelbench.envs.process import Process, memory_limit_bytes, variables
from accelbench.envs.spec import BackendSpec
from accelbench.envs.telemetry import Telemetry
from accelbench.errors import Unsupported, UsageError, WorkerError
from accelbench.measure import series as stored
from accelbench.model import Artifact, Compiled, DeviceInfo, Measurement, Plan, Target, TensorSpec, Tuning
from accelbench.worker.infer import InferFacts
from accelbench.worker.jobs import Job
from accelbench.worker.loadgen import WARMUP_S, Driven
from accelbench.worker.profile import ProfileFacts
from accelbench.worker.trials import TrialFacts

T = TypeVar("T")

WARM_AND_LATE = 1.5
"""How much longer than planned a LoadGen run may last by itself: ``offline`` is sized by a guess."""

QUERIES_BESIDES = 20
"""Queries that a timed pass makes whatever its plan's limit: warm-up, those in flight at the end, seen and fresh feeds
in turns. Each may take as long as one of the accuracy pass before the step counts as hung."""


@dataclass(frozen=True)
class BuildFacts:
    """What a compile step did: the backend's own account, seconds, and the files that it left."""

    compiled: Compiled
    seconds: float
    artifacts: tuple[Artifact, ...]


class Worker:
    """A worker process of a backend, as a context: it starts on entry and nothing of it is left after the exit.

    Every verb raises Unsupported when the stack says so, and WorkerError when it raised, crashed, hung, used too much
    memory or answered nonsense; after a WorkerError other than ``raised`` the process is gone.
    """

    def __init__(
        self,
        spec: BackendSpec,
        logs: Path,
        *,
        memory_bytes: int | None = None,
        timeout_s: float | None = None,
        overlay: Path | None = None,
        handles_sigterm: bool = True,
    ) -> None:
        """``logs`` gets stdout.txt, stderr.txt and, where a vendor's code raises, the end of each traceback in
        traceback.txt; ``timeout_s`` replaces all the backend's own time limits. The folder ``overlay`` is put
        last on the path of this one process. Where SIGTERM has no handler, one is set that ends the worker, unless
        ``handles_sigterm`` is false: then the keeper ends it when this process is gone."""
        self.spec = spec
        self._logs = logs
        self._memory_bytes = memory_limit_bytes() if memory_bytes is None else memory_bytes
        self._timeout_s = timeout_s
        self._sample_s = 0.0
        self._overlay = overlay
        self._process: Process | None = None
        self._handles_sigterm = handles_sigterm
        self._sigterm: Any = None

    def __enter__(self) -> Worker:
        environment = self.spec.table.environment
        seen = variables(environment.inherit, environment.variables)
        if self._overlay is not None:
            seen["PYTHONPATH"] = os.pathsep.join(filter(None, (seen.get("PYTHONPATH"), str(self._overlay))))
        self._process = Process(
            interpreter(self.spec),
            self.spec.adapter,
            seen,
            self._logs,
            self._memory_bytes,
        )
        if self._handles_sigterm and _sigterm_is_free():
            self._sigterm = signal.signal(signal.SIGTERM, _terminate)
        try:
            self._ask({"verb": "hello"}, self.spec.table.timeouts.start_s)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.end()
        if self._sigterm is not None:
            signal.signal(signal.SIGTERM, self._sigterm)
            self._sigterm = None

    def devices(self) -> tuple[DeviceInfo, ...]:
        """Every device that the stack can use here."""
        return self._read(
            tuple[DeviceInfo, ...], self._ask({"verb": "devices"}, self.spec.table.timeouts.devices_s), "devices"
        )

    def tune(self, job: Job, limit_s: float) -> tuple[Tuning, float]:
        """Let the backend tune for ``limit_s`` seconds. Gives what it did, and the seconds that it took by the clock of
        the harness. Raises WorkerError (hung) where it does not end in time."""
        asked = {"verb": "tune", "job": asdict(job), "limit_s": limit_s}
        answer = self._ask(asked, self.spec.table.timeouts.tune_s, limit_s)
        tuning = self._read(Tuning, answer.get("tuning"), "tune")
        try:
            allowed = checked_choice(self.spec.table, job.target, tuning.chosen)
        except UsageError as error:
            raise WorkerError("protocol", f"tune of backend {self.spec.name} chose what it may not: {error}") from error
        return replace(tuning, chosen=allowed), float(answer["seconds"])

    def compile(self, job: Job) -> BuildFacts:
        """Compile into ``job.work``. Each file named by the backend becomes an artifact with its sha256."""
        answer = self._ask({"verb": "compile", "job": asdict(job)}, self.spec.table.timeouts.compile_s)
        compiled = self._read(Compiled, answer.get("compiled"), "compile")
        seconds = float(answer["seconds"])
        return BuildFacts(compiled=compiled, seconds=seconds, artifacts=self._artifacts(compiled, job, seconds))

    def load(self, compiled: Compiled, job: Job) -> float:
        """Load what ``compile`` wrote, instead of what was loaded before. Returns the seconds that it took."""
        asked = {"verb": "load", "compiled": asdict(compiled), "job": asdict(job)}
        return float(self._ask(asked, self.spec.table.timeouts.load_s)["seconds"])

    def infer(self, feeds: Path, out: Path, *, batch: int, batched: bool) -> InferFacts:
        """Run every sample of the tensor set ``feeds`` once and write the outputs to the new tensor set ``out``."""
        asked = {"verb": "infer", "feeds": str(feeds), "out": str(out), "batch": batch, "batched": batched}
        facts = self._read(InferFacts, self._ask(asked, self.spec.table.timeouts.infer_s), "infer")
        self._sample_s = facts.seconds / max(1, facts.records)
        return facts

    def measure(
        self,
        plan: Plan,
        *,
        feeds: Path,
        outputs: Path,
        columns: Path,
        batched: bool,
        concurrency: int,
        telemetry: Path | None = None,
        audited: bool = True,
    ) -> Measurement:
        """Time one pass of ``plan`` on the loaded session, and write its raw columns to the new folder ``columns``.

        ``outputs`` is the tensor set that ``infer`` wrote for ``feeds``; ``concurrency`` is what the stack asked for.
        Telemetry of the pass goes to the new file ``telemetry``. Without ``audited`` neither the host is looked at nor
        are repeated feeds held against fresh ones. ``columns`` and ``telemetry`` of the Measurement are
        the paths as given.
        """
        abilities = self.spec.table.abilities
        asked = {
            "verb": "measure",
            "plan": asdict(plan),
            "feeds": str(feeds),
            "outputs": str(outputs),
            "columns": str(columns),
            "batched": batched,
            "threads": abilities.threads,
            "submit": abilities.submit,
            "concurrency": concurrency,
            "trace": str(traces.find(plan.trace)) if plan.trace else None,
            "audited": audited,
        }
        limit_s = self.spec.table.timeouts.measure_s + QUERIES_BESIDES * plan.compiled_batch * self._sample_s
        if plan.instances > 1:
            limit_s += (plan.instances + 1) * self.spec.table.timeouts.load_s
        if telemetry is None or self._process is None:
            return self._read(Measurement, self._ask(asked, limit_s, plan.stop.max_s), "measure")
        with Telemetry(self._process.pid, self._monitors(), log=self._logs / "telemetry.txt") as beside:
            answer = self._ask(asked, limit_s, plan.stop.max_s, beside.look)
        measured = self._read(Measurement, answer, "measure")
        if measured.began_ns is None:
            return measured
        stored.write(telemetry, beside.series(measured.began_ns))
        return replace(measured, telemetry=str(telemetry))

    def loadgen(self, plan: Plan, *, feeds: Path, folder: Path, batched: bool, concurrency: int) -> Driven:
        """Run ``plan`` on the loaded session under LoadGen, which writes its logs to the existing ``folder``. The
        process needs LoadGen's overlay, and can do this once."""
        abilities = self.spec.table.abilities
        asked = {
            "verb": "loadgen",
            "plan": asdict(plan),
            "feeds": str(feeds),
            "folder": str(folder),
            "batched": batched,
            "threads": abilities.threads,
            "submit": abilities.submit,
            "concurrency": concurrency,
        }
        longest_s = WARM_AND_LATE * (WARMUP_S + plan.stop.max_s)
        return self._read(Driven, self._ask(asked, self.spec.table.timeouts.measure_s, longest_s), "loadgen")

    def profile(self, compiled: Compiled, job: Job, feeds: Path, runs: int) -> ProfileFacts:
        """Load what ``compile`` wrote with the stack's profiler on, and run samples of the tensor set ``feeds`` so many
        times; before that, as often without. No session is loaded afterwards. Raises Unsupported where the backend does
        not declare the ability."""
        if not self.spec.table.abilities.profile:
            raise Unsupported(f"backend {self.spec.name} does not tell time per operator")
        asked = {
            "verb": "profile",
            "compiled": asdict(compiled),
            "job": asdict(job),
            "feeds": str(feeds),
            "batched": job.batched,
            "runs": runs,
        }
        limits = self.spec.table.timeouts
        return self._read(ProfileFacts, self._ask(asked, limits.load_s + limits.infer_s), "profile")

    def cases(
        self, folder: Path, names: Sequence[str], target: Target, work: Path, log: Path, look: Callable[[], None]
    ) -> None:
        """Run cases of ``folder`` one after the other, as ``worker.cases`` says, which writes ``log``. ``look`` is
        called several times a second; it ends the worker when it raises. The time limit is the caller's."""
        asked = {
            "verb": "cases",
            "folder": str(folder),
            "names": list(names),
            "target": asdict(target),
            "purpose": "latency" if self.spec.table.abilities.purpose else None,
            "work": str(work),
            "log": str(log),
        }
        self._ask(asked, math.inf, math.inf, look)

    def share(self, path: Path, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]) -> int:
        """Have the worker map the memory at ``path`` for one feed and its outputs (``worker.shared``); gives the number
        that ``call`` takes."""
        sides = {"inputs": [asdict(spec) for spec in inputs], "outputs": [asdict(spec) for spec in outputs]}
        answer = self._ask({"verb": "share", "path": str(path), **sides}, self.spec.table.timeouts.load_s)
        return int(answer["number"])

    def call(self, number: int) -> None:
        """Run the feed that lies in the shared memory of that number; its outputs lie there when this returns."""
        self._ask({"verb": "call", "number": number}, self.spec.table.timeouts.infer_s)

    def trial(self, kind: str, feeds: Path, outputs: Path, count: int) -> TrialFacts:
        """One of ``worker.trials`` on the loaded session: the tensor set ``feeds`` has whole feeds, ``outputs`` what a
        single run gave for each; ``count`` is the trial's number of threads, rounds or runs."""
        asked = {"verb": "trial", "kind": kind, "feeds": str(feeds), "outputs": str(outputs), "count": count}
        return self._read(TrialFacts, self._ask(asked, self.spec.table.timeouts.infer_s), "trial")

    def unload(self) -> None:
        """Close the loaded session."""
        self._ask({"verb": "unload"}, self.spec.table.timeouts.load_s)

    def _artifacts(self, compiled: Compiled, job: Job, seconds: float) -> tuple[Artifact, ...]:
        found = []
        for name in compiled.files:
            path = Path(job.work) / name
            if not path.is_file():
                raise WorkerError(
                    "protocol", f"compile of backend {self.spec.name} names {name}, which it did not write"
                )
            found.append(
                Artifact(
                    name=name,
                    sha256=_sha256(path),
                    format=compiled.format,
                    size_bytes=path.stat().st_size,
                    maker=f"{self.spec.name} {self.spec.table.version}",
                    precision=compiled.executed_precision,
                    options=job.target.options,
                    seconds=seconds,
                )
            )
        return tuple(found)

    def _monitors(self) -> list[monitors.Monitor]:
        """Those of vendors that are here, and the backend's own."""
        found, own = monitors.monitors(), self.spec.table.telemetry
        if own is not None:
            places = {"{python}": str(interpreter(self.spec)), "{folder}": str(self.spec.folder)}
            found.append(monitors.declared([_placed(word, places) for word in own.command]))
        return found

    def _ask(
        self,
        message: dict[str, Any],
        timeout_s: float,
        planned_s: float = 0.0,
        look: Callable[[], None] | None = None,
    ) -> Any:
        if self._process is None:
            raise WorkerError("protocol", "the worker is used outside of its 'with' block")
        limit_s = planned_s + (timeout_s if self._timeout_s is None else self._timeout_s)
        answer = self._process.ask(message, limit_s, look)
        if set(answer) == {"ok"}:
            return answer["ok"]
        error = answer.get("error")
        if not isinstance(error, dict) or set(error) != {"kind", "message", "detail"}:
            raise WorkerError("protocol", f"the worker answered {message['verb']} with neither ok nor error")
        text = f"{message['verb']}: {error['message']}"
        if error["detail"]:
            with (self._logs / "traceback.txt").open("a", encoding="utf-8") as file:
                file.write(f"{text}\n{error['detail']}\n")
        if error["kind"] == "unsupported":
            raise Unsupported(str(error["message"]))
        raise WorkerError(str(error["kind"]), text)

    def _read(self, kind: type[T], value: Any, verb: str) -> T:
        try:
            return TypeAdapter(kind).validate_json(json.dumps(value), strict=True)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"])
            raise WorkerError(
                "protocol", f"{verb} of backend {self.spec.name} gave a wrong {kind.__name__}: {field}: {first['msg']}"
            ) from error


def _placed(word: str, places: Mapping[str, str]) -> str:
    for name, place in places.items():
        word = word.replace(name, place)
    return word


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _sigterm_is_free() -> bool:
    return threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def _terminate(_number: int, _frame: FrameType | None) -> None:
    """SIGTERM unwinds the stack as Ctrl-C does, so that every 'with' ends what it holds."""
    raise SystemExit(128 + signal.SIGTERM)


__all__ = ["BuildFacts", "Driven", "InferFacts", "Job", "ProfileFacts", "TrialFacts", "Worker"]
