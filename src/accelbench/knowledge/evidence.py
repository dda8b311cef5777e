"""The reports behind recipes: bundles in a folder, read, and held against what recipes say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from accelbench.bundle.read import Bundle
from accelbench.bundle.verify import verify
from accelbench.compare import task_key
from accelbench.errors import UsageError
from accelbench.figures.figures import figures
from accelbench.knowledge.effect import Side, measured, missing, side
from accelbench.knowledge.facts import facts
from accelbench.knowledge.match import applies, changed
from accelbench.knowledge.recipe import Effect, Measured, Recipe

TOLERANCE = 1e-3
"""How far a figure that is computed on another machine may be off."""

_ID12 = re.compile(r"--([0-9a-f]{12})(\.accelbench)?\.zip$")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


class Evidence:
    """The bundles of a folder, by the first twelve digits of their reports' ids, which end their names."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._bundles: Mapping[str, Path] = {
            found[1]: path for path in sorted(folder.glob("*.zip")) if (found := _ID12.search(path.name))
        }
        self._sides: dict[str, Side] = {}

    def side(self, id12: str) -> Side:
        """The report with its figures. Raises UsageError where its bundle is not there, or is not what it was."""
        if id12 not in self._sides:
            self._sides[id12] = self._read(id12)
        return self._sides[id12]

    def _read(self, id12: str) -> Side:
        path = self._bundles.get(id12)
        if path is None:
            raise UsageError(f"{self.folder}: no bundle of report {id12} is there (its name ends with --{id12}.zip)")
        bundle = Bundle.open(path)
        for fault in verify(bundle):
            raise UsageError(f"{path}: {fault.path}: {fault.problem}")
        if not bundle.report.id.startswith(id12):
            raise UsageError(f"{path}: it holds the report {bundle.report.id[:12]}")
        with TemporaryDirectory() as scratch:
            return side(bundle.report, figures(bundle.report, bundle.unpack(Path(scratch) / "bundle")))


def shown(recipe: Recipe, evidence: Evidence) -> tuple[Measured, ...]:
    """What the recipe's reports show, pair by pair. Raises UsageError as ``Evidence.side`` does."""
    return tuple(measured(recipe, evidence.side(before), evidence.side(after)) for before, after in recipe.evidence)


def problems(recipe: Recipe, evidence: Evidence) -> Iterator[str]:
    """What is wrong with a recipe: its words, its reports, whether these show its effect, and whether it applies to
    the reports before and not to those after."""
    for name, words in (("title", recipe.title), ("models", recipe.models), ("symptom", recipe.symptom)):
        if not _CHINESE.search(words.zh) or _CHINESE.search(words.en):
            yield f"{name}: it is not in both languages"
    for name, en, zh in (("why", recipe.why.en, recipe.why.zh), ("change", recipe.change.en, recipe.change.zh)):
        if not _CHINESE.search(zh) or _CHINESE.search(en):
            yield f"{name}: it is not in both languages"
    for pair in recipe.evidence:
        try:
            before, after = evidence.side(pair[0]), evidence.side(pair[1])
        except UsageError as error:
            yield str(error)
            continue
        yield from (f"{' → '.join(pair)}: {problem}" for problem in _pair(recipe, before, after))
    yield from _stated(recipe, evidence)


def _pair(recipe: Recipe, before: Side, after: Side) -> Iterator[str]:
    one, other = before.report, after.report
    if task_key(one) != task_key(other) or one.task.feeds_sha256 != other.task.feeds_sha256:
        yield "the reports are not of the same task and samples"
    if one.host != other.host:
        yield "the reports are not of the same host"
    if applies(recipe, facts(one)) is None:
        yield "the recipe does not apply to the report before"
    if applies(recipe, facts(other)) is not None:
        yield "the recipe applies to the report after"
    made = changed(recipe.change, replace(one.target, device=other.target.device))
    if made != other.target:
        yield f"the change makes {made}, the report after is of {other.target}"
    yield from filter(None, (missing(each, before, after) for each in recipe.shows))


def _stated(recipe: Recipe, evidence: Evidence) -> Iterator[str]:
    """Whether what the recipe states is what its reports show."""
    try:
        found = shown(recipe, evidence)
    except UsageError:
        return
    alike = len(found) == len(recipe.measured) and all(
        same(one, other) for one, other in zip(found, recipe.measured, strict=True)
    )
    if not alike:
        yield "measured: this is not what the reports show; run `python tools/knowledge.py`"


def same(one: Measured, other: Measured) -> bool:
    """Whether both state the same, but for rounding."""
    bare = [each.model_copy(update={"effects": (), "costs": ()}) for each in (one, other)]
    pairs = ((one.effects, other.effects), (one.costs, other.costs))
    return bare[0] == bare[1] and all(
        len(a) == len(b) and all(_alike(x, y) for x, y in zip(a, b, strict=True)) for a, b in pairs
    )


def _alike(one: Effect, other: Effect) -> bool:
    if (one.figure, one.scenario) != (other.figure, other.scenario):
        return False
    numbers = ((one.before, other.before), (one.after, other.after), (one.ratio, other.ratio))
    return all(a == b or _near(a, b) for a, b in numbers)


def _near(a: float | str | None, b: float | str | None) -> bool:
    if not isinstance(a, float) or not isinstance(b, float):
        return False
    return abs(a - b) <= TOLERANCE * max(abs(a), abs(b))
