"""What happens between queries: whether to go on, the canary, and the copies of outputs.

Queries run in blocks of random (geometric) length, some 20 ms long. All of this happens between two blocks, so it
costs the timed queries nothing, and a session cannot know which query is the last of its block, whose outputs may be
kept.
"""

from __future__ import annotations

import math
import random
import threading
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Union

import numpy as np

from accelbench.backends.protocol import Outputs
from accelbench.measure import audit
from accelbench.measure.clock import Clock
from accelbench.measure.columns import Columns, Ints
from accelbench.measure.lanes import Kept, Lane, merge
from accelbench.measure.stopping import Looks
from accelbench.model import Plan, StopReason

BLOCK_NS = 20_000_000
SAMPLES = 16
CANARY_EVERY_NS = 100_000_000
"""A session that found its processor idle runs its next query slower: so few queries follow a canary's sleep."""

ERROR_TEXTS, ERRORS_IN_A_ROW, ERROR_SHARE = 10, 11, 0.1

CANARY_ROOM_NS, LOOK_ROOM_NS, LOOK_ROOM_PER_QUERY_NS = 1_500_000, 2_000_000, 500
"""How long nothing must be due before a canary, and before a look at the statistic."""

LEAD_NS = 20_000_000
"""An open loop's threads get so long to start before the schedule does."""

OVERTIME = 0.5
"""An open loop works off what is due after its end for so much of its length, then gives up."""

Ended = Union[Outputs, Exception, None]


