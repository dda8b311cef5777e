"""What the host knows of a backend: its ``backend.toml``, read strictly, without importing any vendor code.

A backend is a folder with ``backend.toml``, ``adapter.py`` and, for an environment of its own, ``requirements.lock``.
Folders are found in the package, in ``backends/`` of accelbench's home (put there by ``backend install DIR``) and in
the list ``ACCELBENCH_BACKENDS`` (separated like PATH).
"""

from __future__ import annotations

import difflib
import hashlib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from accelbench import backends as shipped
from accelbench import paths
from accelbench.backends.identity import adapter_sha256
from accelbench.errors import UsageError

Positive = Annotated[float, Field(gt=0)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class EnvironmentTable(_Table):
    """``venv``: made from the lock. ``system``: the interpreter ``python``, by name on PATH or absolute, as it is, when
    it has all ``packages`` (names of distributions).

    A worker gets ``variables`` and, of the host's own variables, those named in ``inherit``. ``probes`` are commands
    (argv lists, ``{python}`` stands for the interpreter) whose first line of output is recorded: driver, SDK.
    """

    kind: Literal["venv", "system"]
    python: str | None = None
    packages: list[str] = []
    variables: dict[str, str] = {}
    inherit: list[str] = []
    probes: dict[str, Annotated[list[str], Field(min_length=1)]] = {}


class AbilitiesTable(_Table):
    """See ``backends/protocol.py``."""

    threads: bool = False
    submit: bool = False
    purpose: bool = False


class TimeoutsTable(_Table):
    """Seconds after which a step counts as hung; ``measure_s`` is on top of the plan's own limit and of the time that a
    few of the accuracy pass's queries took."""

    start_s: Positive = 60.0
    devices_s: Positive = 60.0
    compile_s: Positive = 1800.0
    load_s: Positive = 600.0
    infer_s: Positive = 1800.0
    measure_s: Positive = 120.0


class OptionTable(_Table):
    """One option of a target. ``choices`` and ``min``/``max`` bound it; without ``default`` it may be absent."""

    type: Literal["str", "int", "float", "bool"]
    text: str
    default: str | int | float | bool | None = None
    choices: list[str] | None = None
    min: float | None = None
    max: float | None = None


class TelemetryTable(_Table):
    """``command``: an argv list (``{python}`` is the interpreter, ``{folder}`` the backend's folder) that runs beside
    each timed pass and prints readings, each a line ``{"name": "npu0.power", "unit": "W", "value": 12.5}``."""

    command: Annotated[list[str], Field(min_length=1)]


class BackendTable(_Table):
    """``backend.toml`` as a whole."""

    name: Name
    version: str
    title: str
    vendor: str
    url: str = ""
    untested: bool = False
    precisions: Annotated[list[str], Field(min_length=1)]
    environment: EnvironmentTable
    abilities: AbilitiesTable = AbilitiesTable()
    options: dict[Name, OptionTable] = {}
    timeouts: TimeoutsTable = TimeoutsTable()
    telemetry: TelemetryTable | None = None


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
    def adapter_sha256(self) -> str:
        return adapter_sha256(self.folder)

    @property
    def lock_sha256(self) -> str | None:
        return hashlib.sha256(self.lock.read_bytes()).hexdigest() if self.lock.is_file() else None

    def options(self, given: Mapping[str, str]) -> dict[str, str]:
        """The options of a target: ``given`` checked against what is declared, and the defaults of the others.

        Raises UsageError that names the option, what it got and what it takes.
        """
        declared = self.table.options
        for name in given:
            if name not in declared:
                known = ", ".join(declared) or "it has none"
                raise UsageError(f"backend {self.name} has no option {name!r}{_near(name, declared)}; options: {known}")
        values = {name: _text(option.default) for name, option in declared.items() if option.default is not None}
        values.update({name: self._checked(name, declared[name], value) for name, value in given.items()})
        return values

    def _checked(self, name: str, option: OptionTable, value: str) -> str:
        expected = ""
        try:
            if option.type == "bool":
                expected = "true or false"
                return {"true": "true", "false": "false"}[value.lower()]
            if option.type in ("int", "float"):
                expected = f"{option.type} in [{option.min}, {option.max}]".replace("None", "…")
                number = int(value) if option.type == "int" else float(value)
                low, high = option.min, option.max
                if not ((low is None or number >= low) and (high is None or number <= high)):
                    raise ValueError(value)
                return str(number)
            if option.choices is not None and value not in option.choices:
                expected = "one of " + ", ".join(option.choices)
                raise ValueError(value)
        except (KeyError, ValueError) as error:
            raise UsageError(f"option {name} of backend {self.name} is {value!r}; it takes {expected}") from error
        return value


def read(folder: Path) -> BackendSpec:
    """The backend in ``folder``. Raises UsageError that names the file and the field which is wrong."""
    path = folder / "backend.toml"
    try:
        table = BackendTable.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read ({error}): a backend is a folder with backend.toml") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{path}: {field}: {first['msg']}") from error
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
    return spec


def backends() -> dict[str, BackendSpec]:
    """Every backend known here, by name. Raises UsageError when two have the same name."""
    found: dict[str, BackendSpec] = {}
    for folder in _folders():
        spec = read(folder)
        if spec.name in found:
            raise UsageError(f"{folder} and {found[spec.name].folder} both are backend {spec.name!r}: remove one")
        found[spec.name] = spec
    return found


def find(name: str) -> BackendSpec:
    """The backend called ``name``. Raises UsageError with the nearest names."""
    known = backends()
    if name not in known:
        raise UsageError(f"no backend is called {name!r}{_near(name, known)}; known are {', '.join(sorted(known))}")
    return known[name]


def registry() -> Path:
    """Where backends from outside the package are copied to."""
    return paths.home() / "backends"


def is_shipped(spec: BackendSpec) -> bool:
    return spec.folder.parent == _shipped()


def _shipped() -> Path:
    return Path(shipped.__path__[0]).absolute()


def _folders() -> list[Path]:
    listed = [Path(entry) for entry in os.environ.get("ACCELBENCH_BACKENDS", "").split(os.pathsep) if entry]
    inside = [path.parent for room in (_shipped(), registry()) for path in sorted(room.glob("[!.]*/backend.toml"))]
    return inside + listed


def _near(name: str, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(name, known, n=2)
    return f" (did you mean {' or '.join(near)}?)" if near else ""


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
