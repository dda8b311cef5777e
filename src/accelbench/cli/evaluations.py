"""The evaluations of a run, one after the other, and its races; each is told when it ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from accelbench.cli.ab import Duel, Rivals, duel, write
from accelbench.cli.limits import Limits
from accelbench.cli.output import DONE
from accelbench.cli.targets import Side
from accelbench.evaluate import Setting, evaluate
from accelbench.page.document import write_page
from accelbench.page.rows import Row, rows
from accelbench.reference import reference
from accelbench.report.store import RunDirectory, open_report, reports
from accelbench.zoo.subject import Subject


@dataclass(frozen=True)
class Evaluated:
    """What a run found: a row per report and timed pass, the races, and the page of both."""

    rows: tuple[Row, ...]
    duels: tuple[Duel, ...]
    page: Path

    @property
    def flawed(self) -> bool:
        """Whether something failed or is out of its tolerance."""
        bad = any(row.status == "failed" or row.verdict == "out" for row in self.rows)
        return bad or any(each.problem for each in self.duels)


def evaluated(
    subjects: Sequence[Subject],
    sides: Sequence[Side],
    folder: RunDirectory,
    setting: Setting,
    limits: Limits,
    rivals: Rivals,
) -> Evaluated:
    """Evaluate each subject on each side, and race the sides where they are rivals. However that ends, the page shows
    what was finished."""
    lines: list[Row] = []
    duels: list[Duel] = []
    try:
        for subject in subjects:
            own = replace(setting, tolerance=limits.over(subject.task.tolerance))
            found = _on_each(subject, sides, folder, own)
            lines += found
            if rivals.ab:
                duels.append(duel(subject, rivals.ab, sides, found, setting, rivals.margin))
                write(duels, folder.path)
    finally:
        page = write_page(sorted(reports(folder.path), key=lambda entry: entry[0].created), folder.path)
    return Evaluated(tuple(lines), tuple(duels), page)


def _on_each(subject: Subject, sides: Sequence[Side], folder: RunDirectory, setting: Setting) -> list[Row]:
    lines: list[Row] = []
    setting.say(f"{subject.task.id}: float32 reference")
    standard = reference(subject, setting.timeout_s)
    for spec, target in sides:
        name = " · ".join((subject.task.id, spec.name, target.precision, *target.passes))

        def say(step: str, name: str = name) -> None:
            setting.say(f"{name}: {step}")

        report, where = open_report(evaluate(subject, spec, target, standard, folder, replace(setting, say=say)))
        found = rows(report, where)
        setting.say(f"{DONE}{name}: {found[0].outcome}{_because(found[0])}")
        lines += found
    return lines


def _because(row: Row) -> str:
    return f" ({row.reasons[0]})" if row.reasons else ""
