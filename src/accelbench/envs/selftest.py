"""The self-test seen from the host: the harness in a fresh worker process, and MLPerf's LoadGen in the same minutes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from accelbench.envs import overlay
from accelbench.envs.install import installed, interpreter
from accelbench.envs.process import Process, memory_limit_bytes, variables
from accelbench.envs.spec import BackendSpec
from accelbench.errors import WorkerError
from accelbench.measure import selftest
from accelbench.worker import loadgen_null

LIMIT_S = 300.0
"""For one run; it takes some ten times its ``seconds``."""


class Harness:
    """The self-test's own worker: a process of ``spec``'s environment, else of this interpreter."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def figures(self, seconds: float) -> dict[str, float]:
        """One run of ``measure.selftest.figures``. Raises WorkerError when the process cannot do it."""
        found = self.ask({"verb": "selftest", "seconds": seconds})
        return {str(name): float(value) for name, value in found.items()}

    def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        answer = self._process.ask(message, LIMIT_S)
        if "error" in answer:
            raise WorkerError(str(answer["error"]["kind"]), f"the self-test's worker: {answer['error']['message']}")
        found: dict[str, Any] = answer["ok"]
        return found


@contextmanager
def harness(spec: BackendSpec) -> Iterator[Harness]:
    """A fresh worker for the self-test; nothing of it is left afterwards."""
    with TemporaryDirectory() as logs:
        seen = variables((), {})
        process = Process(python_of(spec), spec.adapter, seen, Path(logs), memory_limit_bytes())
        try:
            worker = Harness(process)
            worker.ask({"verb": "hello"})
            yield worker
        finally:
            process.end()


def python_of(spec: BackendSpec) -> Path:
    """The interpreter of the backend's environment where that is made, else the one that runs this."""
    return interpreter(spec) if installed(spec) else Path(sys.executable)


@dataclass(frozen=True)
class LoadGenSource:
    """An interpreter, and the folder that it finds LoadGen in, when not its own."""

    python: Path
    folder: Path | None = None

    def figures(self, seconds: float) -> dict[str, float]:
        """The same figures as the self-test's, each run of LoadGen in a process of its own over a system that does
        nothing. Raises WorkerError when one fails."""
        single = self._run("single_stream", 0.0, seconds)
        found = {"single_stream.counted_ns": single["mean_ns"], "single_stream.wall_ns": single["wall_ns"]}
        for rate in selftest.RATES:
            slow = 1 if rate >= selftest.SLOW_RATE else selftest.SLOW_TIMES
            lag = self._run("server", rate, slow * seconds)
            found[f"server_{rate:g}qps.p50_ns"], found[f"server_{rate:g}qps.p99_ns"] = lag["p50_ns"], lag["p99_ns"]
        found["server_top_qps"] = selftest.top_rate(
            lambda rate: self._run("server", rate, selftest.TOP_SHARE * seconds)["p50_ns"]
        )
        return found

    def _run(self, scenario: str, rate: float, seconds: float) -> dict[str, float]:
        path = {} if self.folder is None else {"PYTHONPATH": str(self.folder)}
        argv = [str(self.python), str(loadgen_null.__file__), scenario, str(rate), str(seconds)]
        try:
            done = subprocess.run(
                argv,
                env={**os.environ, **path},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=True,
                text=True,
                timeout=LIMIT_S,
            )
            figures: dict[str, float] = json.loads(done.stdout)
        except subprocess.CalledProcessError as error:
            said = str(error.stderr).strip().splitlines()[-1:] or [f"exit code {error.returncode}"]
            raise WorkerError("crashed", f"LoadGen under {self.python}: {said[0]}") from error
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            raise WorkerError("crashed", f"LoadGen under {self.python}: {' '.join(str(error).split())}") from error
        return figures


def loadgen_source(spec: BackendSpec, python: Path | None) -> LoadGenSource | None:
    """``python`` where it is given, else the overlay for the backend's interpreter where it is made, else None."""
    if python is not None:
        return LoadGenSource(python)
    own = python_of(spec)
    folder = overlay.location(overlay.LOADGEN, own)
    return LoadGenSource(own, folder) if folder.is_dir() else None
