"""Which of two is faster: from pairs of neighbouring blocks, run in random order, so that what the host does to one
it does to the other.

Each pair gives one log ratio. Their centre is the Hodges–Lehmann estimate with the interval of Wilcoxon's signed-rank
test (Hodges and Lehmann 1963), which asks nothing of the noise but symmetry. Looks before the last pair use O'Brien
and Fleming's bounds (1979), so that looking early does not cry wolf.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Callable, Literal

import numpy as np

from accelbench.errors import UsageError
from accelbench.measure.special import Z95
from accelbench.measure.stats import Floats, Quantile

Outcome = Literal["faster", "slower", "same", "ambiguous"]

MARGIN = 0.05
"""Two things whose ratio is surely within 5 % are called the same, unless another margin is asked for."""

PAIRS, LOOKS = 160, 8

_BOUNDS = (1.960, 1.977, 2.004, 2.024, 2.040, 2.053, 2.063, 2.072, 2.080, 2.087)
"""C(K, 0.05) of O'Brien and Fleming's two-sided test with K = 1 … 10 equally spaced looks; look k rejects beyond
C·√(K ÷ k). Source: Jennison and Turnbull, Group Sequential Methods, table 2.3."""


@dataclass(frozen=True)
class Comparison:
    """How many times as fast as B A is, with the interval that the outcome rests on (absent: too few pairs)."""

    outcome: Outcome
    ratio: float
    low: float | None
    high: float | None
    pairs: int
    margin: float


def race(
    block_a: Callable[[], float],
    block_b: Callable[[], float],
    *,
    margin: float = MARGIN,
    pairs: int = PAIRS,
    looks: int = LOOKS,
    seed: int | None = None,
) -> tuple[Comparison, tuple[float, ...], tuple[float, ...]]:
    """Run blocks of A and B in pairs, the order within each pair drawn, until one is found faster, or both the same,
    or ``pairs`` have run; gives the comparison and the times of the blocks.

    ``block_a`` and ``block_b`` run one block and give its typical time per query, in any unit.
    """
    chance = random.Random(seed)
    times: tuple[list[float], list[float]] = ([], [])
    sides = [(times[0], block_a), (times[1], block_b)]
    for look in range(1, looks + 1):
        while len(times[0]) < pairs * look // looks:
            chance.shuffle(sides)
            for kept, run in sides:
                kept.append(run())
        found = paired(times[0], times[1], margin=margin, look=look, looks=looks)
        if found.outcome != "ambiguous":
            break
    return found, tuple(times[0]), tuple(times[1])


def paired(
    a: Sequence[float], b: Sequence[float], *, margin: float = MARGIN, look: int = 1, looks: int = 1
) -> Comparison:
    """Compare paired times: ``a[i]`` and ``b[i]`` are neighbouring blocks. ``look`` of ``looks`` widens the interval.
    Raises UsageError for times that do not pair up or are not above zero."""
    if len(a) != len(b) or not a or not 1 <= looks <= len(_BOUNDS) or not 1 <= look <= looks:
        raise UsageError(f"a comparison needs pairs of blocks and 1 to 10 looks, not {len(a)} and {len(b)}, {looks}")
    times = np.array([a, b], dtype=np.float64)
    if not (np.isfinite(times).all() and (times > 0).all()):
        raise UsageError("a comparison needs times above zero")
    walsh = _walsh(np.log(times[1] / times[0]))
    n, size = len(a), len(walsh)
    bound = _BOUNDS[looks - 1] * math.sqrt(looks / look)
    rank = int(n * (n + 1) / 4 - bound * math.sqrt(n * (n + 1) * (2 * n + 1) / 24))
    ratio = math.exp(float(np.median(walsh)))
    if rank < 1:
        return Comparison("ambiguous", ratio, None, None, n, margin)
    return _judged(ratio, math.exp(walsh[rank - 1]), math.exp(walsh[size - rank]), n, margin)


def apart(a: Quantile, b: Quantile, margin: float = MARGIN, tests: int = 1) -> Comparison | None:
    """Compare two passes that did not run side by side, by the same quantile's intervals; absent where either has
    none. What the host did differently in the two is not in the interval, so this finds large differences only. It
    is one of so many ``tests``: the interval is so wide that all of theirs hold together (Bonferroni)."""
    widths = [math.log(each.high_s / each.low_s) / 2 for each in (a, b) if each.high_s and each.low_s]
    if len(widths) < 2:
        return None
    wider = _normal_quantile(1 - 0.025 / tests) / Z95 if tests > 1 else 1.0
    centre, half = math.log(b.value_s / a.value_s), math.hypot(*widths) * wider
    return _judged(math.exp(centre), math.exp(centre - half), math.exp(centre + half), 1, margin)


def pairs_needed(noise: float, difference: float, power: float = 0.9) -> int:
    """How many pairs find a ``difference`` (a ratio minus 1) with the given power, when each block's time scatters by
    ``noise`` (a ratio): the signed-rank test's 1.05 times those of the normal theory."""
    if not 0 < power < 1 or noise <= 0 or difference <= 0:
        raise UsageError("noise, difference and power must be above 0, power below 1")
    beta = _normal_quantile(power)
    return math.ceil(1.05 * 2 * (noise * (_BOUNDS[LOOKS - 1] + beta) / math.log1p(difference)) ** 2)


def _judged(ratio: float, low: float, high: float, pairs: int, margin: float) -> Comparison:
    outcome: Outcome = "ambiguous"
    if 1 / (1 + margin) < low and high < 1 + margin:
        outcome = "same"
    elif low > 1:
        outcome = "faster"
    elif high < 1:
        outcome = "slower"
    return Comparison(outcome, ratio, low, high, pairs, margin)


def _walsh(values: Floats) -> Floats:
    """The averages of all pairs of values, each with itself included, in order."""
    first, second = np.triu_indices(len(values))
    averages: Floats = np.sort((values[first] + values[second]) / 2)
    return averages


def _normal_quantile(level: float) -> float:
    low, high = -8.0, 8.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        below = 0.5 * (1 + math.erf(middle / math.sqrt(2))) < level
        low, high = (middle, high) if below else (low, middle)
    return low
