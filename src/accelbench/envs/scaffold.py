"""A new backend's folder, made from a template that works as it stands."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from accelbench import paths
from accelbench.envs.spec import BackendSpec, find, read, taken
from accelbench.errors import UsageError

TEMPLATE = Path(__file__).parent / "template"
MARK = "@NAME@"
NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
"""As ``backend.toml`` takes it: it becomes a folder's name before that is read."""

SHARED_WITH = "onnxruntime"
"""The shipped backend that the template's stack is that of: it has the same packages, and answers alike."""

SHARED = ("requirements.in", "requirements.lock", "deviations.toml")


def scaffold(name: str, into: Path) -> BackendSpec:
    """Make the folder ``name`` in the folder ``into``, and read it as a backend.

    Raises UsageError for a name that is none, one that another backend has, and a folder that is there.
    """
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is no name of a backend: that has lower-case letters, digits, '-' and '_', no '-' or '_' first"
        )
    if there := taken(name):
        raise UsageError(f"a backend is called {name!r} already ({there[0]}): choose another name")
    final, like = into / name, find(SHARED_WITH)
    with paths.building(final) as folder:
        for path in sorted(TEMPLATE.iterdir()):
            if path.is_file():
                text = path.read_text(encoding="utf-8").replace(MARK, name)
                (folder / path.name).write_text(text, encoding="utf-8")
        for file in SHARED:
            shutil.copyfile(like.folder / file, folder / file)
    return read(final)
