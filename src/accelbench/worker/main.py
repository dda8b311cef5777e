"""The worker's main loop: one question, one answer, until the host closes the wire.

This is the only place where any exception of a vendor's code is caught: it becomes a typed answer.
"""

from __future__ import annotations

import gc
import importlib.util
import platform
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Callable, cast

import numpy as np

from accelbench.backends.protocol import Backend, Session
from accelbench.errors import AccelbenchError, Unsupported, WorkerError
from accelbench.measure import selftest
from accelbench.measure.instances import load_instances
from accelbench.model import Compiled, DeviceInfo, Tuning
from accelbench.tensors import TensorSet
from accelbench.worker import jobs, loadgen, trials
from accelbench.worker.cases import run_cases
from accelbench.worker.infer import infer
from accelbench.worker.profile import profile
from accelbench.worker.shared import SharedArrays, opened
from accelbench.worker.timed import in_memory, timed
from accelbench.worker.wire import Message, receive, send


class Server:
    """The verbs. At most one session is loaded at a time."""

    def __init__(self, adapter: Path) -> None:
        self.adapter = adapter
        self._backend: Backend | None = None
        self._session: Session | None = None
        self._loads: Callable[[], Session] = _nothing_to_load
        self._shared: list[SharedArrays] = []
        self.verbs: dict[str, Callable[[Mapping[str, Any]], Any]] = {
            "hello": self.hello,
            "devices": self.devices,
            "tune": self.tune,
            "compile": self.compile,
            "load": self.load,
            "infer": self.infer,
            "measure": self.measure,
            "loadgen": self.loadgen,
            "profile": self.profile,
            "selftest": self.selftest,
            "cases": self.cases,
            "trial": self.trial,
            "share": self.share,
            "call": self.call,
            "unload": self.unload,
        }

    def hello(self, _asked: Mapping[str, Any]) -> Any:
        """Import the adapter, and with it the vendor's stack."""
        if self._backend is None:
            self._backend = import_adapter(self.adapter)
        return {"python": platform.python_version(), "numpy": np.__version__}

    def devices(self, _asked: Mapping[str, Any]) -> Any:
        found = list(self.backend.devices())
        for device in found:
            _expect(device, DeviceInfo, "devices()")
        return [asdict(device) for device in found]

    def tune(self, asked: Mapping[str, Any]) -> Any:
        tuner = getattr(self.backend, "tune", None)
        if not callable(tuner):
            raise WorkerError("protocol", f"{self.adapter} has no function tune(), which the ability tune needs")
        self.unload(asked)
        job = jobs.compile_job(jobs.job(asked["job"]))
        started = time.perf_counter()
        tuning = tuner(job, asked["limit_s"])
        seconds = time.perf_counter() - started
        _expect(tuning, Tuning, "tune()")
        return {"tuning": asdict(tuning), "seconds": seconds}

    def compile(self, asked: Mapping[str, Any]) -> Any:
        job = jobs.compile_job(jobs.job(asked["job"]))
        started = time.perf_counter()
        compiled = self.backend.compile(job)
        seconds = time.perf_counter() - started
        _expect(compiled, Compiled, "compile()")
        return {"compiled": asdict(compiled), "seconds": seconds}

    def load(self, asked: Mapping[str, Any]) -> Any:
        self.unload(asked)
        self._loads = partial(
            self.backend.load, jobs.compiled(asked["compiled"]), jobs.compile_job(jobs.job(asked["job"]))
        )
        started = time.perf_counter()
        self._session = self._loads()
        return {"seconds": time.perf_counter() - started}

    def infer(self, asked: Mapping[str, Any]) -> Any:
        feeds = TensorSet(Path(asked["feeds"]))
        return asdict(infer(self.session, feeds, Path(asked["out"]), asked["batch"], asked["batched"]))

    def measure(self, asked: Mapping[str, Any]) -> Any:
        plan = jobs.plan(asked["plan"])
        with self._instances(plan.instances) as session:
            measurement = timed(
                session,
                TensorSet(Path(asked["feeds"])),
                TensorSet(Path(asked["outputs"])),
                plan,
                Path(asked["columns"]),
                batched=asked["batched"],
                threads=asked["threads"],
                submit=asked["submit"],
                concurrency=asked["concurrency"],
                trace=Path(asked["trace"]) if asked["trace"] else None,
                audited=asked["audited"],
            )
        return asdict(measurement)

    def loadgen(self, asked: Mapping[str, Any]) -> Any:
        plan = jobs.plan(asked["plan"])
        driven = loadgen.drive(
            self.session,
            in_memory(TensorSet(Path(asked["feeds"])), plan.batch, asked["batched"]),
            plan,
            Path(asked["folder"]),
            threads=asked["threads"],
            submit=asked["submit"],
            concurrency=asked["concurrency"],
        )
        return asdict(driven)

    def profile(self, asked: Mapping[str, Any]) -> Any:
        profiler = getattr(self.backend, "profiler", None)
        if not callable(profiler):
            raise WorkerError("protocol", f"{self.adapter} has no function profiler(), which the ability profile needs")
        self.unload(asked)
        compiled, job = jobs.compiled(asked["compiled"]), jobs.compile_job(jobs.job(asked["job"]))
        feeds = in_memory(TensorSet(Path(asked["feeds"])), job.batch, asked["batched"])
        return asdict(
            profile(partial(self.backend.load, compiled, job), partial(profiler, compiled, job), feeds, asked["runs"])
        )

    def selftest(self, asked: Mapping[str, Any]) -> Any:
        return selftest.figures(asked["seconds"])

    def cases(self, asked: Mapping[str, Any]) -> Any:
        self.unload(asked)
        run_cases(
            self.backend,
            Path(asked["folder"]),
            asked["names"],
            jobs.target(asked["target"]),
            asked["purpose"],
            Path(asked["work"]),
            Path(asked["log"]),
        )
        return {}

    def share(self, asked: Mapping[str, Any]) -> Any:
        """Map memory for one feed and its outputs; its number is what ``call`` takes."""
        specs = [[jobs.tensor_spec(item) for item in asked[side]] for side in ("inputs", "outputs")]
        self._shared.append(opened(Path(asked["path"]), *specs))
        return {"number": len(self._shared) - 1}

    def call(self, asked: Mapping[str, Any]) -> Any:
        """Run the feed that lies in shared memory, and put its outputs beside it."""
        shared = self._shared[asked["number"]]
        shared.keep(self.session.run(shared.inputs))
        return {}

    def trial(self, asked: Mapping[str, Any]) -> Any:
        feeds, wanted = (list(TensorSet(Path(asked[name]))) for name in ("feeds", "outputs"))
        return asdict(trials.TRIALS[asked["kind"]](self.session, feeds, wanted, asked["count"]))

    def unload(self, _asked: Mapping[str, Any]) -> Any:
        session, self._session = self._session, None
        if session is not None:
            session.close()
        del session
        gc.collect()
        return {}

    @contextmanager
    def _instances(self, count: int) -> Iterator[Session]:
        """The loaded session, or so many instances of it in its place; it is loaded again afterwards."""
        session = self.session
        if count == 1:
            yield session
            return
        del session
        self.unload({})
        several = load_instances(self._loads, count)
        try:
            yield several
        finally:
            several.close()
            del several
            gc.collect()
        self._session = self._loads()

    @property
    def backend(self) -> Backend:
        if self._backend is None:
            raise WorkerError("protocol", "the first verb on the wire must be hello")
        return self._backend

    @property
    def session(self) -> Session:
        return _nothing_to_load() if self._session is None else self._session


