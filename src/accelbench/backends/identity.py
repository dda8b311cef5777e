"""Which code a backend is: a hash that reports and deployables carry.

Standard library only, Python 3.9 syntax.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

ADAPTER = "adapter.py"


def adapter_sha256(folder: Path) -> str:
    """The sha256 of ``adapter.py`` in the backend's ``folder``; where other Python files lie beside it, over the names
    and hashes of all, one line each in the order of the names. Raises OSError."""
    hashes = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.py")}
    return of_files(hashes) or hashlib.sha256((folder / ADAPTER).read_bytes()).hexdigest()


def of_files(sha256s: Mapping[str, str]) -> str | None:
    """The same from the sha256 of each file in the folder by its name; None without any Python file."""
    hashes = {name: sha256 for name, sha256 in sha256s.items() if name.endswith(".py")}
    if set(hashes) <= {ADAPTER}:
        return hashes.get(ADAPTER)
    lines = "".join(f"{sha256}  {name}\n" for name, sha256 in sorted(hashes.items()))
    return hashlib.sha256(lines.encode()).hexdigest()
