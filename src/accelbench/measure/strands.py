"""How times become few bytes: differences that are small, cut into planes of bytes.

In a closed loop each query follows one that ended just before, so what is stored is the wait between them, some hundred
ns, and not the time of day. Which query followed which is read off the times: of the queries that were in flight
together the one that ended first made room for the next. Bytes of the same weight lie together, one plane after the
other, because compressors find more in them so; a plane that would be zero everywhere is left out.

NumPy only, Python 3.9 syntax.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]

MOST_STRANDS = 255


def planes(steps: NDArray[Any]) -> Bytes:
    """Integers as bytes, least significant first: one row per plane, of int64's eight those that are needed."""
    whole = np.ascontiguousarray(steps, dtype="<i8")
    least, most = (int(whole.min()), int(whole.max())) if len(whole) else (0, 0)
    count = 8 if least < 0 else max(1, (most.bit_length() + 7) // 8)
    found: Bytes = np.ascontiguousarray(whole.view(np.uint8).reshape(-1, 8)[:, :count].T)
    return found


def joined(stored: Bytes) -> Ints:
    """What ``planes`` was given. Raises ValueError for anything else."""
    if stored.dtype != np.uint8 or stored.ndim != 2 or not 1 <= len(stored) <= 8:
        raise ValueError(f"planes of {stored.dtype} and shape {stored.shape}")
    if len(stored) == 1:
        single: Ints = stored[0].astype(np.int64)
        return single
    width = 4 if len(stored) <= 4 else 8
    whole = np.zeros((stored.shape[1], width), dtype=np.uint8)
    for weight, plane in enumerate(stored):
        whole[:, weight] = plane
    found: Ints = whole.reshape(-1).view("<u4" if width == 4 else "<i8").astype(np.int64, copy=False)
    return found


def strands(issued: Ints, done: Ints) -> Bytes | None:
    """The strand of each query: queries of one follow one another, and each begins when the one before it has ended.
    ``issued`` ascends. None where there are none, or too many: queries that end before they begin, or more in flight
    than one byte can number."""
    if not len(issued) or bool((done < issued).any()):
        return None
    if bool((issued[1:] >= done[:-1]).all()):
        return np.zeros(len(issued), dtype=np.uint8)
    ended = np.sort(done)
    place = np.arange(len(issued))
    count = int((place + 1 - np.searchsorted(ended, issued, side="right")).max())
    if not 1 <= count <= MOST_STRANDS:
        return None
    before = np.concatenate((place[:count], np.argsort(done, kind="stable")[:-count]))
    if bool((before[count:] >= place[count:]).any()):
        return None
    while bool((before >= count).any()):
        before = before[before]
    return before.astype(np.uint8)


def waits(issued: Ints, done: Ints, strand: Bytes) -> Ints:
    """The ns from the end of the query before in the same strand to the issue of this one; of the first of each strand
    from the first issue of all."""
    order = _by_strand(strand)
    before = np.concatenate((issued[:1], done if order is None else done[order]))[: len(issued)]
    if order is None:
        return issued - before
    before[_begins(strand[order])] = issued[0]
    found = np.empty_like(issued)
    found[order] = issued[order] - before
    return found


def issues(first: int, waited: Ints, took: Ints, strand: Bytes) -> Ints:
    """``issued`` from what ``waits`` gave and the ns that each query took."""
    order = _by_strand(strand)
    if order is None:
        steps = waited.copy()
        steps[1:] += took[:-1]
        return np.cumsum(steps, out=steps) + first
    sorted_waits, sorted_took = waited[order], took[order]
    found = np.empty_like(waited)
    bounds = [*np.flatnonzero(_begins(strand[order])), len(order)]
    for begin, end in zip(bounds, bounds[1:]):
        steps = sorted_waits[begin:end]
        steps[1:] += sorted_took[begin : end - 1]
        found[order[begin:end]] = np.cumsum(steps) + first
    return found


def _by_strand(strand: Bytes) -> Ints | None:
    """The rows strand by strand; None where there is one strand only."""
    if bool((strand == strand[0]).all()):
        return None
    return np.argsort(strand, kind="stable")


def _begins(ordered: Bytes) -> NDArray[np.bool_]:
    return np.concatenate(([True], ordered[1:] != ordered[:-1]))
