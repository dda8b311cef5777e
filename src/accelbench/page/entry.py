"""A report on the page: what it holds, what follows from it, and where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from accelbench.figures.passes import Pass
from accelbench.model import Report
from accelbench.page.rows import Outcome, Row


@dataclass(frozen=True, eq=False)
class Entry:
    """One report with its rows and passes; ``anchor`` is its place in the page, ``raw`` the link to its raw facts."""

    report: Report
    rows: Sequence[Row]
    passes: Sequence[Pass]
    anchor: str
    raw: str

    @property
    def outcome(self) -> Outcome:
        """The verdict, or the status where it came to none."""
        return self.rows[0].outcome
