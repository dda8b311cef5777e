"""What became of every field of a source, line by line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from accelbench.model import Claim

Fate = Literal["mapped", "note", "refused"]


@dataclass(frozen=True)
class Explained:
    """A field of the source: what became of it, as what or why, and its value."""

    field: str
    fate: Fate
    told: str
    value: str


def explain(claim: Claim) -> Iterator[Explained]:
    """Every field of the claim's source. A field that several things came of has a line for each."""
    for called, named in (("vendor", claim.vendor), ("device", claim.device), ("task", claim.task)):
        if named is not None and named.field:
            meant = f" = {named.id} ({named.reason})" if named.id else ""
            yield Explained(named.field, "mapped", called + meant, named.text)
    for text in claim.texts:
        yield Explained(text.field, "mapped", text.name, text.text)
    for figure in claim.figures:
        qualifiers = (
            f"batch {figure.batch}" if figure.batch is not None else None,
            figure.scenario,
            figure.precision,
            figure.statistic,
            figure.unit,
        )
        told = ", ".join((figure.name, *filter(None, qualifiers)))
        yield Explained(
            figure.field,
            "mapped",
            told + (f" — {figure.caveat}" if figure.caveat else ""),
            figure.text or str(figure.value),
        )
    for note in claim.notes:
        yield Explained(note.field, "note", note.reason, note.json)
    for refused in claim.refused:
        yield Explained(refused.field, "refused", refused.reason, refused.text)
