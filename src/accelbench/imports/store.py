"""Claims as they are stored: one immutable folder each, there whole or not at all.

STORE/claims/<kind of source>--<first 12 of the id>/
    claim.json      canonical, named by the hash of its content
    source/…        what it was read from
    import.json     when it was imported, and by which accelbench: not of the claim
    device.toml     of a specification: the record that the catalogue could have, a proposal
"""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter

from accelbench import __version__
from accelbench.errors import UsageError
from accelbench.hardware.write import toml
from accelbench.imports.propose import propose
from accelbench.imports.source import Imported
from accelbench.model import CLAIM_SCHEMA, Claim, ClaimSource
from accelbench.paths import disk_errors, sweep
from accelbench.report.form import Form
from accelbench.report.store import place, sha256_of, staged

FORM: Form[Claim] = Form("claim", TypeAdapter(Claim), CLAIM_SCHEMA)
ROOM = "claims"
CLAIM, IMPORT, PROPOSAL, SOURCE = "claim.json", "import.json", "device.toml", "source"


def put(store: Path, imported: Imported) -> tuple[Path, bool]:
    """Store a claim with its source; its folder, and whether it is new (the same source gives the same claim, and what
    is there already stays as it is). Raises UsageError when the disk is full or the place cannot be written."""
    claim = FORM.identify(imported.claim)
    room = store / ROOM
    final = room / folder_name(claim)
    with disk_errors(store):
        _make(room)
        if final.is_dir():
            return final, False
        with staged(room) as folder:
            (folder / CLAIM).write_bytes(FORM.encode(claim))
            (folder / SOURCE).mkdir()
            for name, data in imported.files.items():
                (folder / SOURCE / name).write_bytes(data)
            about = {"imported": datetime.now(UTC).isoformat(timespec="seconds"), "accelbench": __version__}
            (folder / IMPORT).write_text(json.dumps(about) + "\n", encoding="utf-8")
            if claim.kind == "specification":
                (folder / PROPOSAL).write_text(toml(propose(claim)), encoding="utf-8")
            return final, _placed(folder, final)


def folder_name(claim: Claim) -> str:
    """``<kind of source>--<first 12 of the id>``."""
    return f"{claim.source.kind}--{claim.id[:12]}"


def claims(store: Path) -> Iterator[tuple[Claim, Path]]:
    """Every claim of the store with its folder, in the order of the folders' names; none where there is no room for
    them. Raises as ``open_claim`` does."""
    room = store / ROOM
    for folder in sorted(room.iterdir()) if room.is_dir() else ():
        if not folder.name.startswith("."):
            yield open_claim(folder), folder


def open_claim(folder: Path) -> Claim:
    """The claim in a folder. Raises UsageError when there is none or it cannot be read, AccelbenchError when its
    content does not match its id."""
    file = folder / CLAIM
    try:
        data = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file}: no claim can be read here ({error.strerror})") from None
    return FORM.open(data, str(file))


def verify(folder: Path) -> tuple[str, ...]:
    """What differs in a claim's folder from what the claim says, one line per file; empty when nothing does. Raises as
    ``open_claim`` does."""
    claim = open_claim(folder)
    told = ((source.name, _fault(folder / SOURCE, source)) for source in (claim.source, *claim.beside))
    return tuple(f"{SOURCE}/{name}: {fault}" for name, fault in told if fault)


def _fault(folder: Path, source: ClaimSource) -> str | None:
    file = folder / source.name
    if file.parent != folder or source.name in ("", ".", ".."):
        return "lies outside the claim's folder"
    if file.is_symlink() or not file.is_file():
        return "missing"
    return None if sha256_of(file) == source.sha256 else "content differs"


def prepare(store: Path) -> None:
    """Make the room for claims, and sweep out what killed imports left in it. Raises UsageError when it cannot be."""
    with disk_errors(store):
        _make(store / ROOM)
        sweep(store / ROOM)


def _make(room: Path) -> None:
    try:
        room.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise UsageError(f"{room} cannot be made ({error.strerror}): choose another --store") from None


def _placed(folder: Path, final: Path) -> bool:
    """Whether the folder got its name; where another import was quicker, its work stands."""
    try:
        place(folder, final)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        return False
    return True
