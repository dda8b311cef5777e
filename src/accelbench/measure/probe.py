"""Does a session remember? Feeds that were timed before against fresh ones, in pairs of random order."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

import numpy as np

from accelbench.backends.protocol import Feed, Session
from accelbench.measure.lanes import lanes
from accelbench.measure.load import block
from accelbench.tensors import Array

LEAST_PAIRS = 8
MEMORY_RATIO = 0.7
MEMORY_SHARE = 0.9


def probe(session: Session, seen: Sequence[Feed], unseen: Sequence[Feed]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Latencies in ns of feeds seen before and of as many unseen ones, pair by pair. Every unseen feed runs once; what
    the session raises passes through."""
    took: tuple[list[int], list[int]] = ([], [])
    for i, fresh in enumerate(unseen):
        pair = [(0, seen[i % len(seen)]), (1, fresh)]
        random.shuffle(pair)
        for side, feed in pair:
            lane = lanes([feed], 1)[0]
            ended = block(session.run, lane, 1, time.perf_counter_ns)
            if isinstance(ended, Exception):
                raise ended
            took[side].append(lane.done[0] - lane.issued[0])
    return tuple(took[0]), tuple(took[1])


def fresh(feed: Feed, seed: int) -> Feed:
    """A feed that no session has seen, with the same values: in each array two unequal elements change places."""
    chance = random.Random(seed)
    return {name: _swapped(np.asarray(value), chance) for name, value in feed.items()}


def remembers(seen_ns: Sequence[int], unseen_ns: Sequence[int]) -> bool:
    """Whether the seen feeds were so much faster, in so many of the pairs, that results must have been kept."""
    if len(seen_ns) < LEAST_PAIRS:
        return False
    seen, unseen = np.array(seen_ns, dtype=np.float64), np.array(unseen_ns, dtype=np.float64)
    faster = float(np.mean(seen < MEMORY_RATIO * unseen))
    return faster >= MEMORY_SHARE


def _swapped(value: Array, chance: random.Random) -> Array:
    swapped = value.copy()
    flat = swapped.reshape(-1)
    if flat.size > 1:
        first = chance.randrange(flat.size)
        others = np.flatnonzero(flat != flat[first])
        if len(others):
            second = int(others[chance.randrange(len(others))])
            flat[first], flat[second] = value.reshape(-1)[second], value.reshape(-1)[first]
    return swapped
