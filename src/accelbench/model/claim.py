"""A result, a specification or a system that somebody published: kept as told, marked as claimed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from accelbench.model.strict import STRICT

CLAIM_SCHEMA = 1
"""Version of the claim's stored form. 1: first."""

ClaimKind = Literal["result", "specification", "system"]
ClaimSourceKind = Literal[
    "bytemlperf-report", "bytemlperf-hardware", "mlperf-loadgen", "mlperf-system", "mlperf-results", "csv"
]


@dataclass(frozen=True)
class ClaimSource:
    """The file that a claim was read from: its last name, and ``sha256`` and size of what is kept of it. Of a table
    that is the row that ``part`` names, and ``whole_sha256`` is of the table. ``url`` and ``commit`` are where the user
    says that it comes from."""

    __pydantic_config__ = STRICT

    kind: ClaimSourceKind
    name: str
    sha256: str
    size_bytes: int
    part: str | None = None
    whole_sha256: str | None = None
    url: str | None = None
    commit: str | None = None


@dataclass(frozen=True)
class Named:
    """A vendor, device or task as the source calls it, and the id of ours that it is taken for, with the reason.
    ``field`` is the JSON pointer (RFC 6901) of the source's field."""

    __pydantic_config__ = STRICT

    text: str
    field: str
    id: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class ClaimText:
    """A text of the source that has a name here: ``software``, ``version``, ``date``, ``host``, ``dataset`` …"""

    __pydantic_config__ = STRICT

    name: str
    text: str
    field: str


@dataclass(frozen=True)
class ClaimFigure:
    """A number of the source, in its unit; ``unit`` is None where it tells none and none is implied. ``precision`` is
    that which the source says was executed, or the type that a peak is of. ``text`` is how the number was written where
    it was written as text. ``caveat`` says what is wrong with it, which is no reason to lose it."""

    __pydantic_config__ = STRICT

    name: str
    value: int | float
    unit: str | None
    field: str
    batch: int | None = None
    scenario: str | None = None
    precision: str | None = None
    statistic: str | None = None
    text: str | None = None
    caveat: str | None = None


@dataclass(frozen=True)
class ClaimNote:
    """A field that maps to nothing here, with its value as JSON text, and why it is only kept."""

    __pydantic_config__ = STRICT

    field: str
    json: str
    reason: str


@dataclass(frozen=True)
class Refusal:
    """A field that was not taken: its value as the source wrote it, and why."""

    __pydantic_config__ = STRICT

    field: str
    text: str
    reason: str


@dataclass(frozen=True)
class Claim:
    """Something published by others. Its trust is ``claimed``, whatever it says; ``id`` is the hash of the content,
    which has no time of import: the same source is the same claim. Every field of the source is in it: named, as a
    text, as a figure, as a note or refused. ``beside`` are further files of the same run, whose fields are prefixed
    with their names. ``caveats`` are about the whole of it."""

    __pydantic_config__ = STRICT

    schema: int
    id: str
    kind: ClaimKind
    source: ClaimSource
    vendor: Named | None
    device: Named | None
    task: Named | None
    texts: tuple[ClaimText, ...]
    figures: tuple[ClaimFigure, ...]
    notes: tuple[ClaimNote, ...]
    refused: tuple[Refusal, ...]
    caveats: tuple[str, ...] = ()
    beside: tuple[ClaimSource, ...] = ()
    trust: Literal["claimed"] = "claimed"

    def text(self, name: str) -> str | None:
        """The first text of this name; None where the source does not tell it."""
        return next((each.text for each in self.texts if each.name == name), None)

    def named(self) -> Iterator[Named]:
        """Vendor, device and task, as far as they are told."""
        for each in (self.vendor, self.device, self.task):
            if each is not None:
                yield each
