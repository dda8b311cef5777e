"""A bundle is opened: its form is checked before anything in it is believed, and nothing is written but where told."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from shutil import disk_usage

from accelbench.bundle import archive, manifest
from accelbench.bundle.archive import Entry
from accelbench.bundle.manifest import MANIFEST, SIGNATURES, Manifest
from accelbench.errors import UsageError
from accelbench.model import Report
from accelbench.paths import building
from accelbench.report import codec
from accelbench.report.store import REPORT

FOLDER = "report"

MOST_JSON_BYTES = 2**25
"""Of a report and of a manifest."""

MOST_SIGNATURE_BYTES = 2**14


@dataclass(frozen=True)
class Bundle:
    """A bundle whose form is right. ``manifest`` says what it holds; ``members`` are what it does hold, which
    ``accelbench.bundle.verify`` compares."""

    path: Path
    manifest: Manifest
    manifest_sha256: str
    members: Mapping[str, Entry]

    @classmethod
    def open(cls, path: Path) -> Bundle:
        """The bundle at ``path``. Raises UsageError with one line for whatever ``pack`` does not write."""
        if path.exists() and not path.is_file():
            raise UsageError(f"{path}: no bundle can be read here (not a plain file)")
        try:
            listed = archive.entries(path)
        except OSError as error:
            raise UsageError(f"{path}: no bundle can be read here ({error.strerror})") from None
        names = [entry.name for entry in listed]
        manifest.check_names(names, str(path))
        if names[:1] != [MANIFEST]:
            raise UsageError(f"{path}: not a bundle of accelbench's (its first file is not {MANIFEST})")
        rest = names[1:]
        if rest != sorted(rest, key=lambda name: (name.startswith(f"{SIGNATURES}/"), name)):
            raise UsageError(f"{path}: not a bundle of accelbench's (its files are not in their order)")
        members = {entry.name: entry for entry in listed}
        data = _small(path, members[MANIFEST], MOST_JSON_BYTES)
        found = manifest.decode(data, f"{path}: {MANIFEST}")
        return cls(path, found, hashlib.sha256(data).hexdigest(), members)

    @cached_property
    def report(self) -> Report:
        """The report. Raises UsageError when it cannot be read, AccelbenchError when it does not match its id."""
        data = self.read(f"{FOLDER}/{REPORT}", MOST_JSON_BYTES)
        return codec.REPORTS.open(data, f"{self.path}: {REPORT}")

    def read(self, name: str, most_bytes: int = MOST_JSON_BYTES) -> bytes:
        """The content of a member. Raises UsageError when it is not there, damaged, or has more bytes than that."""
        if name not in self.members:
            raise UsageError(f"{self.path}: it has no {name}")
        return _small(self.path, self.members[name], most_bytes)

    def pieces(self, name: str) -> Iterator[bytes]:
        """The content of a member in pieces. Raises UsageError when it is damaged."""
        return archive.content(self.path, self.members[name])

    def unpack(self, into: Path) -> Path:
        """Write everything that the manifest names into the new folder ``into``, and return the folder of the report in
        it. Raises UsageError, and leaves nothing, when a file is missing, damaged or not what the manifest says, or
        when ``into`` is there already."""
        if not into.parent.exists():
            raise UsageError(f"{into.parent} is not there: the bundle cannot be unpacked into it")
        needed = sum(entry.size_bytes for entry in self.members.values())
        if needed > disk_usage(into.parent).free:
            raise UsageError(f"no space left on the disk of {into} for the {needed} bytes of {self.path}")
        with building(into) as folder:
            self._member(folder, MANIFEST, self.manifest_sha256)
            for name, member in self.manifest.files.items():
                self._member(folder, name, member.sha256)
            if not (folder / FOLDER / REPORT).is_file():
                raise UsageError(f"{self.path}: it holds no report")
        return into / FOLDER

    def _member(self, folder: Path, name: str, sha256: str) -> None:
        if name not in self.members:
            raise UsageError(f"{self.path}: {name} is missing")
        target, digest = folder / name, hashlib.sha256()
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            for piece in self.pieces(name):
                digest.update(piece)
                file.write(piece)
        if digest.hexdigest() != sha256:
            raise UsageError(f"{self.path}: {name} is not what {MANIFEST} says")
        target.chmod(0o444)


def _small(path: Path, entry: Entry, most_bytes: int) -> bytes:
    if entry.size_bytes > most_bytes:
        raise UsageError(f"{path}: {entry.name} has {entry.size_bytes} bytes, more than it can have")
    return b"".join(archive.content(path, entry))
