"""The options of backends on the command line: as flags, in a file, or by a dialog."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from accelbench.cli.dialog import Options, dialog, flags_of
from accelbench.cli.groups import grouped
from accelbench.cli.parsing import options_of
from accelbench.envs.options import checked, default, takes
from accelbench.envs.spec import BackendSpec, find
from accelbench.envs.tables import OptionTable
from accelbench.errors import UsageError
from accelbench.model import Target

OUTPUT = ("-o", "--output")

TYPES: dict[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "float": (int, float), "bool": (bool,)}


@dataclass(frozen=True)
class Settings:
    """What the options of this group say, before it is known which backends they are about."""

    flags: tuple[str, ...] = ()
    file: Path | None = None
    ask: bool = False

    def given(self, specs: Sequence[BackendSpec], precisions: Sequence[str]) -> Options:
        """What is set for these backends: by the file, by flags in its place, and by the dialog in the place of both.

        Raises UsageError for a flag of another backend, for what a file must not hold, and for a dialog without a
        terminal. Whether values are right is for ``BackendSpec.options`` to say, except for those of a file.
        """
        flags = options_of(self.flags)
        for name in flags:
            if name not in [spec.name for spec in specs]:
                raise UsageError(f"--option is for backend {name!r}, which is not part of this run")
        stored = read(self.file) if self.file else {}
        found = {spec.name: {**stored.get(spec.name, {}), **flags.get(spec.name, {})} for spec in specs}
        return dialog(specs, precisions, found) if self.ask else found


SETTINGS = (
    click.option(
        "--option", "flags", multiple=True, help="BACKEND.NAME=VALUE, as `backend show` lists them; repeat for more."
    ),
    click.option(
        "--options",
        "file",
        type=click.Path(path_type=Path),
        help="A TOML file of such options, with a table for each backend. An --option goes before.",
    ),
    click.option("--ask", is_flag=True, help="Ask for each option of the chosen backends, in a terminal."),
)

setting_options = grouped("settings", Settings, SETTINGS)
"""Gives a command these options, as ``settings``."""


def read(file: Path) -> Options:
    """The options in a file. Raises UsageError that names file and key for an unknown backend or option, a value of
    another type, or one that is out of bounds."""
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--options {file} cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"--options {file} is not TOML: {error}") from error
    found: dict[str, dict[str, str]] = {}
    for name, values in tables.items():
        try:
            spec = find(name)
        except UsageError as error:
            raise UsageError(f"{file}: {error}") from error
        if not isinstance(values, dict):
            raise UsageError(f"{file}: {name} is no table of options, like [{name}]")
        found[name] = {option: _text(file, spec, option, value) for option, value in values.items()}
    return found


def command(settings: Settings, sides: Iterable[tuple[BackendSpec, Target]]) -> tuple[str, ...]:
    """The command that does this again: this process's own, without the folder that it wrote into, and with the options
    in effect, where they differ from the defaults, in the place of a file and of a dialog."""
    words = ("accelbench", *_without(sys.argv[1:], OUTPUT))
    if not settings.file and not settings.ask:
        return words
    found: dict[str, dict[str, str]] = {}
    for spec, target in sides:
        declared = spec.table.options
        told = {name: value for name, value in target.options.items() if value != default(declared[name])}
        found.setdefault(spec.name, {}).update(told)
    asked = (word for word in words if word != "--ask")
    return (*_without(asked, ("--option", "--options")), *flags_of(found))


def _without(words: Iterable[str], names: Collection[str]) -> list[str]:
    """The words without these options and their values."""
    kept, skip = [], False
    for word in words:
        name, equals, _ = word.partition("=")
        attached = not name.startswith("--") and name[:2] in names and len(name) > 2
        if not skip and name not in names and not attached:
            kept.append(word)
        skip = not skip and name in names and not equals
    return kept


def _text(file: Path, spec: BackendSpec, name: str, value: object) -> str:
    where = f"{file}: {spec.name}.{name}"
    option = spec.table.options.get(name)
    if option is not None and not _fits(option, value):
        raise UsageError(f"{where} is {value!r}, a {type(value).__name__}; it takes {takes(option)}")
    try:
        return checked(spec.table, name, str(value))
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from error


def _fits(option: OptionTable, value: object) -> bool:
    return isinstance(value, TYPES[option.type]) and (option.type == "bool" or not isinstance(value, bool))
