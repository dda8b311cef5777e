"""A product as the TOML that the catalogue reads: one line per figure, nothing for what is not told."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from accelbench.model import Device, Vendor


def toml(record: Device | Vendor) -> str:
    """The record as TOML, ending in a newline; reading it gives the record back. What is None or empty is left out."""
    return "\n".join(_table(_plain(record), ())).strip() + "\n"


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        told = {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
        return {name: item for name, item in told.items() if item is not None and item not in ({}, [])}
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _table(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    """Lines of a table: its own values first, then the tables in it, each under its header."""
    below = [name for name in table if (*path, name) in _HEADED or path == ("sources",)]
    for name, item in table.items():
        if name not in below:
            yield f"{_key(name)} = {_value(item)}"
    for name in below:
        where = (*path, name)
        header = ".".join(_key(step) for step in where)
        if isinstance(table[name], list):
            for each in table[name]:
                yield f"\n[[{header}]]"
                yield from _table(each, where)
        else:
            if where != ("sources",):
                yield f"\n[{header}]"
            yield from _table(table[name], where)


_TOP = ("sources", "engines", "memory", "elements", "links", "power", "pictures", "facts")
_HEADED = frozenset({*((name,) for name in _TOP), ("engines", "peaks")})
"""What gets a header of its own; other tables are written inline."""


def _value(item: Any) -> str:
    if isinstance(item, Mapping):
        return "{" + ", ".join(f"{_key(name)} = {_value(each)}" for name, each in item.items()) + "}"
    if isinstance(item, list):
        if any(isinstance(each, Mapping) for each in item):
            return "[\n" + "".join(f"  {_value(each)},\n" for each in item) + "]"
        return "[" + ", ".join(_value(each) for each in item) + "]"
    if isinstance(item, float | int) and not isinstance(item, bool):
        return repr(item)
    return json.dumps(item, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    return (
        name
        if name and all(letter.isascii() and (letter.isalnum() or letter in "-_") for letter in name)
        else (json.dumps(name, ensure_ascii=False))
    )
