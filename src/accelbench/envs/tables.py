"""What stands in a ``backend.toml``, as strict tables."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

PRECISION = "precision"
"""What an option may need besides other options."""

Positive = Annotated[float, Field(gt=0)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class EnvironmentTable(_Table):
    """``venv``: made from the lock, and then from ``unlocked``, requirements of which pip chooses the build that suits
    the host. ``system``: the interpreter ``python``, by name on PATH or absolute, as it is, when it has all
    ``packages`` (names of distributions).

    A worker gets ``variables`` and, of the host's own variables, those named in ``inherit``. ``probes`` are commands
    (argv lists, ``{python}`` stands for the interpreter) whose first line of output is recorded: driver, SDK.
    """

    kind: Literal["venv", "system"]
    python: str | None = None
    packages: list[str] = []
    unlocked: list[str] = []
    variables: dict[str, str] = {}
    inherit: list[str] = []
    probes: dict[str, Annotated[list[str], Field(min_length=1)]] = {}


class AbilitiesTable(_Table):
    """See ``backends/protocol.py``."""

    threads: bool = False
    submit: bool = False
    purpose: bool = False
    profile: bool = False
    tune: bool = False
    processes: bool = False


class TimeoutsTable(_Table):
    """Seconds after which a step counts as hung; ``measure_s`` is on top of the plan's own limit and of the time that a
    few of the accuracy pass's queries took, ``tune_s`` on top of the time that the tuner was given."""

    start_s: Positive = 60.0
    devices_s: Positive = 60.0
    compile_s: Positive = 1800.0
    load_s: Positive = 600.0
    infer_s: Positive = 1800.0
    measure_s: Positive = 120.0
    tune_s: Positive = 30.0


class OptionTable(_Table):
    """One option of a target. ``choices`` and ``min``/``max`` bound it; without ``default`` it may be absent.

    ``needs`` names options that are declared before it, or ``precision``, each with the values of which it must have
    one for this option to mean something; else it is absent, whatever its default.
    """

    type: Literal["str", "int", "float", "bool"]
    text: str
    default: str | int | float | bool | None = None
    choices: list[str] | None = None
    min: float | None = None
    max: float | None = None
    needs: dict[str, Annotated[list[str], Field(min_length=1)]] = {}


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

    @model_validator(mode="after")
    def _needs_are_known(self) -> BackendTable:
        """Each need is a precision of the backend, or one of the values of an option above."""
        allowed: dict[str, list[str] | None] = {PRECISION: self.precisions}
        for name, option in self.options.items():
            for other, values in option.needs.items():
                if other not in allowed:
                    raise ValueError(
                        f"option {name} needs {other}, which is neither {PRECISION} nor an option above it"
                    )
                known = allowed[other]
                for value in values:
                    if known is not None and value not in known:
                        raise ValueError(f"option {name} needs {other} to be {value}; it has {', '.join(known)}")
            allowed[name] = ["true", "false"] if option.type == "bool" else option.choices
        if PRECISION in self.options:
            raise ValueError(f"an option cannot be called {PRECISION}: what options need may be one")
        return self
