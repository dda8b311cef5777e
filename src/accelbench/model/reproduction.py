"""What became of a report when a stranger ran it again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from accelbench.model.strict import STRICT

Reproduced = Literal["reproduced", "not_reproduced", "ambiguous", "not_comparable"]
Outputs = Literal["bit_equal", "within_drift", "differ", "unknown"]

REPRODUCTION_SCHEMA = 1
"""Version of the reproduction's stored form. 1: first."""


@dataclass(frozen=True)
class Judged:
    """One figure of the first report beside those of the runs again, in the unit that ``figures.UNITS`` gives ``name``.

    ``measurement`` is the timed pass of the first report that it is of. ``ratio`` is what the runs again typically gave
    ÷ ``first``, ``low`` and ``high`` the interval at the level that all figures together keep; absent for figures
    that do not scatter (accuracy, drift, sizes), for those that are zero, and where nothing can be compared. ``margin``
    is the ratio minus 1 that does not matter.
    """

    __pydantic_config__ = STRICT

    name: str
    measurement: int | None
    first: float
    again: tuple[float, ...]
    ratio: float | None
    low: float | None
    high: float | None
    margin: float
    outcome: Reproduced
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reproduction:
    """The answer of ``accelbench reproduce``: a small report of its own.

    ``of`` is the id of the first report, ``by`` are those of the reports that the runs again gave, in their order.
    ``level`` is the chance that any figure of an equally fast run is wrongly called not reproduced. ``outputs`` are
    those of the accuracy pass; ``outputs_relative_l2`` bounds from above how far those of the two runs are apart.
    ``elsewhere`` are the differences of the machines that make times not comparable, ``differences`` all others.
    """

    __pydantic_config__ = STRICT

    schema: int
    id: str
    created: str
    accelbench: str
    of: str
    by: tuple[str, ...]
    level: float
    figures: tuple[Judged, ...]
    outputs: Outputs
    outputs_relative_l2: float | None
    elsewhere: tuple[str, ...]
    differences: tuple[str, ...]
