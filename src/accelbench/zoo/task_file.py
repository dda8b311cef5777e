"""A task as the text of its ``task.toml``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from accelbench.model import Task


def text(task: Task) -> str:
    """What ``catalogue.load`` reads as the same task; what is None or empty is left out."""
    return "\n".join(_lines(asdict(task), ())).strip() + "\n"


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    """A table's own values, then the tables in it under their headers."""
    inner = []
    for name, value in table.items():
        if value is None or value in ((), {}):
            continue
        if isinstance(value, Mapping) or (isinstance(value, tuple) and isinstance(value[0], Mapping)):
            inner.append((name, value))
        else:
            yield f"{_key(name)} = {_value(value)}"
    for name, value in inner:
        where = (*path, name)
        header = ".".join(map(_key, where))
        for item in value if isinstance(value, tuple) else [value]:
            yield ""
            yield f"[[{header}]]" if isinstance(value, tuple) else f"[{header}]"
            yield from _lines(item, where)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _value(name)


def _value(value: Any) -> str:
    if isinstance(value, str):  # JSON's strings are TOML's, but for one control character
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_value, value))}]"
    return str(value).lower() if isinstance(value, bool) else repr(value)
