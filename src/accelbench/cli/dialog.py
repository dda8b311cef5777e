"""Asks a person at a terminal for the options of backends."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from functools import partial

import click

from accelbench.envs.options import checked, default, takes, unmet
from accelbench.envs.spec import BackendSpec
from accelbench.errors import UsageError

Options = Mapping[str, Mapping[str, str]]
"""Values by backend and option, as text."""


def dialog(specs: Sequence[BackendSpec], precisions: Sequence[str], given: Options) -> Options:
    """``given`` with a person's answers in its place: Enter keeps what is given, or the default. A wrong value is asked
    for again, and an option whose needs do not hold is passed over. Says at the end which words do the same.

    Raises UsageError when nobody sits at a terminal.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("--ask needs a terminal, for its input and its output: use --option or --options FILE")
    found = {spec.name: _of(spec, precisions, given.get(spec.name, {})) for spec in specs}
    words = flags_of(found)
    click.echo(f"\nThe same without questions: {shlex.join(words)}\n" if words else "\nAll as by default.\n")
    return found


def flags_of(options: Options) -> list[str]:
    """The words of a command line that set these options."""
    return [
        word
        for backend, values in options.items()
        for name, value in values.items()
        for word in ("--option", f"{backend}.{name}={value}")
    ]


def _of(spec: BackendSpec, precisions: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    """The answers for one backend, without those that are the default."""
    table = spec.table
    click.echo(f"\n{spec.name}, {table.title}" + ("" if table.options else ": no options"))
    answers, values = dict(given), dict[str, str]()
    for name, option in table.options.items():
        lacking = [unmet(table, name, values, precision) for precision in precisions]
        if all(lacking):
            click.echo(f"  {name}: passed over, for it needs {lacking[0]}")
            answers.pop(name, None)
            continue
        usual = default(option)
        now = answers.get(name, usual)
        click.echo(f"  {name}: {option.text}")
        value = click.prompt(
            f"    {takes(option)}",
            default="" if now is None else now,
            show_default=now is not None,
            value_proc=partial(_checked, spec, name),
        )
        answers.pop(name, None)
        if value:
            values[name] = value
        if value and value != usual:
            answers[name] = value
    return answers


def _checked(spec: BackendSpec, name: str, word: str) -> str:
    """What click wants to ask again for: an exception of its own."""
    try:
        return checked(spec.table, name, word) if word else word
    except UsageError as error:
        raise click.BadParameter(str(error)) from error
