"""Reports to and from JSON: strict when read, canonical when written, named by the hash of their content.

The canonical form is UTF-8 JSON with sorted keys, no white space, no NaN or Infinity, and Python's shortest exact
``repr`` of every float; so equal content has equal bytes.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

from accelbench.errors import AccelbenchError, UsageError
from accelbench.model import REPORT_SCHEMA, Report

Document = dict[str, Any]

ADAPTER: TypeAdapter[Report] = TypeAdapter(Report)
INTEGERS = range(-(2**63), 2**64)
"""What a number without a fraction may be: other readers have no longer integers."""

UPGRADES: Mapping[int, Callable[[Document], Document]] = {}
"""``UPGRADES[n]`` turns a document of schema n into one of schema n + 1."""

_COMPLAINTS = {
    "unexpected_keyword_argument": "unknown field",
    "missing": "missing",
    "finite_number": "is NaN or infinite",
}


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
    try:
        text = data.decode("utf-8")
        document = _upgrade(json.loads(text, object_pairs_hook=_unique, parse_int=_integer), where)
    except RecursionError:
        raise UsageError(f"{where}: nested too deeply for a report") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{where}: not UTF-8 at byte {error.start}") from None
    except ValueError as error:
        raise UsageError(f"{where}: not a report in JSON ({error})") from None
    try:
        return ADAPTER.validate_json(text if document is None else json.dumps(document))
    except ValidationError as error:
        raise UsageError(f"{where}: {_complaint(error)}") from None


def identify(report: Report) -> Report:
    """``report`` with its ``id``: the sha256 of the canonical content without the id."""
    normal = _normal(report)
    return replace(normal, id=_digest(normal))


def verify_id(report: Report, where: str) -> None:
    """Raise AccelbenchError when the content of ``report`` is not what its id was made from."""
    if report.id != _digest(report):
        raise AccelbenchError(f"{where}: the content does not match the id {report.id[:12]}; it was changed")


def _normal(report: Report) -> Report:
    """What a reader gets: integers in places of floats are floats, sequences are tuples."""
    try:
        return decode(_dump(report), "report")
    except UsageError as error:
        raise AccelbenchError(f"cannot be stored: {error}") from None


def _digest(report: Report) -> str:
    document = _plain(report, "")
    del document["id"]
    return hashlib.sha256(_bytes(document)).hexdigest()


def _dump(report: Report) -> bytes:
    return _bytes(_plain(report, ""))


def _bytes(document: Document) -> bytes:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8")


def _plain(value: Any, path: str) -> Any:
    """``value`` as dicts, lists and scalars. AccelbenchError names the path of what JSON cannot hold."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
            raise AccelbenchError(f"report cannot be stored: {path} is not Unicode: {ascii(value)}")
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise AccelbenchError(f"report cannot be stored: {path} is {value}")
        return float(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, (tuple, list)):
        return [_plain(item, f"{path}[{position}]") for position, item in enumerate(value)]
    if isinstance(value, Mapping):
        return {_plain(key, f"{path} key"): _plain(item, f"{path}.{key}") for key, item in value.items()}
    if is_dataclass(value):
        return {
            field.name: _plain(getattr(value, field.name), f"{path}.{field.name}" if path else field.name)
            for field in fields(value)
        }
    raise AccelbenchError(f"report cannot be stored: {path} is a {type(value).__name__}, which JSON does not hold")


def _upgrade(document: object, where: str) -> Document | None:
    """The document as the present schema has it; None when it is so already."""
    if not isinstance(document, dict) or type(document.get("schema")) is not int:
        raise UsageError(f"{where}: not a report (it has no schema number)")
    schema = found = cast(int, document["schema"])
    while schema in UPGRADES:
        document = UPGRADES[schema](document)
        schema += 1
    if schema != REPORT_SCHEMA:
        raise UsageError(
            f"{where}: schema {found}, this accelbench reads up to {REPORT_SCHEMA}: "
            f"use the accelbench that wrote it or a later one"
        )
    return document if schema != found else None


def _unique(pairs: list[tuple[str, Any]]) -> Document:
    document = dict(pairs)
    if len(document) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f'the key "{twice}" stands twice in one object')
    return document


def _integer(digits: str) -> int:
    if len(digits) > 20 or int(digits) not in INTEGERS:
        raise ValueError(f"the integer {digits:.24} has more than 64 bits")
    return int(digits)


def _complaint(error: ValidationError) -> str:
    """The first fault as ``path: what is wrong``, and how many more there are."""
    faults = error.errors(include_url=False, include_context=False)
    first = faults[0]
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in first["loc"]).removeprefix(".")
    wrong = _COMPLAINTS.get(first["type"], first["msg"][:1].lower() + first["msg"][1:])
    shown = isinstance(first["input"], (str, int, float)) and first["type"] not in _COMPLAINTS
    got = f", found {first['input']!r:.60}" if shown and path else ""
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"{path}: {wrong}{got}{more}" if path else f"{wrong}{more}"
