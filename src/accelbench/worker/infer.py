"""The accuracy pass: every sample through the session once, outputs written as a tensor set. Not timed for anybody."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from accelbench.backends.protocol import Feed, Outputs, Session
from accelbench.tensors import Array, Record, TensorSet, TensorWriter, stack

WATCHED_RUNS = 4
"""So many runs have their outputs looked at twice, to see whether they were complete when they were handed back."""

SETTLE_S = 0.02
"""The pause between the two looks."""


@dataclass(frozen=True)
class InferFacts:
    """``records`` written (one per sample), ``runs`` made, ``unready`` outputs sets of the watched runs that changed
    after they were handed back, and the ``seconds`` that the whole pass took, files included."""

    records: int
    runs: int
    unready: int
    seconds: float


def infer(session: Session, feeds: TensorSet, out: Path, batch: int, batched: bool) -> InferFacts:
    """Run all records of ``feeds`` and write their outputs to the new set ``out`` in the same order.

    When the task is ``batched``, ``batch`` samples make one feed; the last feed is filled up by repeating its last
    sample, and the surplus outputs are cut. An output whose first dimension is not the batch is written whole, for
    each of its samples: the host then sees the wrong shape.
    """
    started = time.perf_counter()
    size = batch if batched else 1
    runs = unready = 0
    with TensorWriter(out) as writer:
        for start in range(0, len(feeds), size):
            samples: list[Record] = feeds[start : start + size]
            handed = session.run(_feed(samples, size, batched))
            kept = copy(handed)
            if runs < WATCHED_RUNS:
                time.sleep(SETTLE_S)
                unready += not same_bits(kept, handed)
            runs += 1
            for record in split(kept, size, batched)[: len(samples)]:
                writer.append(record)
    return InferFacts(records=len(feeds), runs=runs, unready=unready, seconds=time.perf_counter() - started)


def batches(feeds: Sequence[Record], batch: int, batched: bool) -> list[Feed]:
    """All samples as feeds of ``batch`` samples, the last one filled up by repeating its last sample."""
    size = batch if batched else 1
    return [_feed(list(feeds[start : start + size]), size, batched) for start in range(0, len(feeds), size)]


def copy(outputs: Outputs) -> dict[str, Array]:
    """The outputs as arrays of their own."""
    return {name: np.array(value) for name, value in outputs.items()}


def same_bits(kept: Record, handed: Outputs) -> bool:
    """Whether two sets of outputs are equal in names, types, shapes and every bit."""
    if set(kept) != set(handed):
        return False
    for name, value in kept.items():
        other = np.asarray(handed[name])
        if other.dtype != value.dtype or other.shape != value.shape or other.tobytes() != value.tobytes():
            return False
    return True


def split(outputs: Record, size: int, batched: bool) -> list[Record]:
    """The records of the ``size`` samples of one run."""
    if not batched:
        return [outputs]
    return [{name: _row(value, row, size) for name, value in outputs.items()} for row in range(size)]


def _row(value: Array, row: int, size: int) -> Array:
    if value.ndim and value.shape[0] == size:
        part: Array = value[row]
        return part
    return value


def _feed(samples: list[Record], size: int, batched: bool) -> Feed:
    if not batched:
        return samples[0]
    return stack(samples + samples[-1:] * (size - len(samples)))
