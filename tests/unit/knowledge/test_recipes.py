"""The recipes that ship: each is as its reports show, and the pages are those of the recipes."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from accelbench.envs.spec import backends
from accelbench.errors import UsageError
from accelbench.knowledge.catalogue import load, recipes
from accelbench.knowledge.document import page
from accelbench.knowledge.evidence import Evidence, problems
from accelbench.knowledge.facts import NAMES
from accelbench.knowledge.recipe import ANY
from accelbench.knowledge.words import plain
from accelbench.model import Target

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs" / "knowledge"
EVIDENCE = Evidence(ROOT / "examples" / "reports")


@pytest.mark.parametrize("name", recipes())
def test_a_recipe_states_what_its_reports_show(name: str) -> None:
    assert list(problems(recipes()[name], EVIDENCE)) == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_pages_are_those_of_the_recipes(language: str) -> None:
    path = DOCS / ("recipes.md" if language == "en" else "recipes.zh-CN.md")
    assert path.read_text(encoding="utf-8") == page(recipes(), "en" if language == "en" else "zh"), (
        "run `python tools/knowledge.py`"
    )


def test_stacks_and_options_of_recipes_are_those_of_backends() -> None:
    known = backends()
    for recipe in recipes().values():
        stacks = [each for each in (*recipe.stacks, recipe.change.backend) if each not in (ANY, None)]
        assert set(stacks) <= known.keys(), recipe.id
        for name in recipe.change.options:
            assert all(name in known[stack or ""].table.options for stack in stacks), recipe.id


def test_the_form_for_new_recipes_is_a_recipe() -> None:
    form = load(DOCS / "my-recipe.toml")
    assert form.measured == ()
    assert set(form.change.model_dump()) - {"en", "zh", "load"} <= {each.name for each in fields(Target)}


def test_the_guide_names_every_fact() -> None:
    guide = (DOCS / "README.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` | {text} |\n" in guide for name, text in NAMES.items())


def test_recipes_are_in_the_plain_form_in_both_languages() -> None:
    for recipe in recipes().values():
        told = plain(recipe)
        assert all(set(told[name]) == {"en", "zh"} for name in ("title", "models", "symptom", "why", "change"))
        assert len(told["effect"]["en"]) == len(told["effect"]["zh"]) >= len(recipe.evidence)
        assert all(re.fullmatch("[0-9a-f]{12}", each) for each in told["evidence"])


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ('id = "other"', "is not the file's name"),
        ('unheard = "of"', "unheard"),
        ("date = 3", "date"),
        ("[[when]]\nfact = 'weather'\nknown = true", "no fact of a report is called 'weather'"),
        ("[[when]]\nfact = 'flops'", "a condition has one of"),
        ("[[when]]\nfact = 'flops'\nabove = 1.0\nbelow = 2.0", "a condition has one of"),
        ("=", "no recipe can be read"),
    ],
)
def test_a_wrong_recipe_is_one_line_with_the_file(tmp_path: Path, broken: str, said: str) -> None:
    path = tmp_path / "my-recipe.toml"
    text = (DOCS / "my-recipe.toml").read_text(encoding="utf-8")
    if broken.startswith("[["):
        text += f"\n{broken}\n"
    else:
        name = broken.split(" ")[0]
        text = f"{broken}\n" + "".join(line for line in text.splitlines(True) if not line.startswith(f"{name} "))
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as raised:
        load(path)
    assert said in str(raised.value)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)
