"""A timed pass seen from inside the worker: feeds are brought into memory, ``measure`` puts the load on and keeps the
time, and what it kept of the outputs is compared with the accuracy pass."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from accelbench.backends.protocol import Feed, Session
from accelbench.measure import arrivals
from accelbench.measure.batching import in_front
from accelbench.measure.lanes import Sample
from accelbench.measure.load import measure
from accelbench.measure.pairs import interleaved
from accelbench.model import Integrity, Measurement, Plan
from accelbench.tensors import Array, Record, TensorSet, relative_l2
from accelbench.worker.infer import batches, split

PAIRS = 9
PAIRS_LIMIT_S = 0.5
CHANGED_SHARE = 0.01
NOISE = 1e-3
FEEDS_LIMIT_BYTES = 1 << 30
"""Feeds that are rotated take at most so much memory, though never fewer than FEWEST_FEEDS are."""

FEWEST_FEEDS = 8

Times = tuple[int, ...]


def timed(
    session: Session,
    feeds: TensorSet,
    outputs: TensorSet,
    plan: Plan,
    columns: Path,
    *,
    batched: bool,
    threads: bool,
    submit: bool,
    concurrency: int,
    trace: Path | None = None,
    audited: bool = True,
) -> Measurement:
    """Run ``plan`` and write its raw columns to the new folder ``columns``. ``outputs`` is what the accuracy pass gave
    for ``feeds``, sample by sample. ``trace`` is the file with the arrivals that the plan names, if it does. Without
    ``audited`` neither the host is looked at nor are repeated feeds held against fresh ones."""
    size = plan.batch if batched else 1
    ready = in_memory(feeds, plan.batch, batched)
    batching = in_front(session, plan, threads=threads, concurrency=concurrency) if plan.max_batch else None
    if batching is not None:
        session, threads, submit, concurrency = batching, True, False, batching.clients
    schedule = arrivals.scheduled(plan, trace) if plan.scenario == "server" else None
    run = measure(
        session,
        ready,
        plan,
        threads=threads,
        submit=submit,
        concurrency=concurrency,
        audited=audited,
        schedule=schedule,
    )
    batch_sizes = batching.sizes(run.began_ns) if batching is not None else None
    run.columns.write(columns)
    nothing: tuple[Times, Times, tuple[str, ...]] = (), (), run.errors
    compare = audited and not run.errors
    seen_ns, unseen_ns, errors = _seen_and_unseen(session, ready, plan.seed) if compare else nothing
    worst, mismatched = _distance(run.samples, outputs, size, batched)
    return replace(
        run.measurement(plan, str(columns)),
        integrity=Integrity(len(run.samples), mismatched, worst, seen_ns, unseen_ns),
        errors=errors,
        batch_sizes=batch_sizes,
        schedule_sha256=arrivals.sha256(schedule) if schedule is not None else None,
    )


def _seen_and_unseen(session: Session, ready: Sequence[Feed], seed: int) -> tuple[Times, Times, tuple[str, ...]]:
    """Interleaved times, in ns, of feeds that were timed before and of fresh ones; or what the session raised."""
    seen = [ready[pair % len(ready)] for pair in range(PAIRS)]
    others = [ready[(pair + 1) % len(ready)] for pair in range(PAIRS)]
    generator = np.random.default_rng(seed)
    try:
        unseen = [fresh(feed, generator, other) for feed, other in zip(seen, others)]
        times = interleaved(session, seen, unseen, PAIRS_LIMIT_S)
    except Exception as error:  # the stack's: the pass itself stands
        return (), (), (f"{type(error).__name__}: {error}",)
    return (*times, ())


def in_memory(feeds: TensorSet, batch: int, batched: bool) -> list[Feed]:
    """The feeds that a timed pass rotates, as arrays of their own: all samples, or as many of the first as memory is
    meant for."""
    return [_own(feed) for feed in batches(_few(feeds, batch if batched else 1), batch, batched)]


def fresh(feed: Feed, generator: np.random.Generator, other: Feed) -> Feed:
    """A feed like ``feed`` that no session has seen: floats with noise of one part in a thousand, and of every other
    tensor one element in a hundred (at least one) replaced by that of ``other`` at the same place, so that each place
    keeps to its range: ids of several tables may lie in one tensor. Where ``other`` has the same everywhere, or another
    shape, elements of the tensor itself take their places."""
    changed: dict[str, Array] = {}
    for name, value in feed.items():
        if value.dtype.kind == "f":
            noise = generator.uniform(1 - NOISE, 1 + NOISE, value.shape)
            changed[name] = (value * noise).astype(value.dtype)
        else:
            changed[name] = _exchanged(np.asarray(value), np.asarray(other[name]), generator)
    return changed


def _exchanged(value: Array, other: Array, generator: np.random.Generator) -> Array:
    flat, count = np.array(value).reshape(-1), math.ceil(value.size * CHANGED_SHARE)
    places = np.flatnonzero(value != other) if value.shape == other.shape else np.empty(0, np.int64)
    if len(places):
        chosen = generator.choice(places, size=min(count, len(places)), replace=False)
        flat[chosen] = other.reshape(-1)[chosen]
        return flat.reshape(value.shape)
    for place in generator.integers(flat.size, size=count):
        others = np.flatnonzero(flat != flat[place])
        flat[place] = flat[generator.choice(others)] if others.size else flat[place]
    return flat.reshape(value.shape)


def _distance(samples: Sequence[Sample], outputs: TensorSet, size: int, batched: bool) -> tuple[float | None, int]:
    """The largest distance of the kept outputs from the accuracy pass's, and how many cannot be compared at all."""
    worst: float | None = None
    mismatched = 0
    for sample in samples:
        distances = []
        for row, record in enumerate(split(sample.outputs, size, batched)):
            expected = outputs[min(sample.feed * size + row, len(outputs) - 1)]
            distances += _per_output(record, expected)
        numbers = [distance for distance in distances if distance is not None]
        if len(numbers) < len(distances) or not numbers:
            mismatched += 1
            continue
        worst = max(numbers) if worst is None else max(worst, *numbers)
    return worst, mismatched


def _per_output(record: Record, expected: Record) -> list[float | None]:
    if set(record) != set(expected):
        return [None]
    return [relative_l2(np.asarray(value), expected[name]) for name, value in record.items()]


def _own(feed: Feed) -> Feed:
    return {name: np.array(value) for name, value in feed.items()}


def _few(feeds: TensorSet, size: int) -> Sequence[Record]:
    """As many of the first samples as fit into the limit, whole feeds of them."""
    sample_bytes = sum(value.nbytes for value in feeds[0].values())
    count = max(FEWEST_FEEDS, FEEDS_LIMIT_BYTES // max(1, sample_bytes * size)) * size
    few: Sequence[Record] = feeds[:count]
    return few
