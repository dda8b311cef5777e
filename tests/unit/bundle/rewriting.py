"""Bundles with something changed, in the form that bundles have: what a forger would make."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from accelbench.bundle.archive import Writer
from accelbench.bundle.read import Bundle


def contents(path: Path) -> dict[str, bytes]:
    """Every member of a bundle."""
    bundle = Bundle.open(path)
    return {name: b"".join(bundle.pieces(name)) for name in bundle.members}


def write(path: Path, members: Mapping[str, bytes]) -> Path:
    """A bundle of these members, in this order."""
    with path.open("w+b") as file:
        writer = Writer(file)
        for name, data in members.items():
            writer.add(name, data)
        writer.close()
    return path


def changed(path: Path, target: Path, name: str, old: bytes, new: bytes) -> Path:
    """The bundle at ``path`` with ``old`` replaced in one member."""
    members = contents(path)
    assert old in members[name]
    return write(target, {**members, name: members[name].replace(old, new, 1)})
