"""Where the answers of reproductions lie: beside the reports that they rest on.

DIR/reproductions/<first 12 of the first report's id>--<first 12 of its own>/
    reproduction.json         canonical
    signatures/<fingerprint>.json
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import TypeAdapter

from accelbench import paths
from accelbench.bundle import signature
from accelbench.bundle.signature import Signature
from accelbench.model import REPRODUCTION_SCHEMA, Reproduction
from accelbench.report.form import Form

REPRODUCTIONS: Form[Reproduction] = Form("reproduction", TypeAdapter(Reproduction), REPRODUCTION_SCHEMA)

ROOM, FILE, SIGNATURES = "reproductions", "reproduction.json", "signatures"


def put(run: Path, found: Reproduction, signed: Signature | None) -> Path:
    """Write the answer, whole or not at all, under the directory ``run``; gives its file."""
    final = run / ROOM / f"{found.of[:12]}--{found.id[:12]}"
    with paths.building(final) as folder:
        (folder / FILE).write_bytes(REPRODUCTIONS.encode(found))
        if signed is not None:
            (folder / SIGNATURES).mkdir()
            (folder / SIGNATURES / f"{signed.fingerprint}.json").write_bytes(signature.encode(signed))
    return final / FILE


def read(file: Path) -> Reproduction:
    """The answer in ``file``. Raises UsageError for what is none, AccelbenchError for one that was changed."""
    data = file.read_bytes()
    found = REPRODUCTIONS.decode(data, str(file))
    REPRODUCTIONS.verify_id(data, str(file))
    return found


def reproductions(run: Path) -> Iterator[Path]:
    """The files of all answers under the directory ``run``."""
    yield from sorted((run / ROOM).glob(f"[!.]*/{FILE}"))
