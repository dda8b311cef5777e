"""A new backend's folder, made from a template that works as it stands."""

from __future__ import annotations

import shutil
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from accelbench import paths
from accelbench.envs.spec import BackendSpec, Name, backends, read
from accelbench.errors import UsageError

TEMPLATE = Path(__file__).parent / "template"
MARK = "@NAME@"

SHARED_WITH = "onnxruntime"
"""The shipped backend that the template's stack is that of: it has the same packages, and answers alike."""

SHARED = ("requirements.in", "requirements.lock", "deviations.toml")


def scaffold(name: str, into: Path) -> BackendSpec:
    """Make the folder ``name`` in the folder ``into``, and read it as a backend.

    Raises UsageError for a name that is none, one that another backend has, and a folder that is there.
    """
    try:
        TypeAdapter(Name).validate_python(name)
    except ValidationError as error:
        raise UsageError(
            f"{name!r} is no name of a backend: that has lower-case letters, digits, '-' and '_', no '-' or '_' first"
        ) from error
    known = backends()
    if name in known:
        raise UsageError(f"a backend is called {name!r} already ({known[name].folder}): choose another name")
    final = into / name
    with paths.building(final) as folder:
        for path in sorted(TEMPLATE.iterdir()):
            if path.is_file():
                text = path.read_text(encoding="utf-8").replace(MARK, name)
                (folder / path.name).write_text(text, encoding="utf-8")
        for file in SHARED:
            shutil.copyfile(known[SHARED_WITH].folder / file, folder / file)
    return read(final)
