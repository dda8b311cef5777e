"""Values as the files of a board have them: absent is null, no NaN and no infinity, six digits."""

from __future__ import annotations

import base64
import gzip
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

DIGITS = 6
_FORMATS = [f"%.{digits}g" for digits in range(18)]


def number(value: float | None, digits: int = DIGITS) -> float | int | None:
    """The number to so many digits; None for one that is absent or not finite. Whole numbers are written as such."""
    if value is None or not math.isfinite(value):
        return None
    if isinstance(value, int):
        return value if abs(value) < 2**53 else float(value)
    rounded = float(_FORMATS[digits] % value)
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded


def numbers(values: Iterable[float | None], digits: int = DIGITS) -> list[float | int | None]:
    """A column of numbers."""
    return [number(value, digits) for value in values]


def texts(values: Iterable[str | None]) -> dict[str, list[Any]]:
    """A column of texts: the different ones in the order in which they come, and for each row which; null for none and
    for an empty one."""
    places: dict[str, int] = {}
    at = [places.setdefault(value, len(places)) if value else None for value in values]
    return {"of": list(places), "at": at}


def columns(rows: Sequence[Mapping[str, Any]], kinds: Mapping[str, str]) -> dict[str, Any]:
    """Rows as columns: ``kinds`` says of each column whether it is of ``texts``, ``numbers``, or ``plain``."""
    found: dict[str, Any] = {}
    for name, kind in kinds.items():
        values = [row[name] for row in rows]
        found[name] = texts(values) if kind == "texts" else numbers(values) if kind == "numbers" else values
    return found


def record(value: Any) -> Any:
    """A dataclass, deeply, as JSON; what is None or empty is left out."""
    if is_dataclass(value):
        told = {each.name: record(getattr(value, each.name)) for each in fields(value)}
        return {name: item for name, item in told.items() if item is not None and item not in ({}, [])}
    if isinstance(value, Mapping):
        return {name: record(item) for name, item in value.items()}
    if isinstance(value, tuple):
        return [record(item) for item in value]
    return value


def dumps(value: Any) -> str:
    """Compact JSON; a NaN would be a bug and raises ValueError."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def script(name: str, value: Any) -> bytes:
    """A data file as a classic script with one call."""
    return f"accelbench.load({dumps(name)}, {dumps(value)});\n".encode()


def packed(data: bytes) -> str:
    """The base64 of the gzip, the same for the same bytes."""
    return base64.b64encode(gzip.compress(data, 6, mtime=0)).decode()
