"""Reports become a submission: bundled, disclosed, signed, and put where a results repository has them."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from accelbench.bundle.pack import pack
from accelbench.errors import UsageError
from accelbench.gate.disclosure import disclosed
from accelbench.gate.manifest import MANIFEST, SCHEMA, Disclosure, Division, Machine, Manifest, Submitter, slug, text
from accelbench.gate.rule import RULES_VERSION
from accelbench.model import Report
from accelbench.paths import building
from accelbench.report.store import open_report, reports

PUBLIC, PRIVATE = "results", "private"

Sign = Callable[[Path], None]
ALL = ""
"""The key of a claim that holds for every task."""


@dataclass(frozen=True)
class Wishes:
    """Who submits what. ``claims`` are shares of zeros by task, ALL for those that are not named, for models that
    nobody can read; ``sign`` signs a bundle, None: nothing is signed."""

    vendor: Submitter
    device: str
    count: int
    roster: str
    division: Division
    claims: Mapping[str, float]
    embargo: datetime.date | None
    sign: Sign | None


def assemble(runs: Sequence[Path], root: Path, wishes: Wishes) -> Path:
    """Make ``results/<vendor>/<device>`` (``private/…`` under an embargo) in ``root`` from the reports of ``runs``,
    which are folders of runs or of reports, and return it. It is there whole or not at all.

    Raises UsageError where there are no reports, one is not as it was made, a claim is about none of them, or the
    folder is there already.
    """
    found = [stored for run in runs for stored in _stored(run)]
    if not found:
        raise UsageError("there are no reports to submit: name the folder of a run")
    tasks = {report.task.id for report, _ in found}
    for name in wishes.claims:
        if name and name not in tasks:
            raise UsageError(f"--sparsity is about {name!r}, which is none of {', '.join(sorted(tasks))}")
    place = PRIVATE if wishes.embargo else PUBLIC
    final = root / place / slug(wishes.vendor.name) / slug(wishes.device)
    with building(final) as folder:
        told = [_add(report, source, folder, wishes) for report, source in found]
        ran = [timed.plan.instances for report, _ in found for timed in report.measurements]
        manifest = Manifest(
            schema=SCHEMA,
            rules=RULES_VERSION,
            roster=wishes.roster,
            division=wishes.division,
            vendor=wishes.vendor,
            device=Machine(wishes.device, wishes.count, max(ran, default=1)),
            reports=tuple(sorted(told, key=lambda each: each.bundle)),
            embargo=wishes.embargo,
        )
        (folder / MANIFEST).write_text(text(manifest), encoding="utf-8")
    return final


def _stored(path: Path) -> Iterator[tuple[Report, Path]]:
    yield from reports(path) if (path / "reports").is_dir() else [open_report(path)]


def _add(report: Report, source: Path, folder: Path, wishes: Wishes) -> Disclosure:
    room = folder / slug(report.task.id)
    room.mkdir(exist_ok=True)
    bundle = pack(source, room)
    if wishes.sign:
        wishes.sign(bundle)
    told = disclosed(report, bundle.relative_to(folder).as_posix())
    if told.sparsity is not None or told.sparsity_trust == "counted":
        return told
    return replace(told, sparsity=wishes.claims.get(report.task.id, wishes.claims.get(ALL)))
