"""The same data as files for other programs, beside the page."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from accelbench.board.plain import dumps
from accelbench.library.export import write_parquet
from accelbench.library.query import Answer

FOLDER = "data"


TABLES = ("reports", "passes", "claims")


def write(board: Path, index: Mapping[str, Any], parquet: bool = False) -> list[dict[str, Any]]:
    """Write reports, passes and claimed figures as CSV, as JSON as ``index`` has them, and as Parquet where that is
    wanted; what there is none of is left out. Returns what ``index`` lists of them. Raises UsageError where the extra
    for Parquet is missing."""
    listed = []
    for what in TABLES:
        told = list(records(index, what))
        if told:
            listed.append(_put(board, what, "csv", _csv(told), len(told)))
            listed.append(_put(board, what, "json", dumps(index[what]).encode() + b"\n", len(told)))
            if parquet:
                listed.append(_parquet(board, what, told))
    return listed


def records(index: Mapping[str, Any], what: str) -> Iterator[dict[str, Any]]:
    """The rows of one of ``TABLES``; a pass names its report by its id, a claimed figure has its claim's facts."""
    if what == "claims":
        yield from _claimed(index["claims"])
    for row in rows(index[what]) if what != "claims" else ():
        yield {**row, "report": index["reports"]["id"][row["report"]]} if what == "passes" else row


def rows(table: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows of a table of columns, texts in full."""
    plain = {name: _column(values) for name, values in table.items()}
    for each in zip(*plain.values(), strict=True):
        yield dict(zip(plain, each, strict=True))


def _column(values: Any) -> list[Any]:
    if isinstance(values, Mapping):
        of = values["of"]
        return [None if place is None else of[place] for place in values["at"]]
    return list(values)


def _claimed(claims: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for claim in claims:
        whole = {name: value for name, value in claim.items() if name not in ("figures", "caveats")}
        for figure in claim["figures"]:
            told = {name: figure.get(name) for name in ("value", "unit", "batch", "scenario", "precision", "caveat")}
            yield {**whole, "caveats": "; ".join(claim["caveats"]), "name": figure["name"], **told}


def _csv(table: Sequence[Mapping[str, Any]]) -> bytes:
    """A header and the rows, of which there is one at least. What is absent is empty; a text that a spreadsheet would
    take for a formula gets an apostrophe before it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table[0])
    writer.writerows([_cell(value) for value in row.values()] for row in table)
    return out.getvalue().encode()


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@")) else value


def _put(board: Path, what: str, form: str, content: bytes, count: int) -> dict[str, Any]:
    href = f"{FOLDER}/{what}.{form}"
    (board / href).write_bytes(content)
    return {"href": href, "format": form, "what": what, "rows": count, "bytes": len(content)}


def _parquet(board: Path, what: str, told: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    href = f"{FOLDER}/{what}.parquet"
    rows = [tuple(row.values()) for row in told]
    write_parquet(lambda: nullcontext(Answer(tuple(told[0]), iter(rows))), board / href)
    return {"href": href, "format": "parquet", "what": what, "rows": len(told), "bytes": (board / href).stat().st_size}
