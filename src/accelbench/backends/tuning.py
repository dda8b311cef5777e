"""How adapters search among settings of their stack: a step at a time, each candidate in turns with the best so far.

The clock is the tuner's own. It decides what is chosen, and gives no figure of a report.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Callable, Protocol

from accelbench.backends.protocol import CompileJob
from accelbench.model import Trial, Tuning

Settings = Mapping[str, str]
Clock = Callable[[], float]

GAIN = 0.03
"""A candidate must be faster by this share: what a repetition alone may do is no reason."""

TURNS = 7
TURN_S = 0.1
"""Candidate and best so far are looked at in so many turns, each at least so long."""

LONGEST_S = 6.0
"""No candidate is looked at for longer, if it had two turns."""

SEARCH_SHARE = 0.75
"""What remains of the time is for the best against the untuned stack."""


class Ready(Protocol):
    """A stack with some settings, ready to run."""

    def turn(self) -> int:
        """Run, as long as it takes, and give the number of samples that were done."""

    def close(self) -> None:
        """Give back what it holds."""


@dataclass
class _Search:
    load: Callable[[Settings], Ready]
    deadline_s: float
    clock: Clock

    def over(self) -> bool:
        return self.clock() >= self.deadline_s

    def turn(self, ready: Ready) -> float:
        """Seconds per sample; the first run is warm-up."""
        ready.turn()
        began, samples = self.clock(), 0
        while True:
            samples += ready.turn()
            seconds = self.clock() - began
            if seconds >= TURN_S or self.over():
                return seconds / samples

    def compared(self, best: Ready, candidate: Ready) -> tuple[float, float]:
        """Median seconds per sample of both."""
        began, ours, theirs = self.clock(), list[float](), list[float]()
        for done in range(TURNS):
            if (done and self.over()) or (done > 1 and self.clock() - began > LONGEST_S):
                break
            ours.append(self.turn(best))
            theirs.append(self.turn(candidate))
        return statistics.median(ours), statistics.median(theirs)


def tuned(
    means: str,
    load: Callable[[Settings], Ready],
    axes: Sequence[tuple[str, Sequence[str]]],
    limit_s: float,
    clock: Clock = time.perf_counter,
) -> Tuning:
    """The best settings found in ``limit_s`` seconds, beginning with none: ``axes`` are gone through one after the
    other, name by name and value by value, until none brings a gain or the time is over. In the end the best is held
    against the untuned stack, and chosen if it is better still.

    ``load`` gives the stack with some settings and raises where they do not work. A candidate that is being looked at
    when the time is over does not count. Raises what ``load`` raises for no settings at all.
    """
    began = clock()
    search = _Search(load, began + SEARCH_SHARE * limit_s, clock)
    chosen: dict[str, str] = {}
    best = load(chosen)
    trials = [Trial({}, search.turn(best))]
    seen: list[Settings] = [{}]
    try:
        changed = True
        while changed and not search.over():
            changed = False
            for name, values in axes:
                for value in values:
                    settings = {**chosen, name: value}
                    if search.over() or settings in seen:
                        continue
                    seen.append(settings)
                    faster = _tried(search, best, settings, trials)
                    if faster is not None:
                        best.close()
                        best, chosen, changed = faster, settings, True
        finished, search.deadline_s = not search.over(), began + limit_s
        if chosen and not _confirmed(search, best, chosen, trials):
            chosen = {}
    finally:
        best.close()
    return Tuning(means, len(trials), tuple(trials), chosen, finished)


def _confirmed(search: _Search, best: Ready, chosen: Settings, trials: list[Trial]) -> bool:
    """Whether the best is better than the untuned stack, whose trial is done again."""
    untuned = search.load({})
    try:
        if search.over():
            return False
        before, after = search.compared(untuned, best)
    finally:
        untuned.close()
    trials[0] = Trial({}, before)
    trials.append(Trial(dict(chosen), after))
    return after <= before * (1 - GAIN)


def _tried(search: _Search, best: Ready, settings: Settings, trials: list[Trial]) -> Ready | None:
    """The stack with these settings if they are better, beyond doubt; the trial is noted either way."""
    try:
        candidate = search.load(settings)
    except Exception:
        if not search.over():
            trials.append(Trial(dict(settings), None))
        return None
    if search.over():
        candidate.close()
        return None
    before, after = search.compared(best, candidate)
    trials.append(Trial(dict(settings), after))
    if search.over() or after > before * (1 - GAIN):
        candidate.close()
        return None
    return candidate


def compared(untuned: Ready, tuned: Ready, deadline_s: float, clock: Clock = time.perf_counter) -> tuple[float, float]:
    """Median seconds per sample of both, looked at in turns until ``clock`` says ``deadline_s``."""
    return _Search(lambda _settings: untuned, deadline_s, clock).compared(untuned, tuned)


def with_options(job: CompileJob, settings: Settings) -> CompileJob:
    """The job with these options beside its target's own."""
    return replace(job, target=replace(job.target, options={**job.target.options, **settings}))
