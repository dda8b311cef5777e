"""Source files as their leaves: every value that a document holds, with where it stands."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accelbench.errors import UsageError
from accelbench.model import Claim, ClaimSource, ClaimSourceKind

Path_ = tuple[str | int, ...]
LARGEST = 256 << 20
"""Bytes that a source file may have."""


@dataclass(frozen=True)
class Odd:
    """A number that no report can hold, as it was written: NaN, an infinity, more digits than 64 bits."""

    text: str


@dataclass(frozen=True)
class Leaf:
    """A value that holds no others: a scalar, an ``Odd`` number, or an empty list or object."""

    path: Path_
    value: Any


@dataclass(frozen=True)
class Imported:
    """A claim that was read, and what is kept beside it: its source files by their names."""

    claim: Claim
    files: Mapping[str, bytes]


@dataclass(frozen=True)
class Origin:
    """Where the user says that a source comes from."""

    url: str | None = None
    commit: str | None = None


def pointer(path: Sequence[str | int]) -> str:
    """The JSON pointer (RFC 6901) of a path."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def leaves(document: Any, path: Path_ = ()) -> Iterator[Leaf]:
    """Every leaf of a document, in its order."""
    if isinstance(document, dict) and document:
        for key, item in document.items():
            yield from leaves(item, (*path, key))
    elif isinstance(document, list) and document:
        for position, item in enumerate(document):
            yield from leaves(item, (*path, position))
    else:
        yield Leaf(path, document)


def load(path: Path) -> bytes:
    """The file's bytes. Raises UsageError when it cannot be read, or is no file of a sensible size."""
    try:
        if not path.is_file():
            raise UsageError(f"{path} is not a file")
        if path.stat().st_size > LARGEST:
            raise UsageError(f"{path} has more than {LARGEST >> 20} MiB: no published report is as large")
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror})") from None


def text_of(data: bytes, name: str) -> str:
    """The text in UTF-8 (a byte order mark is no part of it). UsageError names the byte that is none."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{name}: not UTF-8 at byte {error.start}: convert it first") from None


def json_of(data: bytes, name: str) -> Any:
    """The JSON document, numbers that nothing can hold as ``Odd``. UsageError for what is none, for an object that has
    a key twice (which of the two is meant?), half a surrogate pair, and for deep nesting."""
    text = text_of(data, name)
    try:
        document = json.loads(
            text, object_pairs_hook=_unique, parse_int=_integer, parse_float=_real, parse_constant=Odd
        )
        json.dumps(document, ensure_ascii=False, default=lambda odd: odd.text).encode()
    except RecursionError:
        raise UsageError(f"{name}: nested too deeply") from None
    except UnicodeEncodeError:
        raise UsageError(f"{name}: holds half of a surrogate pair, which is no text") from None
    except ValueError as error:
        raise UsageError(f"{name}: not JSON ({error})") from None
    return document


def described(
    kind: ClaimSourceKind,
    name: str,
    kept: bytes,
    origin: Origin,
    part: str | None = None,
    whole: bytes | None = None,
) -> ClaimSource:
    """What a claim says of its source: of ``kept``, and of the ``whole`` table that this is a ``part`` of."""
    return ClaimSource(
        kind=kind,
        name=name,
        sha256=hashlib.sha256(kept).hexdigest(),
        size_bytes=len(kept),
        part=part,
        whole_sha256=None if whole is None else hashlib.sha256(whole).hexdigest(),
        url=origin.url,
        commit=origin.commit,
    )


def number(text: str) -> int | float | None:
    """The number that a text is; None where it is none, as with a percent sign or commas between thousands, or one that
    nothing can hold."""
    try:
        value: int | float = int(text) if text.lstrip("+-").isdecimal() and text.isascii() else float(text)
    except ValueError:
        return None
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**64 else None
    return value if math.isfinite(value) and "_" not in text else None


def restored(value: Any) -> Any:
    """The value with ``Odd`` numbers as JSON's writer knows them."""
    if isinstance(value, Odd):
        return (
            float(value.text) if len(value.text) > 4000 or not value.text.lstrip("-").isdecimal() else int(value.text)
        )
    if isinstance(value, dict):
        return {key: restored(item) for key, item in value.items()}
    return [restored(item) for item in value] if isinstance(value, list) else value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise ValueError(f'the key "{twice}" stands twice in one object')
    return document


def _integer(digits: str) -> int | Odd:
    value = number(digits) if len(digits) <= 20 else None
    return value if isinstance(value, int) else Odd(digits)


def _real(digits: str) -> float | Odd:
    value = float(digits)
    return value if math.isfinite(value) else Odd(digits)
