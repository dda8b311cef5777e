"""Strict JSON for every noun that is stored: canonical when written, unambiguous when read.

The canonical form is UTF-8 JSON with sorted keys, no white space, no NaN or Infinity, and Python's shortest exact
``repr`` of every float; so equal content has equal bytes.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from pydantic import ValidationError

from accelbench.errors import AccelbenchError, UsageError

Document = dict[str, Any]

INTEGERS = range(-(2**63), 2**64)
"""What a number without a fraction may be: other readers have no longer integers."""

_COMPLAINTS = {
    "unexpected_keyword_argument": "unknown field",
    "missing": "missing",
    "finite_number": "is NaN or infinite",
}


def canonical(document: Document) -> bytes:
    """The canonical bytes. Raises ValueError for NaN, infinity and text that is not Unicode."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8")


def plain(noun: Any, path: str = "", what: str = "report") -> Any:
    """``noun`` as dicts, lists and scalars. AccelbenchError names the path of what JSON cannot hold."""
    if noun is None or isinstance(noun, bool):
        return noun
    if isinstance(noun, str):
        if not noun.isascii() and any("\ud800" <= letter <= "\udfff" for letter in noun):
            raise AccelbenchError(f"{what} cannot be stored: {path} is not Unicode: {noun!a}")
        return noun
    if isinstance(noun, float):
        if not math.isfinite(noun):
            raise AccelbenchError(f"{what} cannot be stored: {path} is {noun}")
        return float(noun)
    if isinstance(noun, int):
        return int(noun)
    if isinstance(noun, (tuple, list)):
        return [plain(item, f"{path}[{position}]", what) for position, item in enumerate(noun)]
    if isinstance(noun, Mapping):
        return {plain(key, f"{path} key", what): plain(item, f"{path}.{key}", what) for key, item in noun.items()}
    if is_dataclass(noun):
        return {
            field.name: plain(getattr(noun, field.name), f"{path}.{field.name}" if path else field.name, what)
            for field in fields(noun)
        }
    raise AccelbenchError(f"{what} cannot be stored: {path} is a {type(noun).__name__}, which JSON does not hold")


def parse(data: bytes, where: str, what: str = "a report") -> Document:
    """The JSON object in ``data``, which has a schema number. Raises UsageError with ``where`` and what is wrong:
    duplicate keys, integers beyond 64 bits, other encodings than UTF-8, deep nesting."""
    try:
        document = json.loads(data.decode("utf-8"), object_pairs_hook=_unique, parse_int=_integer)
    except RecursionError:
        raise UsageError(f"{where}: nested too deeply for {what}") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{where}: not UTF-8 at byte {error.start}") from None
    except ValueError as error:
        raise UsageError(f"{where}: not {what} in JSON ({error})") from None
    if not isinstance(document, dict) or type(document.get("schema")) is not int:
        raise UsageError(f"{where}: not {what} (it has no schema number)")
    return document


def complaint(error: ValidationError) -> str:
    """The first fault as ``path: what is wrong``, and how many more there are."""
    faults = error.errors(include_url=False, include_context=False)
    first = faults[0]
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in first["loc"]).removeprefix(".")
    wrong = _COMPLAINTS.get(first["type"], first["msg"][:1].lower() + first["msg"][1:])
    shown = isinstance(first["input"], (str, int, float)) and first["type"] not in _COMPLAINTS
    got = f", found {first['input']!r:.60}" if shown and path else ""
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"{path}: {wrong}{got}{more}" if path else f"{wrong}{more}"


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
