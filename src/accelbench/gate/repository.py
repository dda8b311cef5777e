"""A repository of results: guide, forms, and the workflow that checks what is handed in."""

from __future__ import annotations

from pathlib import Path

from accelbench import __version__
from accelbench.gate.assemble import PUBLIC
from accelbench.paths import building

TEMPLATE = Path(__file__).parent / "template"
MARK = "@ACCELBENCH@"
DOTTED = ("github", "gitignore")
"""Names that get a dot in front: packages of Python do not always carry such files."""


def new(folder: Path) -> list[Path]:
    """Make the new folder ``folder`` with all that a repository of results needs; gives its files, relative to it.
    Raises UsageError when it is there already."""
    made = []
    with building(folder) as room:
        (room / PUBLIC).mkdir()
        (room / PUBLIC / ".gitkeep").write_text("", encoding="utf-8")
        for path in sorted(TEMPLATE.rglob("*")):
            if path.is_file():
                first, *rest = path.relative_to(TEMPLATE).parts
                name = Path(f".{first}" if first in DOTTED else first, *rest)
                (room / name).parent.mkdir(parents=True, exist_ok=True)
                text = path.read_text(encoding="utf-8").replace(MARK, f"accelbench=={__version__}")
                (room / name).write_text(text, encoding="utf-8")
                made.append(name)
    return made
