"""What becomes of every field of a source: kept with a name, kept as a note, or refused with a reason. Never lost."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, TypedDict, Unpack

from accelbench.errors import AccelbenchError
from accelbench.imports.source import Leaf, Odd, Path_, leaves, number, pointer
from accelbench.model import (
    CLAIM_SCHEMA,
    Claim,
    ClaimFigure,
    ClaimKind,
    ClaimNote,
    ClaimSource,
    ClaimText,
    Named,
    Refusal,
)

UNTOLD = frozenset({"", "-", "--", "n/a", "na", "none", "null", "unknown", "undefined", "tbd", "?", "–", "—", "无"})
"""Texts that stand for nothing told, in small letters."""

NOT_TOLD = "nothing is told"
NO_NAME = "it has no name here"


class Qualifiers(TypedDict, total=False):
    """What else is known of a figure."""

    batch: int | None
    scenario: str | None
    precision: str | None
    statistic: str | None
    caveat: str | None


class Ledger:
    """The fields of one document, and what became of each. ``prefix`` is put before the pointers of its fields. Every
    method that takes a field does nothing where the document has none at that path."""

    def __init__(self, document: Any, prefix: str = "") -> None:
        self._open: dict[Path_, Leaf] = {leaf.path: leaf for leaf in leaves(document)}
        self._prefix = prefix
        self.texts: list[ClaimText] = []
        self.figures: list[ClaimFigure] = []
        self.notes: list[ClaimNote] = []
        self.refused: list[Refusal] = []
        self.caveats: list[str] = []

    def paths(self) -> list[Path_]:
        """The fields that nothing became of yet, in their order."""
        return list(self._open)

    def value(self, path: Path_) -> Any:
        """The value of a field that nothing became of yet; None where there is none or nothing is told."""
        leaf = self._open.get(path)
        return None if leaf is None or _untold(leaf.value) else leaf.value

    def named(self, path: Path_) -> Named | None:
        """A field that names a vendor, a device or a task; its id is the caller's to find."""
        leaf = self._take(path)
        if leaf is None or not self._is_text(leaf):
            return None
        return Named(leaf.value.strip(), self._field(path))

    def text(self, name: str, path: Path_) -> str | None:
        """A field that is a text called ``name`` here; returns it. A number is kept as a note."""
        leaf = self._take(path)
        if leaf is None or not self._is_text(leaf):
            return None
        self.texts.append(ClaimText(name, leaf.value, self._field(path)))
        return str(leaf.value)

    def figure(self, name: str, path: Path_, unit: str | None, **qualifiers: Unpack[Qualifiers]) -> ClaimFigure | None:
        """A field that is a number, or a text that is one, called ``name`` here."""
        leaf = self._take(path)
        if leaf is None:
            return None
        found = leaf.value
        written = found if isinstance(found, str) else None
        if written is not None:
            found = number(written.strip())
        if isinstance(found, bool) or not isinstance(found, int | float):
            self._aside(leaf, "a number was expected")
            return None
        made = ClaimFigure(name, found, unit, self._field(path), text=written, **qualifiers)
        self.figures.append(made)
        return made

    def derived(self, name: str, value: float, path: Path_, text: str) -> None:
        """A number inside a text that was kept already, as it is written there."""
        self.figures.append(ClaimFigure(name, value, None, self._field(path), text=text))

    def either(self, name: str, path: Path_, unit: str, **qualifiers: Unpack[Qualifiers]) -> None:
        """A field that is a number in one document and free text in the next."""
        value = self.value(path)
        if isinstance(value, str) and number(value.strip()) is None:
            self.text(name, path)
        else:
            self.figure(name, path, unit, **qualifiers)

    def note(self, path: Path_, reason: str) -> None:
        """A field that is kept as it is."""
        leaf = self._take(path)
        if leaf is not None:
            self._aside(leaf, reason)

    def rest(self, reason: str = NO_NAME) -> None:
        """Every field that nothing became of yet is kept as it is."""
        for path in self.paths():
            self.note(path, reason)

    def amend(self, figure: ClaimFigure, **changes: Any) -> None:
        """Change a figure that was made from a field."""
        self.figures[self.figures.index(figure)] = replace(figure, **changes)

    def _take(self, path: Path_) -> Leaf | None:
        return self._open.pop(path, None)

    def _field(self, path: Sequence[str | int]) -> str:
        return self._prefix + pointer(path)

    def _is_text(self, leaf: Leaf) -> bool:
        if isinstance(leaf.value, str) and not _untold(leaf.value):
            return True
        self._aside(leaf, "a text was expected")
        return False

    def _aside(self, leaf: Leaf, reason: str) -> None:
        """A note, or a refusal of what no document can hold."""
        field = self._field(leaf.path)
        if isinstance(leaf.value, Odd):
            self.refused.append(Refusal(field, leaf.value.text, "no document can hold this number"))
        else:
            told = json.dumps(leaf.value, ensure_ascii=False)
            self.notes.append(ClaimNote(field, told, NOT_TOLD if _untold(leaf.value) else reason))


def claim(
    kind: ClaimKind,
    source: ClaimSource,
    ledgers: Iterable[Ledger],
    *,
    vendor: Named | None = None,
    device: Named | None = None,
    task: Named | None = None,
    beside: Iterable[ClaimSource] = (),
) -> Claim:
    """The claim that the ledgers come to; it has no id yet. Raises AccelbenchError for a field that nothing became of:
    that is a fault of the importer's."""
    pages = list(ledgers)
    lost = [pointer(path) for page in pages for path in page.paths()]
    if lost:
        raise AccelbenchError(f"{source.name}: nothing became of {', '.join(lost)}; please report this")
    return Claim(
        schema=CLAIM_SCHEMA,
        id="",
        kind=kind,
        source=source,
        vendor=vendor,
        device=device,
        task=task,
        texts=tuple(each for page in pages for each in page.texts),
        figures=tuple(each for page in pages for each in page.figures),
        notes=tuple(each for page in pages for each in page.notes),
        refused=tuple(each for page in pages for each in page.refused),
        caveats=tuple(dict.fromkeys(each for page in pages for each in page.caveats)),
        beside=tuple(beside),
    )


def _untold(value: Any) -> bool:
    return value is None or (isinstance(value, str) and value.strip().casefold() in UNTOLD)
