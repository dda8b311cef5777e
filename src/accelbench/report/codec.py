"""Reports to and from JSON: strict when read, canonical when written, named by the hash of their content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace

from pydantic import TypeAdapter, ValidationError

from accelbench.errors import AccelbenchError, UsageError
from accelbench.model import REPORT_SCHEMA, Report
from accelbench.report.canonical import Document, canonical, complaint, parse, plain

ADAPTER: TypeAdapter[Report] = TypeAdapter(Report)

UPGRADES: Mapping[int, Callable[[Document], Document]] = {}
"""``UPGRADES[n]`` turns a document of schema n into one of schema n + 1."""


def encode(report: Report) -> bytes:
    """The canonical bytes of ``report``. Whatever is written can be read: AccelbenchError names the field that cannot
    (wrong type, NaN, infinity, text that is not Unicode)."""
    return _dump(_normal(report))


def decode(data: bytes, where: str) -> Report:
    """The report in ``data``, upgraded to the present schema.

    Raises UsageError with one line: ``where``, the path of the field, and what is wrong. Refused are unknown, missing
    and mistyped fields, duplicate keys, NaN and infinities, integers beyond 64 bits, other encodings than UTF-8 and
    deep nesting.
    """
    document = parse(data, where)
    upgraded = _upgrade(document, where)
    try:
        return ADAPTER.validate_json(data if upgraded is document else json.dumps(upgraded))
    except ValidationError as error:
        raise UsageError(f"{where}: {complaint(error)}") from None


def identify(report: Report) -> Report:
    """``report`` with its ``id``: the sha256 of the canonical content without the id."""
    normal = _normal(report)
    content = plain(normal)
    del content["id"]
    return replace(normal, id=hashlib.sha256(canonical(content)).hexdigest())


def verify_id(data: bytes, where: str) -> None:
    """Raise AccelbenchError when the stored bytes are not canonical or not what their id was made from: any edit.
    Holds for reports of every schema. UsageError when they are no report at all."""
    document = parse(data, where)
    try:
        stored = canonical(document)
        claimed = document.pop("id", None)
        intact = data == stored and claimed == hashlib.sha256(canonical(document)).hexdigest()
    except ValueError:  # NaN or half a surrogate pair: never written by us
        intact = False
    if not intact:
        raise AccelbenchError(f"{where}: the content does not match the report's id; it was changed after it was made")


def _normal(report: Report) -> Report:
    """What a reader gets: integers in places of floats are floats, sequences are tuples."""
    try:
        return decode(_dump(report), "report")
    except UsageError as error:
        raise AccelbenchError(f"cannot be stored: {error}") from None


def _dump(report: Report) -> bytes:
    return canonical(plain(report))


def _upgrade(document: Document, where: str) -> Document:
    """The document as the present schema has it: the same object when it is so already."""
    found: int = document["schema"]
    for schema in range(found, REPORT_SCHEMA):
        if schema not in UPGRADES:
            raise UsageError(f"{where}: schema {found} is not one of accelbench's (1 to {REPORT_SCHEMA})")
        document = UPGRADES[schema](document)
    if found > REPORT_SCHEMA:
        raise UsageError(
            f"{where}: schema {found}, but this accelbench reads up to {REPORT_SCHEMA}: use a later accelbench"
        )
    return document
