"""Recipes in words, in either language: figures, effects, conditions; and as plain values for programs and pages."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from accelbench.figures.figures import UNITS
from accelbench.knowledge.recipe import ANY, Condition, Effect, Language, Recipe

_NAMES: Mapping[str, tuple[str, str]] = {
    "status": ("status", "状态"),
    "non_finite": ("NaN or infinite outputs", "输出中的 NaN 或无穷"),
    "latency_p50_s": ("p50", "p50"),
    "latency_p90_s": ("p90", "p90"),
    "latency_p99_s": ("p99", "p99"),
    "throughput": ("throughput", "吞吐量"),
    "compile_s": ("compile time", "编译时间"),
    "size_bytes": ("size", "大小"),
    "accuracy": ("accuracy", "精度"),
    "agreement": ("agreement", "一致率"),
    "relative_l2": ("drift (relative L2)", "漂移（相对 L2）"),
    "sqnr_db": ("SQNR", "SQNR"),
}
_SCENARIOS: Mapping[str, tuple[str, str]] = {
    "single_stream": ("single stream", "单流"),
    "multi_stream": ("multi-stream", "多流"),
    "server": ("server", "服务器"),
    "offline": ("offline", "离线"),
    "closed_loop": ("closed loop", "闭环"),
}
_SCALES = {
    "s": ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")),
    "bytes": ((1e6, "MB"), (1e3, "kB")),
    "samples/s": ((1.0, "/s"),),
    "dB": ((1.0, "dB"),),
}


def figure_words(figure: str, value: float | str) -> str:
    """A figure's value with its unit, three digits."""
    if isinstance(value, str):
        return value
    if figure in ("accuracy", "agreement"):
        return f"{value:.4f}"
    scales = _SCALES.get(UNITS.get(figure, ""), ())
    for factor, unit in scales:
        if abs(value) >= factor or factor == scales[-1][0]:
            return f"{_digits(value / factor)} {unit}"
    return _digits(value)


def _digits(value: float) -> str:
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    if abs(value) < 1e-2:
        return f"{value:.2g}"
    return f"{value:,.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def effect_words(effect: Effect, language: Language = "en") -> str:
    """As ``p50, single stream: 55.9 ms → 207 µs (×0.0037)``."""
    at = 0 if language == "en" else 1
    name = _NAMES[effect.figure][at]
    if effect.scenario is not None:
        name += (", " if language == "en" else "，") + _SCENARIOS[effect.scenario][at]
    told = f"{figure_words(effect.figure, effect.before)} → {figure_words(effect.figure, effect.after)}"
    ratio = f" (×{effect.ratio:.2g})" if effect.ratio is not None and effect.figure not in _SHARES else ""
    return f"{name}{': ' if language == 'en' else '：'}{told}{ratio}"


_SHARES = ("accuracy", "agreement", "sqnr_db")
"""Figures whose ratio says less than their values."""


def condition_words(condition: Condition) -> str:
    """A condition as a formula."""
    name = condition.fact
    if condition.any is not None:
        return f"{name} = {' | '.join(condition.any)}"
    if condition.none is not None:
        return f"{name} ≠ {' | '.join(condition.none)}"
    if condition.above is not None:
        return f"{name} > {condition.above:g}"
    if condition.below is not None:
        return f"{name} < {condition.below:g}"
    return f"{name} {'≠' if condition.known else '='} –"


def plain(recipe: Recipe) -> dict[str, Any]:
    """A recipe as plain values, texts as ``{"en": …, "zh": …}``: what programs and boards show. ``effect`` and
    ``cost`` are lines for people, ``measured`` the numbers behind them, ``evidence`` the first twelve digits of the
    ids of all reports."""
    return {
        "id": recipe.id,
        "date": recipe.date,
        "stacks": list(recipe.stacks),
        "title": recipe.title.model_dump(),
        "models": recipe.models.model_dump(),
        "symptom": recipe.symptom.model_dump(),
        "why": recipe.why.model_dump(),
        "change": {"en": recipe.change.en, "zh": recipe.change.zh},
        "arguments": list(arguments(recipe)),
        "when": [condition_words(each) for each in recipe.when],
        "effect": _both(effect for each in recipe.measured for effect in each.effects),
        "cost": _both(cost for each in recipe.measured for cost in each.costs),
        "measured": [each.model_dump(mode="json") for each in recipe.measured],
        "evidence": list(dict.fromkeys(id12 for pair in recipe.evidence for id12 in pair)),
    }


def _both(effects: Iterable[Effect]) -> dict[str, list[str]]:
    told = list(effects)
    return {"en": [effect_words(each, "en") for each in told], "zh": [effect_words(each, "zh") for each in told]}


def arguments(recipe: Recipe) -> tuple[str, ...]:
    """What the change adds to ``accelbench run``."""
    change, load = recipe.change, recipe.change.load
    backend = change.backend or (recipe.stacks[0] if len(recipe.stacks) == 1 and recipe.stacks != (ANY,) else "BACKEND")
    argv = ["-b", change.backend] if change.backend else []
    argv += ["--precision", change.precision] if change.precision else []
    argv += ["--pass", "+".join(change.passes) or "none"] if change.passes is not None else []
    argv += ["--tune", f"{change.tune_s:g}"] if change.tune_s is not None else []
    for name, value in change.options.items():
        argv += ["--option", f"{backend}.{name}={value}"] if value else []
    return (*argv, *(load.arguments if load else ()))
