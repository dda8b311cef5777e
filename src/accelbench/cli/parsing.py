"""What the command line accepts beyond single words."""

from __future__ import annotations

import difflib
import math
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import click

from accelbench.errors import UsageError
from accelbench.measure.stats import QUANTILES

AUTO: Literal["auto"] = "auto"
UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6}


class _Commas(click.ParamType[tuple[str, ...]]):
    """``a,b`` as ``("a", "b")``."""

    name = "A,B,..."

    def convert(
        self, value: str | tuple[str, ...], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        words = tuple(word.strip() for word in value.split(","))
        if not all(words):
            self.fail(f"{value!r} has an empty part", param, ctx)
        return tuple(dict.fromkeys(words))


class _NamedShape(click.ParamType[tuple[str, tuple[int, ...]]]):
    """``name:1,3,224,224`` as ``("name", (1, 3, 224, 224))``."""

    name = "NAME:SHAPE"

    def convert(
        self,
        value: str | tuple[str, tuple[int, ...]],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[str, tuple[int, ...]]:
        if isinstance(value, tuple):
            return value
        name, _, text = value.rpartition(":")
        try:
            shape = tuple(int(part) for part in text.split(",")) if text else ()
        except ValueError:
            shape = (0,)
        if not name or any(dim < 1 for dim in shape):
            self.fail(f"{value!r} is not a name and a shape, like input:1,3,224,224", param, ctx)
        return name, shape


class _Ratio(click.ParamType[float]):
    """``2%`` or ``0.02`` as 0.02; above 0 and below 1."""

    name = "RATIO"

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        text = str(value).strip()
        try:
            ratio = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        except ValueError:
            ratio = 0.0
        if not 0 < ratio < 1:
            self.fail(f"{value!r} is not a ratio between 0 and 1, like 2% or 0.02", param, ctx)
        return ratio


class _Bound(click.ParamType[tuple[str, float]]):
    """``p99<=50ms`` as ``("p99", 0.05)``."""

    name = "p99<=50ms"

    def convert(
        self, value: str | tuple[str, float], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, float]:
        if isinstance(value, tuple):
            return value
        found = re.fullmatch(r"(p\d+(?:\.\d+)?)\s*(?:<=|≤)\s*(\d+(?:\.\d*)?|\.\d+)\s*(µs|μs|us|ms|s)", value.strip())
        if found is None or found[1] not in QUANTILES or float(found[2]) == 0:
            self.fail(f"{value!r} is not a bound like p99<=50ms ({', '.join(QUANTILES)}; us, ms, s)", param, ctx)
        return found[1], float(found[2]) * UNITS[found[3]]


class Finite(click.FloatRange):
    """A number within bounds, which NaN and infinity are not."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number", param, ctx)
        return number


class _NewPath(click.ParamType[Path]):
    """A path where nothing is yet: found out before any work is done."""

    name = "path"

    def convert(self, value: str | Path, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        path = Path(value)
        if os.path.lexists(path):
            self.fail(f"{path} exists already; it is never overwritten: choose another path or remove it", param, ctx)
        return path


class _CountOrAuto(click.ParamType[int | Literal["auto"]]):
    """A whole number of at least 1, or ``auto``."""

    name = "N|auto"

    def convert(
        self, value: str | int, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | Literal["auto"]:
        if value == AUTO:
            return AUTO
        if not str(value).isdecimal() or int(value) < 1:
            self.fail(f"{value!r} is neither a whole number of at least 1 nor {AUTO}", param, ctx)
        return int(value)


COMMAS = _Commas()
NEW_PATH = _NewPath()
BOUND = _Bound()
COUNT_OR_AUTO = _CountOrAuto()
NAMED_SHAPE = _NamedShape()
RATIO = _Ratio()


def known(words: Iterable[str], choices: Iterable[str], what: str) -> tuple[str, ...]:
    """The words, each one of ``choices``; else a UsageError that names the nearest."""
    allowed = list(choices)
    checked = tuple(words)
    for word in checked:
        if word not in allowed:
            near = difflib.get_close_matches(word, allowed, n=3, cutoff=0.5)
            hint = f"did you mean {' or '.join(near)}?" if near else f"choose from {', '.join(allowed)}"
            raise UsageError(f"unknown {what} {word!r}: {hint}")
    return checked


def positive_integers(words: Iterable[str], what: str) -> tuple[int, ...]:
    """The words as integers of at least 1; else a UsageError."""
    numbers = []
    for word in words:
        if not word.isdecimal() or int(word) < 1:
            raise UsageError(f"{what} {word!r} is not a whole number of at least 1")
        numbers.append(int(word))
    return tuple(numbers)


def options_of(settings: Iterable[str]) -> dict[str, dict[str, str]]:
    """``backend.name=value`` texts as ``{backend: {name: value}}``; else a UsageError."""
    found: dict[str, dict[str, str]] = {}
    for text in settings:
        target, equals, value = text.partition("=")
        backend, dot, name = target.partition(".")
        if not (equals and dot and backend and name):
            raise UsageError(f"--option {text!r} is not BACKEND.NAME=VALUE")
        found.setdefault(backend, {})[name] = value
    return found
