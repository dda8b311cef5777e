"""Groups whose commands are imported when they are asked for: each verb pays for its own imports only."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class LazyGroup(click.Group):
    """A group with further commands, ``verbs``: by their names the module, below ``accelbench.cli``, and the attribute
    in it, as ``zoo_add:check``."""

    def __init__(self, *words: Any, verbs: Mapping[str, str], **named: Any) -> None:
        super().__init__(*words, **named)
        self._verbs = verbs

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *self._verbs})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._verbs:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = self._verbs[cmd_name].partition(":")
        found: click.Command = getattr(import_module(f"accelbench.cli.{module}"), attribute)
        return found
