"""The contract between accelbench and a vendor: two small protocols, and nothing else.

A backend's ``adapter.py`` is a module with three functions, ``devices``, ``compile`` and ``load``; so the module itself
is a ``Backend``. ``load`` returns a ``Session``. Adapters compile and run; they never time. They raise
``accelbench.errors.Unsupported`` for what their stack cannot take, naming what stopped it, and let every other error
of their stack pass through unchanged.

Abilities beyond that are declared in ``backend.toml`` under ``[abilities]`` and never found out by trying:

``threads``   ``Session.run`` may be called by several threads at once
``submit``    the session is an ``AsyncSession``
``purpose``   the stack compiles differently for latency and for throughput
``processes`` several processes may use the device at once
``profile``   the module is a ``ProfilingBackend``: it tells the time of each kernel by its own clock
``tune``      the module is a ``TuningBackend``: it looks for better settings by its own means, within a time limit
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Protocol, Union

from accelbench.model import Compiled, DeviceInfo, OpTime, Purpose, Target, TensorSpec, Tuning
from accelbench.tensors import Record

Feed = Record
Outputs = Record


@dataclass(frozen=True)
class CompileJob:
    """What a stack gets to compile.

    ``model`` is an ONNX file with all weights (external data beside it) and fixed shapes; of a task of the zoo, its
    graph has the task's id for a name, and its initializers have those of the published weights. ``inputs`` and
    ``outputs`` carry the batch as their first dimension where the task is batched. ``work`` is an empty folder for
    everything that is written. ``calibration`` holds a few feeds of the task, for precisions that need to see data.
    ``purpose`` is None for a backend that does not declare the ability.
    """

    model: Path
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    target: Target
    batch: int
    purpose: Purpose | None
    work: Path
    calibration: Sequence[Feed]


def core_share() -> int | None:
    """How many cores the calling thread is bound to, when that are fewer than the process may use; else None.

    Several instances of a session are loaded on such threads: a stack that counts the machine's cores by itself should
    be told to start so many threads at most."""
    if not hasattr(os, "sched_getaffinity"):
        return None
    mine, everyone = os.sched_getaffinity(0), os.sched_getaffinity(os.getpid())
    return len(mine) if mine < everyone else None


class Session(Protocol):
    """A loaded model, ready to run."""

    def run(self, feed: Feed) -> Outputs:
        """Run one feed to the end. The outputs are NumPy arrays in host memory, complete when this returns, and
        stay unchanged until the same thread calls ``run`` again."""

    def close(self) -> None:
        """Give back what the session holds."""


Done = Callable[[Union[Outputs, Exception]], None]


class AsyncSession(Session, Protocol):
    """A session that takes feeds without waiting (ability ``submit``)."""

    def submit(self, feed: Feed, done: Done) -> None:
        """Start one feed and return, waiting only while the stack's own queue is full. ``done`` is called exactly
        once, on any thread, with the outputs (valid until it returns) or the exception."""


class Backend(Protocol):
    """What ``adapter.py`` is."""

    def devices(self) -> Sequence[DeviceInfo]:
        """Every device that this stack can use here, best first."""

    def compile(self, job: CompileJob) -> Compiled:
        """Compile the job's model into files under ``job.work`` and say what happened."""

    def load(self, compiled: Compiled, job: CompileJob) -> Session:
        """Load what ``compile`` wrote, in this or in another process, perhaps on another machine: of the ``job`` the
        files in ``work`` that ``compiled`` names are there then, and ``model`` and ``calibration`` are not."""


class Profiler(Session, Protocol):
    """A session with the stack's profiler on (ability ``profile``). It is never timed for a report."""

    def begin(self) -> None:
        """The warm-up is over: the runs that count come now. Called once."""

    def end(self) -> Sequence[OpTime]:
        """Each kernel that ran, in any order, with means over the runs since ``begin``. Called once, after them."""


class ProfilingBackend(Backend, Protocol):
    """What ``adapter.py`` is with the ability ``profile``."""

    def profiler(self, compiled: Compiled, job: CompileJob) -> Profiler:
        """Load what ``compile`` wrote, as ``load`` does, but with the stack's profiler on."""


class TuningBackend(Backend, Protocol):
    """What ``adapter.py`` is with the ability ``tune``."""

    def tune(self, job: CompileJob, limit_s: float) -> Tuning:
        """Look for the settings that suit the job best, and return after ``limit_s`` seconds at the latest, with what
        was found until then.

        Options that the job's target has are the user's: they stay. What is ``chosen`` are others of the backend's
        options; ``compile`` and ``load`` get them in their job. Files written to ``job.work`` are there when
        ``compile`` is called next, in this process. What is timed here serves the choice alone: it is told as the
        tuner's own, and no figure of a report comes from it."""
