"""Where a model's time goes on a target: the stack's own account by operator, beside the harness's latency."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from accelbench import paths
from accelbench.bench import Bench, device_of
from accelbench.envs.spec import BackendSpec
from accelbench.envs.worker import Worker
from accelbench.errors import Unsupported
from accelbench.model import Build, OpTime, Plan, Stop, Target
from accelbench.zoo.subject import Subject


@dataclass(frozen=True)
class Profile:
    """``times`` are by the stack's clock. ``plain_s`` and ``profiled_s`` are medians of the harness's latencies in
    seconds, without the stack's profiler and with it, over ``runs`` of the latter."""

    target: Target
    build: Build
    times: tuple[OpTime, ...]
    runs: int
    plain_s: float
    profiled_s: float


def profile(
    subject: Subject,
    spec: BackendSpec,
    target: Target,
    *,
    batch: int,
    runs: int,
    timeout_s: float | None,
    say: Callable[[str], None],
) -> Profile:
    """Compile ``subject`` for ``batch`` and run it ``runs`` times with the stack's profiler on.

    Raises Unsupported where the backend does not tell time per operator, or cannot take the subject, and WorkerError
    where it fails.
    """
    if not spec.table.abilities.profile:
        raise Unsupported(f"backend {spec.name} does not tell time per operator")
    if target.precision not in spec.table.precisions:
        offered = ", ".join(spec.table.precisions)
        raise Unsupported(f"{spec.name} does not offer {target.precision} (it offers {offered})")
    plan = Plan("single_stream", Stop(max_s=1.0), batch=batch)
    with paths.scratch() as work, Worker(spec, work / "logs", timeout_s=timeout_s) as worker:
        found = replace(target, device=device_of(worker.devices(), target).id)
        bench = Bench(worker, subject, found, work, say)
        bench.prepare(plan)
        build, job = bench.release(plan)
        say("running with the stack's profiler on")
        told = worker.profile(build.compiled, job, subject.feeds.path, runs)
    plain_s, profiled_s = (float(np.median(times)) * 1e-9 for times in (told.plain_ns, told.profiled_ns))
    return Profile(found, build, told.times, len(told.profiled_ns), plain_s, profiled_s)
