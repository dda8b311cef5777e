"""A submission as it lies on the disk: opened once, then looked at by every rule.

    results/<vendor>/<device>/
        submission.toml
        <task>/<task>--<backend>--<precision>--<id>.accelbench.zip
        README.md           what the submitter wants to say besides, if anything

Nothing that is wrong in it keeps it from being opened: what cannot be read is kept with the reason, for rules to find.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from accelbench.bundle.pack import SUFFIX
from accelbench.bundle.read import Bundle
from accelbench.bundle.verify import Finding as Fault
from accelbench.bundle.verify import Signer, signers, verify
from accelbench.errors import AccelbenchError, UsageError
from accelbench.figures.passes import Pass, passes, read
from accelbench.gate import manifest
from accelbench.gate.manifest import MANIFEST, Manifest
from accelbench.gate.world import World
from accelbench.measure.columns import INDEX
from accelbench.model import Report, Task
from accelbench.zoo.roster import Roster

MOST_QUERIES = 2**25
"""Of a pass: ten minutes of a model that takes 18 µs."""

README = ("README.md", "README.zh-CN.md")


@dataclass(frozen=True)
class Entry:
    """A bundle that could be read: ``path`` relative to the submission, the ``folder`` that its report was unpacked to.
    ``faults`` are what the bundle's own verification found, ``signed_by`` whose good signatures it has;
    ``installation`` is why the environment could not be made from the lock, None where it was made or not tried."""

    path: str
    report: Report
    folder: Path
    faults: tuple[Fault, ...] = ()
    signed_by: tuple[Signer, ...] = ()
    installation: str | None = None

    @cached_property
    def passes(self) -> list[Pass]:
        """The report's timed passes, with their columns."""
        return passes(self.report, self.folder)

    @cached_property
    def again(self) -> list[Pass]:
        """The passes with another seed, in the order of ``Report.compliance``."""
        return [read(self.report, each.measurement, self.folder) for each in self.report.compliance]


@dataclass(frozen=True)
class Submission:
    """``place`` are the names of the folders above and of the submission, the outermost first. ``unreadable`` are
    bundles that cannot be opened, ``strange`` files that nothing names, each by its path; ``problem`` is why there is
    no ``manifest``. Tasks and roster are those that are known here."""

    place: tuple[str, ...]
    manifest: Manifest | None
    problem: str | None
    entries: tuple[Entry, ...]
    unreadable: Mapping[str, str]
    strange: tuple[str, ...]
    world: World = field(repr=False)

    @property
    def done(self) -> list[Entry]:
        """Those that ended well: a failed one has not what the rules look for."""
        return [entry for entry in self.entries if entry.report.status == "ok"]

    @property
    def closed(self) -> bool:
        """Whether the tasks' own weights and tolerances are asked for."""
        return self.manifest is None or self.manifest.division == "closed"

    @cached_property
    def roster(self) -> Roster | None:
        """The roster that it names; None where there is none of that name."""
        try:
            return self.world.roster(self.manifest.roster) if self.manifest else None
        except UsageError:
            return None

    def task(self, entry: Entry) -> Task | None:
        """The roster's task that a report is of; None where the roster has none of that name and version."""
        if self.roster is None or entry.report.task.id not in self.roster.tasks:
            return None
        return self.world.task(self.roster, entry.report.task.id)


@contextmanager
def opened(folder: Path, world: World, keyring: Path | None = None) -> Iterator[Submission]:
    """The submission in ``folder``, its bundles unpacked while the block runs. ``keyring`` is a folder of keys whose
    owners are known. Raises UsageError when there is no such folder."""
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder: name one that has a {MANIFEST}")
    root = folder.resolve()
    files = [Path(base, name) for base, folders, names in os.walk(root) for name in (*names, *_links(base, folders))]
    bundles = sorted(path for path in files if path.name.endswith(SUFFIX) and not path.is_symlink())
    known = {MANIFEST, *README}
    with tempfile.TemporaryDirectory(prefix="accelbench-check-") as scratch:
        entries, unreadable = _bundles(bundles, root, Path(scratch), keyring)
        told, problem = _manifest(root / MANIFEST)
        yield Submission(
            place=root.parts[-3:],
            manifest=told,
            problem=problem,
            entries=tuple(entries),
            unreadable=unreadable,
            strange=tuple(sorted({path.relative_to(root).as_posix() for path in files if path not in bundles} - known)),
            world=world,
        )


def _manifest(path: Path) -> tuple[Manifest | None, str | None]:
    try:
        return manifest.read(path), None
    except UsageError as error:
        return None, str(error)


def _bundles(paths: list[Path], root: Path, scratch: Path, keyring: Path | None) -> tuple[list[Entry], dict[str, str]]:
    entries: list[Entry] = []
    unreadable: dict[str, str] = {}
    for number, path in enumerate(paths):
        name = path.relative_to(root).as_posix()
        try:
            entries.append(_entry(path, name, scratch / str(number), keyring))
        except Exception as error:  # whatever a hostile file makes of its readers: it is no bundle
            unreadable[name] = str(error) if isinstance(error, AccelbenchError) else f"{type(error).__name__}: {error}"
    return entries, unreadable


def _entry(path: Path, name: str, scratch: Path, keyring: Path | None) -> Entry:
    bundle = Bundle.open(path)
    faults = verify(bundle)
    folder = bundle.unpack(scratch)
    _check(bundle.report, folder)
    return Entry(name, bundle.report, folder, faults, signers(bundle, keyring))


def _check(report: Report, folder: Path) -> None:
    """Raise UsageError for a report that names a file which is not its own, and for columns that would fill memory."""
    timed = (*report.measurements, *(each.measurement for each in report.compliance))
    named = [name for each in timed for name in (f"{each.columns}/{INDEX}", each.telemetry, each.trace)]
    for name in filter(None, (*named, report.quality.predictions if report.quality else None)):
        if name not in report.files:
            raise UsageError(f"the report names {name}, which is none of its files")
    for each in timed:
        rows = json.loads((folder / each.columns / INDEX).read_bytes())["rows"]
        if not isinstance(rows, int) or not 0 <= rows <= MOST_QUERIES:
            raise UsageError(f"{each.columns} would have {rows!a:.20} rows, more than {MOST_QUERIES}")


def _links(base: str, folders: list[str]) -> list[str]:
    return [name for name in folders if Path(base, name).is_symlink()]
