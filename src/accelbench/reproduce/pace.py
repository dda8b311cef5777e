"""Timed passes compared where the machine had the same pace.

A shared machine changes its pace by half, for seconds, as a neighbour uses the other half of a core. So two passes of
one thing differ by as much, and neither says that anything is wrong with the other. The loop times a small fixed kernel
in its pauses, some 50 times a second (``measure.audit.pace``): a *block* of queries lies between two of them. What was
measured in blocks at one pace is comparable with what was measured in others at the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from accelbench.figures.figures import TAILS
from accelbench.figures.passes import Pass
from accelbench.measure import stats
from accelbench.measure.columns import Columns, Ints
from accelbench.measure.validity import INSTABILITY

WIDTH = 1.08
"""Paces within this factor of one another, up or down, are the same."""

BLOCKS = 20
"""A pass with fewer blocks at a pace says nothing about it."""

EVERYWHERE = 0.9
"""Passes that had one pace for so much of their time are compared whole."""


@dataclass(frozen=True)
class SamePace:
    """A pass and those that repeat it, each with its queries at one pace alone; None for one that did not have it.
    ``shares`` is how much of their time that was, the first pass's first."""

    first: Pass
    runs: tuple[Pass | None, ...]
    shares: tuple[float, ...]

    def note(self, whole: str) -> str:
        """What a reader must know; ``whole`` is the figure of the first pass as its report has it."""
        own, *others = self.shares
        had = [share for share in others if share]
        return (
            f"compared where the machine had the same pace: {own:.0%} of the first pass (whole: {whole}), "
            f"{min(had):.0%} to {max(had):.0%} of {len(had)} of {len(others)} runs"
        )


@dataclass(frozen=True, eq=False)
class _Blocks:
    """The blocks of a pass that lie between two pauses: begin and end in ns, and the pace before and after each."""

    begin: Ints
    end: Ints
    slowest: Ints
    fastest: Ints

    @classmethod
    def of(cls, columns: Columns | None) -> _Blocks | None:
        """None for a pass whose pace was not measured, or for too short a time."""
        if columns is None or columns.pauses.shape[1] < 3 or len(columns.pauses) <= BLOCKS:
            return None
        begin, end, pace = columns.pauses[:-1, 1], columns.pauses[1:, 0], columns.pauses[:, 2]
        return cls(begin, end, np.maximum(pace[:-1], pace[1:]), np.minimum(pace[:-1], pace[1:]))

    def at(self, pace_ns: float) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = (self.fastest * WIDTH >= pace_ns) & (self.slowest <= pace_ns * WIDTH)
        return found

    def share(self, at: NDArray[np.bool_]) -> float:
        """How much of the blocks' time these took; nothing where they are too few."""
        took = self.end - self.begin
        return float(took[at].sum() / took.sum()) if at.sum() >= BLOCKS else 0.0


def same_pace(first: Pass, runs: Sequence[Pass | None], fewest: int) -> SamePace | None:
    """The passes at the pace that ``first`` and at least ``fewest`` of ``runs`` had for the largest part of their time.
    None where there is no such pace, where it was not measured, and where all had but one."""
    own, others = _Blocks.of(first.columns), [_Blocks.of(run.columns) if run else None for run in runs]
    known = [blocks for blocks in others if blocks is not None]
    if own is None or len(known) < max(fewest, 1):
        return None

    def common(pace_ns: float) -> float:
        shares = sorted((blocks.share(blocks.at(pace_ns)) for blocks in known), reverse=True)
        return min(own.share(own.at(pace_ns)), shares[fewest - 1])

    candidates = np.quantile(np.concatenate([own.slowest, own.fastest]), np.linspace(0.02, 0.98, 49))
    pace_ns = max((float(each) for each in candidates), key=common)
    shares = [blocks.share(blocks.at(pace_ns)) if blocks else 0.0 for blocks in (own, *others)]
    if common(pace_ns) == 0.0 or min(shares) >= EVERYWHERE:
        return None
    restricted = [
        _restricted(timed, blocks, pace_ns) if timed is not None and blocks is not None and share else None
        for timed, blocks, share in zip((first, *runs), (own, *others), shares, strict=True)
    ]
    assert restricted[0] is not None
    return SamePace(restricted[0], tuple(restricted[1:]), tuple(shares))


def _restricted(timed: Pass, blocks: _Blocks, pace_ns: float) -> Pass:
    """The pass as if it had consisted of these blocks alone; that it was not stable is no matter then."""
    assert timed.columns is not None
    columns = _within(timed.columns, blocks, blocks.at(pace_ns))
    validity = tuple(each for each in timed.validity or () if not each.startswith(INSTABILITY))
    return replace(timed, columns=columns, summary=stats.summary(columns, TAILS), validity=validity)


def _within(columns: Columns, blocks: _Blocks, at: NDArray[np.bool_]) -> Columns:
    """The queries issued in the blocks ``at``; what lies between these counts as pauses."""
    block = np.searchsorted(blocks.begin, columns.issued, side="right") - 1
    inside = (block >= 0) & at[block] & (columns.issued < blocks.end[block])
    begin, end = blocks.begin[at], blocks.end[at]
    return replace(
        columns,
        scheduled=columns.scheduled[inside],
        issued=columns.issued[inside],
        done=columns.done[inside],
        units=columns.units[inside],
        ok=columns.ok[inside],
        feed=columns.feed[inside],
        pauses=np.stack([end[:-1], begin[1:]], axis=1),
    )