def _nothing_to_load() -> Session:
    raise WorkerError("protocol", "nothing is loaded: load comes first")


def serve(adapter: Path, requests: int, replies: int) -> None:
    """Answer until the wire is closed."""
    server = Server(adapter)
    while True:
        asked = receive(requests)
        if asked is None:
            return
        answer = _answer(server, asked)
        sys.stdout.flush()
        sys.stderr.flush()
        try:
            send(replies, answer)
        except WorkerError as error:
            send(replies, _error(error.kind, str(error)))


def import_adapter(path: Path) -> Backend:
    """The module at ``path``. It is a ``Backend`` when it has the three functions of the contract."""
    spec = importlib.util.spec_from_file_location("accelbench_adapter", path)
    if spec is None or spec.loader is None:
        raise WorkerError("protocol", f"{path} cannot be imported: an adapter is a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.append(str(path.parent))
    spec.loader.exec_module(module)
    for name in ("devices", "compile", "load"):
        if not callable(getattr(module, name, None)):
            raise WorkerError(
                "protocol", f"{path} has no function {name}(); an adapter needs devices, compile and load"
            )
    return cast(Backend, module)


def _answer(server: Server, asked: Mapping[str, Any]) -> Message:
    verb = server.verbs.get(str(asked.get("verb")))
    if verb is None:
        return _error("protocol", f"unknown verb {asked.get('verb')!r}; known are {', '.join(server.verbs)}")
    try:
        return {"ok": verb(asked)}
    except Unsupported as error:
        return _error("unsupported", str(error))
    except WorkerError as error:
        return _error(error.kind, str(error))
    except AccelbenchError as error:
        return _error("raised", str(error))
    except (Exception, SystemExit) as error:
        return _error("raised", _one_line(error), traceback.format_exc(limit=-8)[-8000:])


def _error(kind: str, message: str, detail: str = "") -> Message:
    return {"error": {"kind": kind, "message": message, "detail": detail}}


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:500]}" if text else type(error).__name__


def _expect(value: object, kind: type, where: str) -> None:
    if not isinstance(value, kind):
        raise WorkerError("protocol", f"{where} of the adapter gave a {type(value).__name__}, not a {kind.__name__}")
