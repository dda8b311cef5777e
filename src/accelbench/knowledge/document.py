"""The recipes as a page of documentation, in either language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from accelbench.knowledge.recipe import Language, Measured, Recipe
from accelbench.knowledge.words import arguments, condition_words, effect_words

_HEAD: Mapping[Language, str] = {
    "en": """# Recipes

What was learned in bringing models to stacks, each with its effect as two reports show it, before the change and
after. `accelbench advise REPORT` prints those that apply to a report; [README.md](README.md) says how to read them and
how to add one. The reports lie in [examples/reports](../../examples/reports), named by the ids that stand here. This
page is made from the recipes (`tools/knowledge.py`).
""",
    "zh": """# 经验

把模型部署到各软件栈时得到的经验。每条都附有修改前后两份报告所示的效果。
`accelbench advise 报告` 列出适用于某份报告的经验；如何阅读和添加见 [README.zh-CN.md](README.zh-CN.md)。
报告按此处的标识存放在 [examples/reports](../../examples/reports)。本页由经验文件生成（`tools/knowledge.py`）。
""",
}
_WORDS: Mapping[str, tuple[str, str]] = {
    "models": ("For", "适用模型"),
    "symptom": ("Symptom", "现象"),
    "when": ("Applies when", "适用条件"),
    "change": ("Change", "修改"),
    "why": ("Why", "原因"),
    "effect": ("Effect", "效果"),
    "cost": ("Costs", "代价"),
    "nothing": ("nothing that the reports show", "报告中未见"),
}


def page(recipes: Mapping[str, Recipe], language: Language) -> str:
    """All recipes: a list of them by stack, then each."""
    parts = [_HEAD[language], "\n".join(_list(recipes, language)) + "\n"]
    parts += ["\n".join(_recipe(each, language)) + "\n" for each in recipes.values()]
    return "\n".join(parts)


def _list(recipes: Mapping[str, Recipe], language: Language) -> Iterator[str]:
    stacks = sorted({stack for each in recipes.values() for stack in each.stacks})
    yield "| stack | recipe |" if language == "en" else "| 软件栈 | 经验 |"
    yield "|---|---|"
    for stack in stacks:
        told = [f"[{_title(each, language)}](#{each.id})" for each in recipes.values() if stack in each.stacks]
        yield f"| {stack} | {'<br>'.join(told)} |"


def _title(recipe: Recipe, language: Language) -> str:
    return recipe.title.en if language == "en" else recipe.title.zh


def _recipe(recipe: Recipe, language: Language) -> Iterator[str]:
    at, en = (0, True) if language == "en" else (1, False)
    yield f'<a id="{recipe.id}"></a>'
    yield ""
    yield f"## {_title(recipe, language)}"
    yield ""
    yield f"`{recipe.id}`, {recipe.date} · {', '.join(recipe.stacks)}"
    yield ""
    change = recipe.change.en if en else recipe.change.zh
    argv = arguments(recipe)
    lines = (
        ("models", recipe.models.en if en else recipe.models.zh),
        ("symptom", recipe.symptom.en if en else recipe.symptom.zh),
        ("when", "; ".join(f"`{condition_words(each)}`" for each in recipe.when)),
        ("change", f"{change} (`{' '.join(argv)}`)" if argv else change),
        ("why", recipe.why.en if en else recipe.why.zh),
    )
    for name, text in lines:
        yield f"- **{_WORDS[name][at]}**{': ' if en else '：'}{text}"
    for each in recipe.measured:
        yield from _measured(each, language)


def _measured(each: Measured, language: Language) -> Iterator[str]:
    at = 0 if language == "en" else 1
    colon, between = (": ", "; ") if language == "en" else ("：", "；")
    stacks = " → ".join(dict.fromkeys(each.stack))
    effects = between.join(effect_words(effect, language) for effect in each.effects)
    costs = between.join(effect_words(cost, language) for cost in each.costs) or _WORDS["nothing"][at]
    where = f"{each.task}, {stacks}, {each.cpu}; {each.before} → {each.after}"
    yield f"- **{_WORDS['effect'][at]}** ({where}){colon}{effects}"
    yield f"  - **{_WORDS['cost'][at]}**{colon}{costs}"
