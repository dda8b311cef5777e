"""Where claims of others lie: beside the reports, and never among them.

DIR/claims/<kind of source>--<first 12 of the id>/
    claim.json     canonical
    source/        the file that it was read from, as it was
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from pydantic import TypeAdapter

from accelbench.library import layout
from accelbench.model import CLAIM_SCHEMA, Claim
from accelbench.report.form import Form
from accelbench.report.store import place

CLAIMS: Form[Claim] = Form("claim", TypeAdapter(Claim), CLAIM_SCHEMA)

ROOM, FILE, SOURCE = "claims", "claim.json", "source"


def folder_name(claim: Claim) -> str:
    """``<kind of source>--<first 12 of the id>``."""
    return f"{claim.source.kind}--{claim.id[:12]}"


def put(store: Path, claim: Claim, files: Mapping[str, bytes]) -> Path:
    """Keep the claim, and the ``files`` that it was read from as they were, whole or not at all; on the disk when its
    folder is given. One that is there already stays."""
    final = store / ROOM / folder_name(claim)
    with layout.staging(store, ROOM) as stage:
        if not final.exists():
            made = stage / "claim"
            (made / SOURCE).mkdir(parents=True)
            (made / FILE).write_bytes(CLAIMS.encode(claim))
            for name, data in files.items():
                (made / SOURCE / name).write_bytes(data)
            with suppress(FileExistsError):
                place(made, final)
    return final


def read(file: Path) -> Claim:
    """The claim in ``file``. Raises UsageError for what is none, AccelbenchError for one that was changed."""
    return CLAIMS.open(file.read_bytes(), str(file))


def claims(store: Path) -> Iterator[Path]:
    """The files of all claims of the store."""
    yield from sorted((store / ROOM).glob(f"[!.]*/{FILE}"))
