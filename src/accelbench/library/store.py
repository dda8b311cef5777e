"""A store: the folders of reports, claims and reproductions under one directory. What is added is verified first, and
is there whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from accelbench import paths
from accelbench.bundle.manifest import SIGNATURES
from accelbench.bundle.read import MOST_SIGNATURE_BYTES, Bundle
from accelbench.bundle.verify import verify as faults
from accelbench.errors import AccelbenchError, UsageError
from accelbench.imports import store as imported
from accelbench.library import layout, reproductions
from accelbench.library.layout import CLAIMS, FILES, REPORTS, REPRODUCTIONS
from accelbench.model import Claim, Report, Reproduction
from accelbench.report.store import PRIVATE, files_in, folder_name, open_report, place, reports, verify


@dataclass(frozen=True)
class Added:
    """Where something lies in the store now; not ``new`` where it was there before."""

    folder: Path
    new: bool


class Store:
    """The store at ``path``; made with its first report."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def reports(self) -> Iterator[tuple[Report, Path]]:
        """Every report with its folder. Raises as ``accelbench.report.store.reports`` does."""
        return reports(self.path)

    def claims(self) -> Iterator[Claim]:
        """Every claim."""
        return (claim for claim, _ in imported.claims(self.path))

    def reproductions(self) -> Iterator[Reproduction]:
        """Every reproduction."""
        return map(reproductions.read, reproductions.reproductions(self.path))

    def add(self, source: Path) -> Iterator[Added]:
        """Copy what lies at ``source`` into the store: a bundle, the folder of a report, of a claim or of a
        reproduction, or all of another store or run directory. Files with private facts stay behind.

        Each is on the disk when it is given. Raises UsageError for what is none of these or not as it was made.
        """
        if source.is_file() and source.name != FILES[REPORTS]:
            yield self._bundle(source)
            return
        folder = source.parent if source.is_file() else source
        rooms = [room for room, file in FILES.items() if file and (folder / file).is_file()]
        if rooms:
            yield self._folder(folder, rooms[0])
            return
        layout.check(folder)
        for name in layout.folders(folder):
            room = name.partition("/")[0]
            if FILES[room]:
                yield self._folder(folder / name, room)
            else:
                self._signatures(folder / name)

    def _bundle(self, file: Path) -> Added:
        bundle = Bundle.open(file)
        found = faults(bundle)
        if found:
            raise UsageError(f"{file}: {found[0].path} {found[0].problem}: nothing was added")
        with layout.staging(self.path, REPORTS) as stage:
            added = self._folder(bundle.unpack(stage / "bundle"), REPORTS)
        for name in bundle.members:
            if name.startswith(f"{SIGNATURES}/"):
                self._signature(bundle.report.id, name, bundle.read(name, MOST_SIGNATURE_BYTES))
        return added

    def _signatures(self, folder: Path) -> None:
        for file in sorted(folder.glob("[!.]*.json")):
            self._signature(folder.name, file.name, file.read_bytes())

    def _signature(self, report: str, name: str, data: bytes) -> None:
        final = self.path / layout.SIGNATURES / report / Path(name).name
        if not final.exists():
            with paths.writing(final, mode=0o444) as file:
                file.write(data)

    def _folder(self, source: Path, room: str) -> Added:
        with layout.staging(self.path, room) as stage:
            copy = stage / "copy"
            copy.mkdir()
            for name, path in files_in(source).items():
                if name != PRIVATE:
                    (copy / name).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, copy / name, follow_symlinks=False)
            name = _verified(copy, room, source)
            final = self._free(room, name)
            if final is None:
                return Added(self.path / room / name, new=False)
            try:
                place(copy, final)
            except FileExistsError:
                return Added(final, new=False)
        return Added(final, new=True)

    def _free(self, room: str, name: str) -> Path | None:
        """Where a folder of this name can be placed: beside one that is damaged; None where a good one is there."""
        number, final = 1, self.path / room / name
        while final.exists():
            try:
                _verified(final, room, final)
            except AccelbenchError:
                number += 1
                final = self.path / room / f"{name}~{number}"
            else:
                return None
        return final


def _verified(folder: Path, room: str, source: Path) -> str:
    """The name that what lies in ``folder`` has in a store. Raises UsageError where it is not as it was made."""
    if room == REPORTS:
        problems = verify(folder)
        if problems:
            raise UsageError(f"{source} is not as it was made ({problems[0]}): it was not added")
        return folder_name(open_report(folder)[0])
    if room == REPRODUCTIONS:
        found = reproductions.read(folder / FILES[room])
        return f"{found.of[:12]}--{found.id[:12]}"
    assert room == CLAIMS
    changed = imported.verify(folder)
    if changed:
        raise UsageError(f"{source} is not as it was made ({changed[0]}): it was not added")
    return imported.folder_name(imported.open_claim(folder))
