"""What lies beside the reports of a store: claims of others, signatures, and what became of reports that were run
again."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from accelbench.bundle import signature
from accelbench.errors import AccelbenchError, UsageError
from accelbench.imports import store as imported
from accelbench.library import reproductions, tables
from accelbench.library.layout import CLAIMS, FILES, REPRODUCTIONS, SIGNATURES
from accelbench.library.rows import HOSTILE, Stamp
from accelbench.model import Claim
from accelbench.model.reproduction import Reproduced

_OUTCOMES: tuple[Reproduced, ...] = ("reproduced", "not_reproduced", "ambiguous", "not_comparable")


def add(db: sqlite3.Connection, store: Path, wanted: Mapping[str, Stamp]) -> None:
    """Read these folders into the index; what is wrong with one of them is kept as its problem."""
    readers: Mapping[str, Callable[[sqlite3.Connection, Path], str | None]] = {
        CLAIMS: _claim,
        REPRODUCTIONS: _reproduction,
        SIGNATURES: _signatures,
    }
    for name, stamp in wanted.items():
        holds, problem = None, None
        room = name.partition("/")[0]
        try:
            holds = readers[room](db, store / name / FILES[room])
        except (AccelbenchError, *HOSTILE) as error:
            problem = " ".join(str(error).split())
        db.execute(tables.insert("folders"), (name, stamp.mtime_ns, stamp.size_bytes, None, holds, problem))


def faults(store: Path, name: str) -> tuple[str, ...]:
    """What is wrong in a folder of claims, reproductions or signatures; empty when nothing is."""
    folder = store / name
    try:
        if name.startswith(CLAIMS):
            return imported.verify(folder)
        if name.startswith(REPRODUCTIONS):
            reproductions.read(folder / FILES[REPRODUCTIONS])
        else:
            list(_signers(folder))
    except (AccelbenchError, *HOSTILE) as error:
        return (" ".join(str(error).split()),)
    return ()


def mark(db: sqlite3.Connection) -> None:
    """Count for every report the keys that signed it, and the reproductions that agree with it: some of its figures
    came out again, and none did not. Both decide its trust."""
    db.execute("UPDATE reports SET signed_by = 0, reproduced_by = 0, trust = 'measured' WHERE trust <> 'measured'")
    db.execute(
        "UPDATE reports SET trust = 'verified', signed_by = found.number "
        "FROM (SELECT report, count(*) AS number FROM signatures GROUP BY report) AS found WHERE found.report = id"
    )
    db.execute(
        "UPDATE reports SET trust = 'reproduced', reproduced_by = agreeing.number "
        "FROM (SELECT of, count(*) AS number FROM reproductions "
        "WHERE reproduced > 0 AND not_reproduced = 0 GROUP BY of) AS agreeing WHERE agreeing.of = id"
    )


def _reproduction(db: sqlite3.Connection, file: Path) -> str:
    found = reproductions.read(file)
    counts = Counter(figure.outcome for figure in found.figures)
    row = (found.id, found.of, found.created, *(counts[outcome] for outcome in _OUTCOMES), found.outputs)
    db.execute(_once("reproductions"), row)
    return found.id


def _signatures(db: sqlite3.Connection, folder: Path) -> None:
    db.execute("DELETE FROM signatures WHERE report = ?", (folder.name,))
    for fingerprint in _signers(folder):
        db.execute(_once("signatures"), (folder.name, fingerprint))


def _signers(folder: Path) -> Iterator[str]:
    """The keys that signed one report, whose id is the folder's name. Raises UsageError for what is no signature."""
    for file in sorted(folder.glob("[!.]*.json")):
        found = signature.decode(file.read_bytes(), file.name)
        if found.of.get("report") != folder.name or not found.good:
            raise UsageError(f"{file.name} is no good signature of this report")
        yield found.fingerprint


def _claim(db: sqlite3.Connection, file: Path) -> str:
    found = imported.open_claim(file.parent)
    if db.execute("SELECT 1 FROM claims WHERE id = ?", (found.id,)).fetchone() is None:
        db.execute(tables.insert("claims"), _claim_row(found, f"{CLAIMS}/{file.parent.name}"))
        db.executemany(
            tables.insert("claimed_figures"),
            [
                (
                    *(found.id, each.name, float(each.value), each.unit, each.batch, each.scenario),
                    *(each.precision, each.statistic, each.caveat, found.trust),
                )
                for each in found.figures
            ],
        )
    return found.id


def _claim_row(claim: Claim, folder: str) -> tuple[object, ...]:
    source, vendor, device, task = claim.source, claim.vendor, claim.device, claim.task
    return (
        *(claim.id, claim.kind, source.kind, source.name, source.sha256, source.part),
        vendor.text if vendor else None,
        *((device.text, device.id) if device else (None, None)),
        *((task.text, task.id) if task else (None, None)),
        *(claim.text("software"), claim.text("date"), "; ".join(claim.caveats) or None, claim.trust, folder),
    )


def _once(table: str) -> str:
    return tables.insert(table).replace("INSERT", "INSERT OR IGNORE", 1)
