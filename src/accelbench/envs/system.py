"""Environments of kind ``system``: an interpreter that came with a driver or an SDK, used as it is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from accelbench.envs.spec import BackendSpec
from accelbench.errors import UsageError

OLDEST = (3, 9)
EVERYWHERE = ("numpy",)
"""Packages that a worker needs whatever the stack."""

LOOK_TIMEOUT_S = 60.0
_FACTS = """
import importlib.metadata as m, json, platform
print(json.dumps([platform.python_version(), {d.metadata["Name"] or "": d.version for d in m.distributions()}]))
"""


@dataclass(frozen=True)
class Interpreter:
    """A Python with the packages that a worker would see in it, by name."""

    path: Path
    version: str
    packages: Mapping[str, str]


def interpreter(spec: BackendSpec) -> Interpreter:
    """The backend's interpreter. Raises UsageError that says what is missing, where, and what to do about it: no such
    interpreter, one that does not run or is too old, or one without the declared packages."""
    wanted = spec.table.environment.python or ""
    where = shutil.which(wanted)
    if where is None:
        raise UsageError(f"backend {spec.name} needs the interpreter {wanted}, which is not there; {_advice(spec)}")
    try:
        found = _look(Path(where))
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        text = " ".join(str(error).split())[-200:]
        raise UsageError(
            f"backend {spec.name}: the interpreter {where} does not work ({text}); {_advice(spec)}"
        ) from error
    if tuple(int(part) for part in found.version.split(".")[:2]) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise UsageError(f"backend {spec.name} needs Python {oldest} or newer; {where} is {found.version}")
    there = {_plain(name) for name in found.packages}
    missing = [name for name in (*EVERYWHERE, *spec.table.environment.packages) if _plain(name) not in there]
    if missing:
        raise UsageError(f"backend {spec.name} needs {', '.join(missing)} in {where}; {_advice(spec)}")
    return found


def usable(spec: BackendSpec) -> bool:
    """Whether the backend's interpreter is there, with all that it needs."""
    try:
        interpreter(spec)
    except UsageError:
        return False
    return True


@cache
def _look(python: Path) -> Interpreter:
    """Asks once per process: several backends share an interpreter. As a worker is started: without user packages."""
    told = subprocess.run(
        [python, "-I", "-c", _FACTS],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        timeout=LOOK_TIMEOUT_S,
        text=True,
    )
    version, packages = json.loads(told.stdout)
    return Interpreter(python, version, packages)


def _advice(spec: BackendSpec) -> str:
    return (
        f"install what {spec.folder / 'README.md'} names, or put the interpreter that has it first on PATH "
        "(its folder, or activate its environment)"
    )


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
