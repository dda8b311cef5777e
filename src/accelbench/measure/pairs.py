"""Times of feeds that a session has run before beside those of fresh ones: a session that remembers is faster on the
first."""

from __future__ import annotations

from collections.abc import Sequence

from accelbench.backends.protocol import Feed, Session
from accelbench.measure.clock import REAL, Clock

LEAST_PAIRS = 3


def interleaved(
    session: Session, seen: Sequence[Feed], unseen: Sequence[Feed], limit_s: float, clock: Clock = REAL
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Nanoseconds of ``session.run`` on seen[i] and unseen[i] in turns, the order alternating from pair to pair.

    At least three pairs are run; after that none is begun when ``limit_s`` seconds have gone. One run of seen[0],
    which is not timed, comes before them.
    """
    session.run(seen[0])
    begin = clock.now()
    times: tuple[list[int], list[int]] = ([], [])
    for pair, feeds in enumerate(zip(seen, unseen)):
        if pair >= LEAST_PAIRS and clock.now() - begin > limit_s * 1e9:
            break
        for side in (0, 1) if pair % 2 == 0 else (1, 0):
            started = clock.now()
            session.run(feeds[side])
            times[side].append(clock.now() - started)
    return tuple(times[0]), tuple(times[1])
