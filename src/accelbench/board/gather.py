"""Stores as they are named: themselves, folders of stores, and folders of bundles, as repositories of results are."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from accelbench.errors import AccelbenchError
from accelbench.library import layout
from accelbench.library.store import Store

BUNDLES = "*.zip"


@dataclass(frozen=True)
class Gathered:
    """Stores to make a board of. ``unpacked`` ones hold bundles that lie elsewhere, and are gone at the end;
    ``problems`` are the bundles that were not taken, with why."""

    stores: tuple[Path, ...]
    unpacked: bool
    problems: tuple[tuple[str, str], ...]


@contextmanager
def gathered(paths: Sequence[Path]) -> Iterator[Gathered]:
    """The stores that ``paths`` name. A folder that is no store stands for the stores right in it, else for the bundles
    anywhere in it, and a bundle for itself; bundles are verified, and unpacked aside. What is none of these is given as
    it is."""
    with tempfile.TemporaryDirectory(prefix="accelbench-bundles-") as scratch:
        stores: list[Path] = []
        problems: list[tuple[str, str]] = []
        unpacked = False
        for number, path in enumerate(paths):
            inside = _inside(path)
            bundles = [] if inside else sorted(path.rglob(BUNDLES)) if path.is_dir() else [path]
            if inside or not bundles or not bundles[0].is_file():
                stores += inside or [path]
                continue
            store = Path(scratch) / str(number) / path.resolve().name
            problems += _unpack(bundles, path, store)
            stores.append(store)
            unpacked = True
        yield Gathered(tuple(stores), unpacked, tuple(problems))


def _inside(path: Path) -> list[Path]:
    if any((path / room).is_dir() for room in layout.ROOMS):
        return [path]
    return sorted(each.parent for each in path.glob(f"[!.]*/{layout.REPORTS}"))


def _unpack(bundles: Sequence[Path], path: Path, store: Path) -> Iterator[tuple[str, str]]:
    (store / layout.REPORTS).mkdir(parents=True)
    for bundle in bundles:
        try:
            list(Store(store).add(bundle))
        except AccelbenchError as error:
            name = bundle.relative_to(path).as_posix() if bundle != path else bundle.name
            yield name, str(error).replace(f"{bundle}: ", "")
