"""Boards of small stores, and what their files hold, for the tests of this room."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

from accelbench.board.build import PAGE


def assets(root: Path) -> Path:
    """A page's own files; what they do is tested elsewhere."""
    folder = root / "assets"
    folder.mkdir()
    for name in PAGE:
        (folder / name).write_text(f"/* {name} */", encoding="utf-8")
    return folder


def loaded(file: Path) -> Any:
    """What a data file hands to the page."""
    text = file.read_text(encoding="utf-8")
    assert text.startswith("accelbench.load(")
    name, value = json.loads(f"[{text.removeprefix('accelbench.load(').removesuffix(');' + chr(10))}]")
    assert name == "index" or name == f"report/{file.stem}"
    return json.loads(gzip.decompress(base64.b64decode(value))) if isinstance(value, str) else value


def column(table: dict[str, Any], name: str) -> list[Any]:
    """A column in full."""
    told = table[name]
    return [None if at is None else told["of"][at] for at in told["at"]] if isinstance(told, dict) else told
