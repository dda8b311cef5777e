"""How a noun is stored: strict when read, canonical when written, named by the hash of its content."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from accelbench.errors import AccelbenchError, UsageError
from accelbench.report.canonical import Document, canonical, complaint, parse, plain


class Stored(Protocol):
    """A frozen dataclass with the number of its schema and the hash of its content."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def schema(self) -> int: ...

    @property
    def id(self) -> str: ...


Noun = TypeVar("Noun", bound=Stored)

_LONG_INTEGER = re.compile(rb"(?<![\d.])\d{19,}(?![\d.eE])")
_DIGITS = bytes(ord("0") if byte in b"0123456789" else ord(" ") for byte in range(256))


def _has_long_integer(data: bytes) -> bool:
    """Whether something in ``data`` may be an integer of more than 64 bits. The regular expression is slow, and seldom
    asked."""
    return b"0" * 19 in data.translate(_DIGITS) and _LONG_INTEGER.search(data) is not None


@dataclass(frozen=True)
class Form(Generic[Noun]):
    """How a noun, ``called`` so in errors, is stored in the present ``schema``. ``upgrades[n]`` turns a document of
    schema n into one of schema n + 1."""

    called: str
    adapter: TypeAdapter[Noun]
    schema: int
    upgrades: Mapping[int, Callable[[Document], Document]] = field(default_factory=dict)

    def encode(self, noun: Noun) -> bytes:
        """The canonical bytes of ``noun``. Whatever is written can be read: AccelbenchError names the field that cannot
        (wrong type, NaN, infinity, text that is not Unicode)."""
        return self._dump(self._normal(noun))

    def decode(self, data: bytes, where: str) -> Noun:
        """The noun in ``data``, upgraded to the present schema.

        Raises UsageError with one line: ``where``, the path of the field, and what is wrong. Refused are unknown,
        missing and mistyped fields, duplicate keys, NaN and infinities, integers beyond 64 bits, other encodings than
        UTF-8 and deep nesting.
        """
        document = parse(data, where, f"a {self.called}")
        upgraded = self._upgrade(document, where)
        try:
            return self.adapter.validate_json(data if upgraded is document else json.dumps(upgraded))
        except ValidationError as error:
            raise UsageError(f"{where}: {complaint(error)}") from None

    def identify(self, noun: Noun) -> Noun:
        """``noun`` with its ``id``: the sha256 of the canonical content without the id."""
        normal = self._normal(noun)
        content = plain(normal, what=self.called)
        del content["id"]
        return replace(normal, id=hashlib.sha256(canonical(content)).hexdigest())

    def verify_id(self, data: bytes, where: str) -> None:
        """Raise AccelbenchError when the stored bytes are not canonical or not what their id was made from: any edit.
        Holds for documents of every schema. UsageError when they are no such document at all."""
        document = parse(data, where, f"a {self.called}")
        try:
            stored = canonical(document)
            claimed = document.pop("id", None)
            intact = data == stored and claimed == hashlib.sha256(canonical(document)).hexdigest()
        except ValueError:  # NaN or half a surrogate pair: never written by us
            intact = False
        if not intact:
            raise AccelbenchError(
                f"{where}: the content does not match the {self.called}'s id; it was changed after it was made"
            )

    def open(self, data: bytes, where: str) -> Noun:
        """The noun in ``data``, whose id is its content's: ``decode`` and ``verify_id`` in one. Bytes that are as they
        should be are parsed once."""
        if self._is_intact(data):
            with suppress(ValidationError):
                return self.adapter.validate_json(data)
        found = self.decode(data, where)
        self.verify_id(data, where)
        return found

    def _is_intact(self, data: bytes) -> bool:
        """Whether these are surely canonical bytes of the present schema that match their id. Canonical bytes have no
        key twice, and their id stands in them once, so what it is the hash of is what is left without it."""
        try:
            document = from_json(data)
            if document.get("schema") != self.schema or canonical(document) != data or _has_long_integer(data):
                return False
            member = f'"id":"{document["id"]}",'.encode()
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return False
        content = data.replace(member, b"")
        return len(content) == len(data) - len(member) and hashlib.sha256(content).hexdigest() == document["id"]

    def _normal(self, noun: Noun) -> Noun:
        """What a reader gets: integers in places of floats are floats, sequences are tuples."""
        try:
            return self.decode(self._dump(noun), self.called)
        except UsageError as error:
            raise AccelbenchError(f"cannot be stored: {error}") from None

    def _dump(self, noun: Noun) -> bytes:
        return canonical(plain(noun, what=self.called))

    def _upgrade(self, document: Document, where: str) -> Document:
        """The document as the present schema has it: the same object when it is so already."""
        found: int = document["schema"]
        for schema in range(found, self.schema):
            if schema not in self.upgrades:
                raise UsageError(f"{where}: schema {found} is not one of accelbench's (1 to {self.schema})")
            document = self.upgrades[schema](document)
        if found > self.schema:
            raise UsageError(
                f"{where}: schema {found}, but this accelbench reads up to {self.schema}: use a later accelbench"
            )
        return document
