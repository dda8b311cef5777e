"""What the host knows of a backend: its ``backend.toml``, read strictly, without importing any vendor code.

A backend is a folder with ``backend.toml``, ``adapter.py`` and, for an environment of its own, ``requirements.lock``.
Folders are found in the package, in ``backends/`` of accelbench's home (put there by ``backend install DIR``) and in
the list ``ACCELBENCH_BACKENDS`` (separated like PATH). A folder that is no backend, and two of one name, stand in
nobody's way but of those who ask for them by name.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from accelbench import backends as shipped
from accelbench import paths
from accelbench.backends.identity import adapter_sha256
from accelbench.envs.options import resolved
from accelbench.envs.tables import BackendTable
from accelbench.errors import UsageError


@dataclass(frozen=True)
class Broken:
    """A folder where a backend should be: what it seems to be called, and why it cannot be used."""

    name: str
    folder: Path
    problem: str


@dataclass(frozen=True)
class BackendSpec:
    """A backend: its folder and what its ``backend.toml`` says."""

    folder: Path
    table: BackendTable

    @property
    def name(self) -> str:
        return self.table.name

    @property
    def adapter(self) -> Path:
        return self.folder / "adapter.py"

    @property
    def lock(self) -> Path:
        return self.folder / "requirements.lock"

    @property
    def source(self) -> tuple[Path, ...]:
        """The files that the backend is, besides its lock: ``backend.toml``, the adapter and the modules beside it."""
        return (self.folder / "backend.toml", *sorted(self.folder.glob("*.py")))

    @property
    def adapter_sha256(self) -> str:
        return adapter_sha256(self.folder)

    @property
    def lock_sha256(self) -> str | None:
        return hashlib.sha256(self.lock.read_bytes()).hexdigest() if self.lock.is_file() else None

    def options(self, given: Mapping[str, str], precision: str = "fp32") -> dict[str, str]:
        """The options of a target: ``given`` checked against what is declared, and the defaults of the others.

        Raises UsageError that names the option, what it got and what it takes or needs.
        """
        return resolved(self.table, given, (precision,))[0]


def read(folder: Path) -> BackendSpec:
    """The backend in ``folder``. Raises UsageError that names the file and the field which is wrong."""
    path = folder / "backend.toml"
    try:
        table = BackendTable.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"{path} cannot be read ({why}): a backend is a folder with backend.toml") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ": ".join(filter(None, (str(path), ".".join(str(part) for part in first["loc"]))))
        raise UsageError(f"{where}: {first['msg'].removeprefix('Value error, ')}") from error
    spec = BackendSpec(folder=folder.absolute(), table=table)
    if not spec.adapter.is_file():
        raise UsageError(f"{folder} has no adapter.py: a backend needs one beside backend.toml")
    environment = table.environment
    if environment.kind == "venv" and not spec.lock.is_file():
        raise UsageError(f"{folder} has no requirements.lock: an environment of kind venv is made from it")
    if (environment.kind == "system") != (environment.python is not None):
        raise UsageError(f"{path}: environment.python: kind system needs it, and kind venv has none")
    if environment.kind == "venv" and environment.packages:
        raise UsageError(f"{path}: environment.packages: kind venv has those of its lock")
    if environment.kind == "system" and environment.unlocked:
        raise UsageError(f"{path}: environment.unlocked: nothing is installed for kind system; see packages")
    return spec


def survey() -> tuple[dict[str, BackendSpec], list[Broken]]:
    """Every backend that can be used here, by name, and every folder where one should be and is not."""
    found: dict[str, list[BackendSpec]] = {}
    broken: list[Broken] = []
    for folder in _folders():
        try:
            spec = read(folder)
        except UsageError as error:
            broken.append(Broken(folder.name, folder, str(error)))
        else:
            found.setdefault(spec.name, []).append(spec)
    for name, several in found.items():
        if len(several) > 1:
            folders = " and ".join(str(spec.folder) for spec in several)
            broken += [Broken(name, spec.folder, f"{folders} both are {name!r}: remove one") for spec in several]
    return {name: several[0] for name, several in found.items() if len(several) == 1}, broken


def backends() -> dict[str, BackendSpec]:
    """Every backend that can be used here, by name."""
    return survey()[0]


def find(name: str) -> BackendSpec:
    """The backend called ``name``. Raises UsageError with what is wrong with it, or with the nearest names."""
    known, broken = survey()
    if name in known:
        return known[name]
    for each in broken:
        if each.name == name:
            raise UsageError(f"backend {name!r} cannot be used: {each.problem}")
    more = f"; broken are {', '.join(each.name for each in broken)}: see 'accelbench backend list'" if broken else ""
    raise UsageError(f"no backend is called {name!r}{_near(name, known)}; known are {', '.join(sorted(known))}{more}")


def taken(name: str) -> list[Path]:
    """The folders that are a backend called ``name``, or seem to be meant for one."""
    known, broken = survey()
    usable = [known[name].folder] if name in known else []
    return [*usable, *(each.folder for each in broken if each.name == name)]


def registry() -> Path:
    """Where backends from outside the package are copied to."""
    return paths.home() / "backends"


def is_shipped(spec: BackendSpec) -> bool:
    return spec.folder.parent == _shipped()


def _shipped() -> Path:
    return Path(shipped.__path__[0]).absolute()


def _folders() -> list[Path]:
    listed = [Path(entry) for entry in os.environ.get("ACCELBENCH_BACKENDS", "").split(os.pathsep) if entry]
    ours = [path.parent for path in sorted(_shipped().glob("*/backend.toml"))]
    copied = [path for path in sorted(registry().glob("[!.]*")) if path.is_dir()]
    return list(dict.fromkeys([*ours, *copied, *listed]))


def _near(name: str, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(name, known, n=2)
    return f" (did you mean {' or '.join(near)}?)" if near else ""
