"""A board as a folder of static files: whole or not at all, and the same for the same stores."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accelbench import paths
from accelbench.board import data, downloads
from accelbench.board.data import Wish
from accelbench.board.plain import script
from accelbench.errors import UsageError

ASSETS = Path(__file__).parent / "assets"
PAGE = ("index.html", "board.js", "board.css")
INDEX = "data/index.js"


@dataclass(frozen=True)
class Built:
    """What a board came to: its folder, reports, timed passes, claims, folders that could not be read with why, and
    its size."""

    folder: Path
    reports: int
    passes: int
    claims: int
    problems: tuple[tuple[str, str], ...]
    size_bytes: int


def build(
    stores: Sequence[Path], final: Path, wish: Wish, assets: Path = ASSETS, processes: int | None = None
) -> Built:
    """Build the board of ``stores`` in the folder ``final``, in the place of a board that is there. Raises UsageError
    where the page is not built, where ``final`` holds anything else, and for what is no store."""
    check_page(assets)
    if final.exists() and not is_board(final):
        raise UsageError(f"{final} exists and is no board; nothing is overwritten: choose another -o")
    if not final.exists():
        with paths.building(final) as folder:
            return _told(final, folder, fill(folder, stores, wish, assets, processes))
    with paths.disk_errors(final):
        aside = Path(tempfile.mkdtemp(prefix=f".{final.name[:80]}.", dir=final.parent))
        try:
            with paths.building(aside / "new") as folder:
                built = _told(final, folder, fill(folder, stores, wish, assets, processes))
            final.rename(aside / "old")
            (aside / "new").rename(final)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    return built


def fill(
    folder: Path, stores: Sequence[Path], wish: Wish, assets: Path = ASSETS, processes: int | None = None
) -> Mapping[str, Any]:
    """Write all files of the board into an empty folder; returns the data of its index."""
    index = data.write(stores, folder, wish, processes)
    index["downloads"] = downloads.write(folder, index, wish.parquet)
    (folder / INDEX).write_bytes(script("index", index))
    for name in PAGE:
        shutil.copyfile(assets / name, folder / name)
    return index


def _told(final: Path, folder: Path, index: Mapping[str, Any]) -> Built:
    problems = tuple((each["folder"], each["problem"]) for each in index["meta"]["problems"])
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    counts = (len(index["reports"]["id"]), len(index["passes"]["report"]), len(index["claims"]))
    return Built(final, *counts, problems, size)


def is_board(folder: Path) -> bool:
    """Whether the folder is one that ``build`` made, or empty."""
    if not folder.is_dir():
        return False
    return all((folder / name).is_file() for name in (*PAGE, INDEX)) or not any(folder.iterdir())


def check_page(assets: Path = ASSETS) -> None:
    """Raise UsageError where the page's own files have not been built."""
    missing = [name for name in PAGE if not (assets / name).is_file()]
    if missing:
        raise UsageError(
            f"the page of boards is not built here ({', '.join(missing)}): run 'make page' once; needs Node"
        )
