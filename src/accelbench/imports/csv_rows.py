"""Tables in CSV, row by row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from accelbench.errors import UsageError


def csv_rows(text: str, name: str, delimiter: str) -> Iterator[tuple[int, dict[str, str | None], bytes]]:
    """The rows below the first line, each with its number from 1 and, in CSV, with the first line above it. UsageError
    for what is no table."""
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise UsageError(f"{name}: not CSV ({error})") from None
    head, *body = rows or [[]]
    twice = next((column for column in head if head.count(column) > 1), None)
    if not head or twice is not None:
        raise UsageError(
            f"{name}: the first line must name each column once" + (f", not {twice!r} twice" if head else "")
        )
    for position, cells in enumerate(body, 1):
        if len(cells) > len(head):
            raise UsageError(f"{name}: row {position} has {len(cells)} cells, the first line names {len(head)} columns")
        if cells:
            kept = io.StringIO(newline="")
            csv.writer(kept, delimiter=delimiter, lineterminator="\n").writerows([head, cells])
            row: dict[str, str | None] = dict.fromkeys(head)
            row.update(zip(head, cells, strict=False))
            yield position, row, kept.getvalue().encode()
