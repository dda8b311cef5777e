"""Options that belong together reach a command as one noun."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import reduce, wraps
from typing import Any

Command = Callable[..., Any]
Decorator = Callable[[Command], Command]


def grouped(name: str, noun: type[Any], options: Sequence[Decorator]) -> Decorator:
    """A decorator that gives a command the click ``options``, and their values together, as its argument ``name``: an
    instance of the dataclass ``noun``, whose fields are called as the options' parameters are."""

    def decorated(command: Command) -> Command:
        @wraps(command)
        def collected(**words: Any) -> Any:
            given = noun(**{field.name: words.pop(field.name) for field in fields(noun)})
            return command(**{name: given}, **words)

        whole: Command = collected
        return reduce(lambda made, option: option(made), reversed(options), whole)

    return decorated
