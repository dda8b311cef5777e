"""``accelbench advise``: the recipes that apply to reports."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from accelbench.bundle.read import Bundle
from accelbench.cli.output import json_option, print_json
from accelbench.errors import UsageError
from accelbench.knowledge.catalogue import recipes
from accelbench.knowledge.match import Match, applying
from accelbench.knowledge.recipe import Language, Recipe
from accelbench.knowledge.words import arguments, condition_words, effect_words, plain
from accelbench.model import Report
from accelbench.report.store import REPORT, open_report, reports

_NONE = {"en": "no recipe applies", "zh": "没有适用的经验"}
_LABELS = {
    "en": {
        "why": "why",
        "when": "when",
        "do": "do",
        "run": "run",
        "effect": "effect",
        "costs": "costs",
        "seen": "seen",
    },
    "zh": {
        "why": "因为",
        "when": "条件",
        "do": "修改",
        "run": "命令",
        "effect": "效果",
        "costs": "代价",
        "seen": "证据",
    },
}


@click.command(no_args_is_help=True)
@click.argument("sources", nargs=-1, metavar="[REPORT|BUNDLE|RUN]...", type=click.Path(exists=True, path_type=Path))
@click.option("--list", "every", is_flag=True, help="List all recipes instead.")
@click.option(
    "--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="Language of the recipes."
)
@json_option
def advise(sources: tuple[Path, ...], every: bool, lang: Language, json_: bool) -> None:
    """Print what was learned that applies to a report, a bundle or each report of a run: why it applies, what to
    change, what that did in reports of ours, and what it cost."""
    if every == bool(sources):
        raise UsageError("advise takes reports, bundles or runs, or --list alone")
    if every:
        _all(lang, json_)
        return
    found = [(report, applying(report)) for source in sources for report in _reports(source)]
    if json_:
        print_json([_as_json(report, matches) for report, matches in found])
        return
    for report, matches in found:
        _print(report, matches, lang)


def _all(lang: Language, json_: bool) -> None:
    if json_:
        print_json([plain(recipe) for recipe in recipes().values()])
        return
    for recipe in recipes().values():
        click.echo(f"{recipe.id} ({', '.join(recipe.stacks)}): {_of(recipe.title.en, recipe.title.zh, lang)}")
        click.echo(f"  {_LABELS[lang]['when']}: {'; '.join(condition_words(each) for each in recipe.when)}")
        _change(recipe, arguments(recipe), lang)


def _print(report: Report, matches: tuple[Match, ...], lang: Language) -> None:
    target = report.target
    name = f"{report.id[:12]} ({report.task.id}, {'+'.join((target.backend, target.precision, *target.passes))})"
    if not matches:
        click.echo(f"{name}: {_NONE[lang]}")
        return
    click.echo(f"{name}:")
    for match in matches:
        recipe = match.recipe
        click.echo(f"  {recipe.id}: {_of(recipe.title.en, recipe.title.zh, lang)}")
        click.echo(f"  {_LABELS[lang]['why']}: {'; '.join(match.because)}")
        _change(recipe, match.command, lang)


def _change(recipe: Recipe, argv: tuple[str, ...], lang: Language) -> None:
    """What to do and what it did, for a recipe whose first line is there."""
    labels, between = _LABELS[lang], "; " if lang == "en" else "；"
    click.echo(f"  {labels['do']}: {_of(recipe.change.en, recipe.change.zh, lang)}")
    if argv:
        click.echo(f"  {labels['run']}: {shlex.join(argv)}")
    for each in recipe.measured:
        click.echo(f"  {labels['effect']}: {between.join(effect_words(effect, lang) for effect in each.effects)}")
        if each.costs:
            click.echo(f"  {labels['costs']}: {between.join(effect_words(cost, lang) for cost in each.costs)}")
        told = f"{each.task}, {' → '.join(dict.fromkeys(each.stack))}, {each.cpu}"
        click.echo(f"  {labels['seen']}: {each.before} → {each.after} ({told})")


def _of(en: str, zh: str, lang: Language) -> str:
    return en if lang == "en" else zh


def _as_json(report: Report, matches: tuple[Match, ...]) -> dict[str, Any]:
    applied = [
        {**plain(match.recipe), "because": list(match.because), "command": list(match.command)} for match in matches
    ]
    return {"report": report.id, "task": report.task.id, "backend": report.target.backend, "recipes": applied}


def _reports(source: Path) -> Iterator[Report]:
    """The report at ``source``, in the bundle there, or those of the run there."""
    if source.is_file() and source.name != REPORT:
        yield Bundle.open(source).report
    elif (source / "reports").is_dir():
        yield from (report for report, _ in reports(source))
    else:
        yield open_report(source)[0]
