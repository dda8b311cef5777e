"""Which recipes apply to a report, why, and the command that follows the advice: pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from accelbench.knowledge.catalogue import recipes
from accelbench.knowledge.facts import Fact, facts
from accelbench.knowledge.recipe import Change, Condition, Load, Recipe
from accelbench.model import Report, Target


@dataclass(frozen=True)
class Match:
    """A recipe that applies: ``because`` has the facts of the report that its conditions are about, ``command`` is what
    to run instead (argv)."""

    recipe: Recipe
    because: tuple[str, ...]
    command: tuple[str, ...]


def applying(report: Report, known: Iterable[Recipe] | None = None) -> tuple[Match, ...]:
    """The recipes that apply to a report, of those that ship unless others are given, in their order."""
    there = facts(report)
    found = []
    for recipe in recipes().values() if known is None else known:
        because = applies(recipe, there)
        if because is not None:
            found.append(Match(recipe, because, command(recipe.change, report)))
    return tuple(found)


def applies(recipe: Recipe, there: Mapping[str, Fact]) -> tuple[str, ...] | None:
    """Why the recipe applies where these are the facts, a line for each condition; None where it does not."""
    because = []
    for condition in recipe.conditions:
        line = holds(condition, there.get(condition.fact))
        if line is None:
            return None
        because.append(line)
    return tuple(because)


def holds(condition: Condition, fact: Fact | None) -> str | None:
    """The fact of which the condition holds, as a formula; None where it does not hold. The fact may be absent."""
    name = condition.fact
    if condition.known is not None:
        return f"{name} = {_words(fact)}" if (fact is not None) == condition.known else None
    if condition.any is not None:
        found = _alike(fact, condition.any)
        return f"{name} = {', '.join(found)}" if found else None
    if condition.none is not None:
        without = fact is not None and not _alike(fact, condition.none)
        return f"{name} ≠ {', '.join(condition.none)}" if without else None
    if not isinstance(fact, float):
        return None
    if condition.above is not None:
        return f"{name} = {_words(fact)} > {condition.above:g}" if fact > condition.above else None
    return f"{name} = {_words(fact)} < {condition.below:g}" if fact < (condition.below or 0.0) else None


def _alike(fact: Fact | None, patterns: Iterable[str]) -> list[str]:
    texts = fact if isinstance(fact, tuple) else ()
    return [text for text in texts if any(fnmatchcase(text, pattern) for pattern in patterns)]


def _words(fact: Fact | None) -> str:
    if fact is None:
        return "–"
    return ", ".join(fact) if isinstance(fact, tuple) else f"{fact:.4g}"


def changed(change: Change, target: Target) -> Target:
    """The target after the change. Options are those of a backend: another backend starts without."""
    moved = change.backend is not None and change.backend != target.backend
    options = {**({} if moved else target.options), **change.options}
    return replace(
        target,
        backend=change.backend or target.backend,
        precision=change.precision or target.precision,
        passes=target.passes if change.passes is None else change.passes,
        tune_s=target.tune_s if change.tune_s is None else change.tune_s,
        options={name: value for name, value in options.items() if value != ""},
    )


def command(change: Change, report: Report) -> tuple[str, ...]:
    """The command that evaluates the report's task after the change, with the same effort and the same scenarios."""
    target = changed(change, report.target)
    argv = ["accelbench", "run", report.task.id, "-b", target.backend, "--precision", target.precision]
    if target.passes:
        argv += ["--pass", "+".join(target.passes)]
    if target.tune_s is not None:
        argv += ["--tune", f"{target.tune_s:g}"]
    for name, value in target.options.items():
        argv += ["--option", f"{target.backend}.{name}={value}"]
    return (*argv, *_load(report, change.load or Load()), f"--{report.effort}")


def _load(report: Report, load: Load) -> list[str]:
    plans = [each.plan for each in report.measurements]
    scenarios = list(dict.fromkeys(plan.scenario for plan in plans))
    rates = [plan.rate for plan in plans if plan.rate is not None]
    argv = ["--scenario", ",".join(scenarios)] if scenarios else []
    argv += ["--rate", f"{max(rates):g}"] if rates else []
    batches = sorted({plan.batch for plan in plans}) if load.batch is None else []
    argv += ["--batch", ",".join(map(str, batches))] if batches and batches != [1] else []
    return [*argv, *load.arguments]
