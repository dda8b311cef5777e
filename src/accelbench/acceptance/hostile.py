"""Models and feeds that nothing should take: they are refused with an error, and what comes after them still works."""

from __future__ import annotations

from contextlib import ExitStack

from accelbench.acceptance import probes
from accelbench.acceptance.stand import Found, Stand, feeds, same_bits
from accelbench.envs.worker import Worker
from accelbench.errors import Unsupported, WorkerError
from accelbench.tensors import TensorSet, stack

REFUSED = "raised"


def bad_models(stand: Stand) -> Found:
    """Broken files and graphs: compile, load or run raises, and a good model still runs afterwards."""
    found = Found()
    for what, model in probes.bad_models().items():
        with stand.worker() as worker:
            problem = _taken(stand, worker, model)
            if problem is None:
                problem = _still_works(stand, worker)
        if problem:
            found.problems.append(f"{what}: {problem}")
    return found


def bad_inputs(stand: Stand) -> Found:
    """Feeds of wrong names, shapes and types: run raises, and the next good feed is answered as before."""
    found = Found()
    good = stack(probes.samples(1))
    with ExitStack() as living:
        worker = _started(stand, living)
        first = stand.ran(worker, [good], batched=False)
        for bad in probes.BAD_FEEDS:
            try:
                stand.ran(worker, [bad.make(good)], batched=False)
                found.problems.append(f"{bad.what}: answered")
            except Unsupported:
                continue
            except WorkerError as error:
                if error.kind == REFUSED:
                    if not same_bits(first, stand.ran(worker, [good], batched=False)):
                        found.problems.append(f"{bad.what}: refused, but the next feed is answered differently")
                    continue
                found.problems.append(f"{bad.what}: {error.kind}: {error}")
                living.close()
                worker = _started(stand, living)
    return found


def _started(stand: Stand, living: ExitStack) -> Worker:
    worker = living.enter_context(stand.worker())
    stand.built(worker)
    return worker


def _taken(stand: Stand, worker: Worker, model: bytes) -> str | None:
    """What became of a bad model, if it was not refused."""
    job = stand.job(model)
    try:
        built = worker.compile(job)
        worker.load(built.compiled, job)
        out = stand.room() / "out"
        worker.infer(stand.written(feeds(1, 1)), out, batch=1, batched=False)
    except Unsupported:
        return None
    except WorkerError as error:
        return None if error.kind == REFUSED else f"{error.kind}: {error}"
    return f"answered, with {', '.join(TensorSet(out).names) or 'no outputs'}"


def _still_works(stand: Stand, worker: Worker) -> str | None:
    try:
        stand.built(worker)
        stand.ran(worker, feeds(1, 1), batched=False)
    except (Unsupported, WorkerError) as error:
        return f"refused, but a good model does not run after it: {error}"
    return None
