"""Batches, open dimensions and precisions: what is taken is answered rightly, and told as it is."""

from __future__ import annotations

from accelbench.acceptance import probes
from accelbench.acceptance.stand import SAMPLES, Built, Found, Stand, apart, expected, feeds
from accelbench.envs.worker import Worker
from accelbench.errors import Unsupported, WorkerError
from accelbench.model import Build
from accelbench.quality.checks import precision_reasons
from accelbench.quality.coverage import coverage
from accelbench.quality.drift import accumulate
from accelbench.tensors import TensorSet, stack

BATCHES = (1, 2, 5, 8)
DYNAMIC = "batch"


def batches(stand: Stand) -> Found:
    """Several batches, each compiled by itself, and a model whose batch is open: it is run, or it is Unsupported."""
    found, records = Found(), probes.samples(SAMPLES)
    wanted = expected(stand, records)
    with stand.worker() as worker:
        for batch in BATCHES:
            try:
                built = stand.built(worker, batch)
            except Unsupported as finding:
                (found.problems if batch == 1 else found.remarks).append(f"batch {batch}: unsupported: {finding}")
                continue
            executed = built.facts.compiled.executed_precision
            problem = apart(wanted, stand.ran(worker, records, batch), executed)
            if problem:
                found.problems.append(f"batch {batch}: {problem}")
        try:
            problem = _dynamic(stand, worker)
        except Unsupported:
            found.remarks.append("a model with an open batch is refused")
        else:
            told = f"a model with an open batch: {problem or 'runs'}"
            (found.problems if problem else found.remarks).append(told)
    return found


def precision(stand: Stand) -> Found:
    """Each precision of backend.toml runs as it is told, or is Unsupported here; the numbers agree with the claim."""
    found, records = Found(), probes.samples(SAMPLES)
    wanted, refused = expected(stand, records), 0
    for asked in stand.spec.table.precisions:
        with stand.worker() as worker:
            try:
                built = stand.built(worker, precision=asked)
            except Unsupported as finding:
                found.remarks.append(f"{asked}: unsupported here: {finding}")
                refused += 1
                continue
            outputs = stand.ran(worker, records)
        executed = built.facts.compiled.executed_precision
        problem = apart(wanted, outputs, "fp32" if asked == executed == "fp32" else executed)
        reasons = precision_reasons(accumulate(wanted, outputs), asked, [_build(built)])
        found.problems += [f"{asked}: {text}" for text in ([problem] if problem else reasons)]
        if executed != asked:
            found.remarks.append(f"{asked} runs as {executed}, and says so")
    if refused == len(stand.spec.table.precisions):
        found.problems.append("none of the precisions that backend.toml offers runs")
    return found


def _dynamic(stand: Stand, worker: Worker) -> str | None:
    """What is wrong with a model whose batch is open. Raises Unsupported where the stack refuses it."""
    try:
        built = stand.built(worker, DYNAMIC)
        for size in (2, 3):
            rows = probes.expected(probes.samples(2 * size))
            wanted = stand.written(stack(rows[start : start + size]) for start in (0, size))
            outputs = stand.ran(worker, feeds(size, 2), batched=False)
            problem = apart(TensorSet(wanted), outputs, built.facts.compiled.executed_precision)
            if problem:
                return f"batch {size}: {problem}"
    except WorkerError as error:
        if error.kind != "raised":
            raise
        return f"neither run nor Unsupported: {error}"
    return None


def _build(built: Built) -> Build:
    compiled = built.facts.compiled
    return Build(
        batch=1,
        purpose=None,
        compile_s=built.facts.seconds,
        load_s=None,
        compiled=compiled,
        coverage=coverage(compiled.placements, built.job.target.device, {}),
        artifacts=built.facts.artifacts,
    )
