"""Reports to and from JSON: strict when read, canonical when written, named by the hash of their content.

The canonical form is UTF-8 JSON with sorted keys, no white space, no NaN or Infinity, and Python's shortest exact
``repr`` of every float; so equal content has equal bytes.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

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
    document = _parse(data, where)
    upgraded = _upgrade(document, where)
    try:
        return ADAPTER.validate_json(data if upgraded is document else json.dumps(upgraded))
    except ValidationError as error:
        raise UsageError(f"{where}: {_complaint(error)}") from None


def identify(report: Report) -> Report:
    """``report`` with its ``id``: the sha256 of the canonical content without the id."""
    normal = _normal(report)
    content = _plain(normal, "")
    del content["id"]
    return replace(normal, id=hashlib.sha256(_bytes(content)).hexdigest())


def verify_id(data: bytes, where: str) -> None:
    """Raise AccelbenchError when the stored bytes are not canonical or not what their id was made from: any edit.
    Holds for reports of every schema. UsageError when they are no report at all."""
    document = _parse(data, where)
    try:
        canonical = _bytes(document)
        claimed = document.pop("id", None)
        intact = data == canonical and claimed == hashlib.sha256(_bytes(document)).hexdigest()
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
            raise AccelbenchError(f"report cannot be stored: {path} is not Unicode: {value!a}")
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


def _parse(data: bytes, where: str) -> Document:
    try:
        document = json.loads(data.decode("utf-8"), object_pairs_hook=_unique, parse_int=_integer)
    except RecursionError:
        raise UsageError(f"{where}: nested too deeply for a report") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{where}: not UTF-8 at byte {error.start}") from None
    except ValueError as error:
        raise UsageError(f"{where}: not a report in JSON ({error})") from None
    if not isinstance(document, dict) or type(document.get("schema")) is not int:
        raise UsageError(f"{where}: not a report (it has no schema number)")
    return document


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


def _unique(pairs: list[tuple[str, Any]]) -> Document:
    document = dict(pairs)
    if len(document) != len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
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