class Watch:
    """The state of one timed pass. ``reason`` is None while the pass goes on."""

    def __init__(
        self,
        plan: Plan,
        clock: Clock,
        lanes: Sequence[Lane],
        *,
        together: bool = False,
        audited: bool = False,
        pace_ns: float = 0.0,
    ) -> None:
        """``together``: one thread issues for all lanes. ``pace_ns``: the time that one query is known to take."""
        self.plan, self.clock, self.lanes = plan, clock, lanes
        self.reason: StopReason | None = None
        self.errors: list[str] = []
        self.canaries: list[int] = []
        self.pauses: list[tuple[int, ...]] = []
        self.kept: list[Kept] = []
        self.schedule: Sequence[int] = ()
        self._cut = False
        self.begin = clock.now()
        self._end = self.begin + int(plan.stop.max_s * 1e9)
        self._audited = audited
        self._together = together
        self._groups = {id(lane): lanes if together else [lane] for lane in lanes}
        self._marks = {id(lane): (self.begin, 0, 0) for lane in lanes}
        self._pace_ns = pace_ns / len(lanes) if together else pace_ns
        self._looks = Looks(plan.stop)
        self._canary_due = self.begin
        self._budget = plan.stop.max_queries
        self._offered = 0
        self._spun_ns = clock.spun_ns
        self._random = random.Random()
        self._lock = threading.Lock()

    @property
    def spin_share(self) -> float:
        """The share of the pass so far that threads spent in spinning."""
        return (self.clock.spun_ns - self._spun_ns) / max(1, self.clock.now() - self.begin)

    def left_s(self) -> float:
        """Seconds until the time limit, at least 0."""
        return max(0.0, (self._end - self.clock.now()) * 1e-9)

    def unserved(self) -> Lane:
        """The arrivals that were due when the pass ended and never issued, as queries that failed at that moment."""
        lane, now = Lane(self.lanes[0].order, iter(())), self.clock.now()
        issued = {row for each in self.lanes for row in each.rows}
        for row in range(bisect_left(self.schedule, now)):
            if row not in issued:
                lane.failed.append(len(lane))
                lane.rows.append(row)
                lane.issued.append(now)
                lane.done.append(now)
        return lane

    def follow(self, arrivals: Ints) -> None:
        """Make ``arrivals`` (ns from the begin of the pass) its schedule."""
        self.begin = self.clock.now() + LEAD_NS
        self._end = self.begin + int(self.plan.stop.max_s * 1e9)
        self.schedule = (arrivals[: self._budget] + self.begin).tolist()
        self._cut = len(self.schedule) < len(arrivals) or self.plan.trace is not None

    def stop(self, reason: StopReason) -> None:
        """End the pass; the first reason stays."""
        if self.reason is None:
            self.reason = reason

    def finish(self) -> None:
        """The loops have ended by themselves."""
        self.stop("queries" if self._cut else "time")

    def next_block(self, lane: Lane, ended: Ended) -> int:
        """How many queries ``lane`` runs next, 0 at the end of the pass. ``ended`` is what its last query gave."""
        paused = self.clock.now()
        self.note(lane, ended)
        length = self._length(lane, paused)
        if lane is self.lanes[0]:
            self.canary()
            self.look()
        if paused >= self._end:
            self.stop("time")
        if self.reason is not None:
            return 0
        length = self._granted(lane, length)
        alone = len(self.lanes) == 1 and len(lane) > 0
        pace = (audit.pace(),) if alone and self._audited else ()
        resumed = self.clock.now()
        if alone and resumed > paused:
            self.pauses.append((paused, resumed, *pace))
        self._marks[id(lane)] = (resumed, self._issued(lane), length)
        return length

    def between_arrivals(self, lane: Lane, ended: Ended) -> int:
        """The same in an open loop: never in the way of an arrival. Gives the number of arrivals to the next call."""
        self.note(lane, ended)
        now = self.clock.now()
        done = sum(len(each) for each in self.lanes)
        gap = self.schedule[min(bisect_left(self.schedule, now), len(self.schedule) - 1)] - now
        if gap > CANARY_ROOM_NS:
            self.canary()
        if gap > LOOK_ROOM_NS + LOOK_ROOM_PER_QUERY_NS * done or done > 2 * self._looks.next:
            self.look()
        if now > self._end + OVERTIME * (self._end - self.begin):
            self.stop("time")
        length = self._length(lane, now)
        self._marks[id(lane)] = (now, self._issued(lane), length)
        return max(1, length)

    def note(self, lane: Lane, ended: Ended) -> None:
        """Keep the outputs or the error that the lane's last query ended with."""
        if isinstance(ended, Exception):
            self._failed(lane, ended)
        elif isinstance(ended, Mapping):
            self._offer(lane, ended)
        elif ended is not None:
            self._tell(f"the session returned {type(ended).__name__}, not arrays by name")

    def canary(self) -> None:
        """Time a short sleep, if the last one is long enough ago."""
        now = self.clock.now()
        if self._audited and now >= self._canary_due:
            self._canary_due = now + CANARY_EVERY_NS
            self.canaries.append(audit.canary())

    def look(self) -> None:
        """End the pass if its statistic is known well enough."""
        if self.clock.now() < self.begin + int(self.plan.stop.min_s * 1e9):
            return
        reason = self._looks.take(sum(len(lane) for lane in self.lanes), self.columns)
        if reason is not None:
            self.stop(reason)

    def columns(self) -> Columns:
        """What was recorded so far."""
        return merge(self.lanes, self.begin, self.plan.batch, (), self.pauses, self.schedule)[0]

    def _issued(self, lane: Lane) -> int:
        return sum(len(each.issued) for each in self._groups[id(lane)])

    def _length(self, lane: Lane, now: int) -> int:
        since, before, _ = self._marks[id(lane)]
        count = self._issued(lane) - before
        if self._together:
            # What was just issued has not taken its time yet, and ends come in bunches.
            since, count = self.begin, sum(len(each) for each in self.lanes)
        if count > 0:
            self._pace_ns = max(1.0, (now - since) / count)
        if not self._pace_ns:
            return 1
        mean = BLOCK_NS / self._pace_ns
        left = max(0.0, (self._end - now) / self._pace_ns)
        return int(min(self._drawn(mean), 4 * mean + 1, left + 1))

    def _drawn(self, mean: float) -> int:
        """A geometric random number with the given mean, at least 1."""
        if mean <= 1.0:
            return 1
        return 1 + int(math.log(1.0 - self._random.random()) / math.log1p(-1.0 / mean))

    def _granted(self, lane: Lane, count: int) -> int:
        if self._budget is None:
            return count
        _, before, granted = self._marks[id(lane)]
        with self._lock:
            self._budget += granted - (self._issued(lane) - before)
            granted = min(count, self._budget)
            self._budget -= granted
        if not granted:
            self.stop("queries")
        return granted

    def _failed(self, lane: Lane, error: Exception) -> None:
        self._tell(f"{type(error).__name__}: {error}")
        failed, done = sum(len(each.failed) for each in self.lanes), sum(len(each) for each in self.lanes)
        row = lane.failed[-ERRORS_IN_A_ROW:]
        in_a_row = len(row) == ERRORS_IN_A_ROW and row[-1] - row[0] == ERRORS_IN_A_ROW - 1
        if in_a_row or failed > max(ERRORS_IN_A_ROW, ERROR_SHARE * done):
            self.stop("error")

    def _tell(self, text: str) -> None:
        if text not in self.errors and len(self.errors) < ERROR_TEXTS:
            self.errors.append(text)

    def _offer(self, lane: Lane, outputs: Outputs) -> None:
        """Keep a uniform choice of the outputs offered (reservoir sampling)."""
        with self._lock:
            self._offered += 1
            place = len(self.kept) if len(self.kept) < SAMPLES else self._random.randrange(self._offered)
            if place < SAMPLES:
                copies = {name: np.array(value) for name, value in outputs.items()}
                self.kept[place : place + 1] = [Kept(lane, len(lane) - 1, copies)]
