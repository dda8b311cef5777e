"""A run of MLPerf's LoadGen seen from the host: a fresh worker under the usual watchdog, and what became of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from accelbench.envs import loadgen_log
from accelbench.envs.spec import BackendSpec
from accelbench.envs.worker import Driven, Worker
from accelbench.errors import Unsupported, WorkerError
from accelbench.model import Compiled, LoadGen, Plan
from accelbench.worker.jobs import Job


def under_loadgen(
    spec: BackendSpec,
    overlay: Path,
    job: Job,
    compiled: Compiled,
    plan: Plan,
    *,
    feeds: Path,
    scratch: Path,
    logs: Path,
    timeout_s: float | None,
) -> LoadGen:
    """Load ``compiled`` in a worker of its own and run ``plan`` there under LoadGen.

    Whatever becomes of that process is in ``reasons``; nothing of it is raised. LoadGen writes to the new folder
    ``scratch``; its two texts go to ``logs``, beside what the process printed. ``LoadGen.logs`` is the path as given.
    """
    scratch = scratch.absolute()
    scratch.mkdir(parents=True)
    driven: Driven | None = None
    reasons: tuple[str, ...]
    try:
        with Worker(spec, logs, timeout_s=timeout_s, overlay=overlay) as worker:
            worker.load(compiled, job)
            driven = worker.loadgen(
                plan, feeds=feeds, folder=scratch, batched=job.batched, concurrency=compiled.concurrency
            )
            reasons = tuple(_findings(driven))
    except WorkerError as error:
        reasons = (f"{error.kind}: {error}",)
    except Unsupported as finding:
        reasons = (f"unsupported: {finding}",)
    found = loadgen_log.read(scratch)
    if found.valid is None and not reasons:
        reasons = ("LoadGen ended without a summary",)
    for name in (loadgen_log.SUMMARY, loadgen_log.DETAIL):
        if (scratch / name).is_file():
            shutil.copyfile(scratch / name, logs / name)
    return LoadGen(
        plan=plan,
        version=found.version,
        valid=found.valid,
        reasons=reasons,
        samples=1 if plan.scenario == "multi_stream" else plan.batch,
        queries=driven.queries if driven else None,
        expected_ns=driven.expected_ns if driven else None,
        expected_rate=driven.expected_rate if driven else None,
        figures=found.figures,
        settings=found.settings,
        complaints=found.complaints,
        logs=str(logs),
    )


def _findings(driven: Driven) -> Iterator[str]:
    if driven.failed:
        yield f"{driven.failed} of {driven.queries} queries failed, and LoadGen timed them as done"
    yield from driven.errors
