"""When a pass has seen enough: the rule that ends it before its time limit.

Looking often biases an interval, so looks are few and late: the first at 500 queries and 40 beyond the quantile, each
next one after a quarter more. A quantile in a valley between two modes never gets tight; three looks in a row that
find it there end the waiting.
"""

from __future__ import annotations

import math
from typing import Callable

from accelbench.measure import stats
from accelbench.measure.columns import Columns
from accelbench.model import Stop, StopReason

FIRST_LOOK, TAIL_AT_FIRST_LOOK, GROWTH = 500, 40, 1.25
VALLEY_LOOKS = 3


class Looks:
    """The looks that a pass takes at its statistic."""

    def __init__(self, stop: Stop) -> None:
        self.stop = stop
        self.next = first_look(stop)
        self._valleys = 0

    def take(self, count: int, columns: Callable[[], Columns]) -> StopReason | None:
        """Look, if one is due with ``count`` queries done: ``interval`` when the statistic is known well enough,
        ``modes`` when it never will be, else None."""
        if self.stop.ci_target is None or count < self.next:
            return None
        self.next = int(count * GROWTH) + 1
        known = stats.knowledge(columns(), self.stop.statistic)
        self._valleys = self._valleys + 1 if known.valley else 0
        if known.half_width is not None and known.half_width <= self.stop.ci_target:
            return "interval"
        return "modes" if self._valleys >= VALLEY_LOOKS else None


def first_look(stop: Stop) -> int:
    """The number of queries before which no look is honest: 500, and 40 beyond the quantile."""
    p = stats.QUANTILES.get(stop.statistic, 0.5)
    return max(FIRST_LOOK, math.ceil(TAIL_AT_FIRST_LOOK / (1 - p) - 1e-9))
