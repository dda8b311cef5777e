"""Options of a backend: what is declared in its ``backend.toml``, checked, explained, and resolved for a target."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from accelbench.envs.tables import PRECISION, BackendTable, OptionTable
from accelbench.errors import UsageError
from accelbench.model import Target

TRUTH = {"true": "true", "false": "false"}


def resolved(table: BackendTable, given: Mapping[str, str], precisions: Sequence[str]) -> list[dict[str, str]]:
    """The options of a target in each of ``precisions``: those given where what they need holds, and the defaults of
    the others.

    Raises UsageError that names the option, what it got and what it takes, or, for an option that is given but whose
    needs hold in none of the precisions, what it needs.
    """
    values = {name: checked(table, name, value) for name, value in given.items()}
    found = [_in(table, values, precision) for precision in precisions]
    for name in values:
        if not any(name in options for options in found):
            reason = unmet(table, name, found[0], precisions[0]) if found else ""
            raise UsageError(f"option {name} of backend {table.name} needs {reason}")
    return found


def checked(table: BackendTable, name: str, value: str) -> str:
    """``value`` in the one spelling that adapters get. Raises UsageError for an unknown option or a wrong value."""
    option = table.options.get(name)
    if option is None:
        near = difflib.get_close_matches(name, table.options, n=2)
        hint = f" (did you mean {' or '.join(near)}?)" if near else ""
        known = ", ".join(table.options) or "it has none"
        raise UsageError(f"backend {table.name} has no option {name!r}{hint}; options: {known}")
    try:
        return _spelled(option, value)
    except (KeyError, ValueError) as error:
        raise UsageError(f"option {name} of backend {table.name} is {value!r}; it takes {takes(option)}") from error


def checked_choice(table: BackendTable, target: Target, chosen: Mapping[str, str]) -> dict[str, str]:
    """What a tuner chose beside the target's options, in the one spelling that adapters get. Raises UsageError for one
    that the target has, that the backend does not know, or that needs what does not hold."""
    for name in chosen:
        if name in target.options:
            raise UsageError(f"option {name} was given, and stays {target.options[name]}")
    (options,) = resolved(table, {**target.options, **chosen}, (target.precision,))
    return {name: options[name] for name in chosen}


def takes(option: OptionTable) -> str:
    """What values the option has, in words."""
    if option.type == "bool":
        return "true or false"
    if option.choices is not None:
        return "one of " + ", ".join(option.choices)
    if option.type == "str":
        return "text"
    low, high = ("…" if bound is None else f"{bound:g}" for bound in (option.min, option.max))
    return option.type if low == high == "…" else f"{option.type} in [{low}, {high}]"


def default(option: OptionTable) -> str | None:
    """The default, spelled as a value is."""
    return None if option.default is None else _text(option.default)


def unmet(table: BackendTable, name: str, values: Mapping[str, str], precision: str) -> str | None:
    """What the option needs that does not hold with these values of the others in this precision; None: nothing."""
    for other, allowed in table.options[name].needs.items():
        value = precision if other == PRECISION else values.get(other)
        if value not in allowed:
            has = "is not set" if value is None else f"is {value}"
            return f"{other} to be {' or '.join(allowed)}; it {has}"
    return None


def _in(table: BackendTable, values: Mapping[str, str], precision: str) -> dict[str, str]:
    """In the order of the declaration: an option needs only what stands before it."""
    found: dict[str, str] = {}
    for name, option in table.options.items():
        value = values.get(name, default(option))
        if value is not None and unmet(table, name, found, precision) is None:
            found[name] = value
    return found


def _spelled(option: OptionTable, value: str) -> str:
    if option.type == "bool":
        return TRUTH[value.lower()]
    if option.type in ("int", "float"):
        number = int(value) if option.type == "int" else float(value)
        low, high = option.min, option.max
        if not ((low is None or number >= low) and (high is None or number <= high)):
            raise ValueError(value)
        return str(number)
    if option.choices is not None and value not in option.choices:
        raise ValueError(value)
    return value


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
