"""What a bundle says it holds, and which names its members may have."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from accelbench.errors import UsageError
from accelbench.model import STRICT
from accelbench.report.canonical import canonical, complaint, parse, plain

MANIFEST = "bundle.json"
SCHEMA = 1
"""Version of the stored form. 1: first."""

ROOMS = ("outputs", "report", "task")
"""The folders of a bundle. What is in them is named in the manifest; signatures are not, they sign it."""

SIGNATURES = "signatures"

_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+=,@ -]{0,99}", re.ASCII)
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.ASCII | re.IGNORECASE)
_DEEPEST = 10
_LONGEST = 240


@dataclass(frozen=True)
class Member:
    """A file of the bundle: the sha256 and the size of its content."""

    __pydantic_config__ = STRICT

    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class Manifest:
    """``files`` has every file of the bundle's folders by its name, ``report`` the id of the report that they are
    evidence of. ``accelbench`` is the version that packed it."""

    __pydantic_config__ = STRICT

    schema: int
    report: str
    accelbench: str
    files: Mapping[str, Member]


_ADAPTER = TypeAdapter(Manifest)


def encode(manifest: Manifest) -> bytes:
    """The canonical bytes: equal for equal content."""
    return canonical(plain(manifest, what="manifest"))


def decode(data: bytes, where: str) -> Manifest:
    """The manifest in ``data``. Raises UsageError with the path of the field that is wrong."""
    document = parse(data, where, "a bundle's manifest")
    if document["schema"] != SCHEMA:
        raise UsageError(f"{where}: bundle of schema {document['schema']}; this accelbench reads {SCHEMA}")
    try:
        found = _ADAPTER.validate_json(data)
    except ValidationError as error:
        raise UsageError(f"{where}: {complaint(error)}") from None
    if encode(found) != data:
        raise UsageError(f"{where}: not in the canonical form: it was changed after it was made")
    for name in found.files:
        if name.partition("/")[0] not in ROOMS:
            raise UsageError(f"{where}: files.{name}: lies in none of {', '.join(ROOMS)}")
    check_names(found.files, where)
    return found


def check_names(names: Iterable[str], where: str) -> None:
    """Raise UsageError for the first of ``names`` that may not become a file's on every system: one that leads out of
    the folder, is odd, a device's, or equal to another but for the case; and for one that is also another's folder."""
    folders: set[str] = set()
    files: set[str] = set()
    spelled: dict[str, str] = {}
    for name in names:
        parts = name.split("/")
        if len(name) > _LONGEST or len(parts) > _DEEPEST or not all(map(_is_plain, parts)):
            raise UsageError(f"{where}: {name[:_LONGEST]!a} is not a name that a bundle's file may have")
        paths = ["/".join(parts[: depth + 1]) for depth in range(len(parts))]
        for path in paths:
            if spelled.setdefault(path.lower(), path) != path:
                raise UsageError(f"{where}: {name!a} and {spelled[path.lower()]!a} differ in case only")
        if name in files or name in folders or files.intersection(paths):
            raise UsageError(f"{where}: {name!a} stands twice, or is a file and a folder")
        files.add(name)
        folders.update(paths[:-1])


def _is_plain(part: str) -> bool:
    return bool(_PART.fullmatch(part)) and not _DEVICE.fullmatch(part) and part[-1] not in ". "
