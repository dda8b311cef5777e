"""From the options of a run to the targets that tasks are evaluated on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import click

from accelbench.bench import ANY_DEVICE
from accelbench.cli.dialog import Options
from accelbench.cli.parsing import COMMAS, known
from accelbench.cli.settings import Settings
from accelbench.envs.install import installed, interpreter
from accelbench.envs.options import resolved
from accelbench.envs.spec import BackendSpec, backends, find
from accelbench.errors import UsageError
from accelbench.model import Target
from accelbench.passes.names import CHAINED, NOTHING, WORDS, chain
from accelbench.reference import BACKEND as REFERENCE

PRECISIONS = ("fp32", "bf16", "fp16", "int8", "int8-static")
PRECISION = "fp32"
HARNESS = "null"

Side = tuple[BackendSpec, Target]

pass_option = click.option(
    "--pass",
    "passes",
    type=COMMAS,
    default=(),
    help=f"What is done to the model first: {', '.join(WORDS)}; chained with {CHAINED}; `{NOTHING}`: nothing.",
)
"""Gives a command chains of passes, as ``passes``."""


def targets(
    names: Sequence[str],
    device: str | None,
    precisions: Sequence[str],
    settings: Settings,
    passes: Sequence[str] = (),
) -> list[Side]:
    """Each backend (none: all installed) in each precision (none: fp32) after each chain of passes (none: the model as
    it is). Raises UsageError for what is unknown or not installed."""
    specs = _specs(names)
    asked = known(precisions, PRECISIONS, "precision") or (PRECISION,)
    given = settings.given(specs, asked)
    chains = [chain(text) for text in passes] or [()]
    plain = [side for spec in specs for side in _of(spec, device, asked, given)]
    return [(spec, replace(target, passes=words)) for spec, target in plain for words in chains]


def sides(words: Sequence[str], device: str | None, settings: Settings) -> list[Side]:
    """Each of ``backend[:precision]``. Raises UsageError for what is unknown or not installed."""
    parts = [word.partition(":") for word in words]
    specs = _specs([name for name, _, _ in parts])
    asked = known([word if colon else PRECISION for _, colon, word in parts], PRECISIONS, "precision")
    given = settings.given(specs, asked)
    own = {
        spec.name: list(
            _of(spec, device, [each for part, each in zip(parts, asked, strict=True) if part[0] == spec.name], given)
        )
        for spec in specs
    }
    return [own[name].pop(0) for name, _, _ in parts]


def _specs(names: Sequence[str]) -> list[BackendSpec]:
    """The backends asked for, or all that are installed; each can be started, and so can the reference's."""
    specs = [find(name) for name in dict.fromkeys(names)]
    if not specs:
        specs = [spec for spec in backends().values() if installed(spec) and spec.name != HARNESS]
    for spec in (*specs, find(REFERENCE)):
        if not installed(spec):
            if spec.table.environment.kind == "system":
                interpreter(spec)
            needed = " (it gives the float32 reference)" if spec.name == REFERENCE else ""
            raise UsageError(
                f"backend {spec.name} is not installed{needed}: run 'accelbench backend install {spec.name}'"
            )
    return specs


def _of(spec: BackendSpec, device: str | None, precisions: Sequence[str], given: Options) -> Iterator[Side]:
    options = resolved(spec.table, given.get(spec.name, {}), precisions)
    for precision, own in zip(precisions, options, strict=True):
        yield spec, Target(spec.name, device or ANY_DEVICE, precision, own)
