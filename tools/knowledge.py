"""Write what the reports of the recipes show into the recipes, and the pages of documentation:
``python tools/knowledge.py``. Tests compare both with what is there."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from accelbench.errors import UsageError
from accelbench.knowledge.catalogue import RECIPES, load, load_all
from accelbench.knowledge.document import page
from accelbench.knowledge.evidence import Evidence, problems, shown
from accelbench.knowledge.recipe import Effect, Measured

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs" / "knowledge"
MARK = "# Written by tools/knowledge.py from the reports:"


def fill(path: Path, evidence: Evidence) -> list[str]:
    """Write what the reports show below the mark, and return what is wrong with the recipe."""
    authored = path.read_text(encoding="utf-8").split(MARK)[0].rstrip()
    path.write_text(f"{authored}\n", encoding="utf-8")
    recipe = load(path)
    try:
        blocks = [block(each) for each in shown(recipe, evidence)]
    except UsageError as error:
        return [str(error)]
    path.write_text("\n\n".join([authored, MARK, *blocks]) + "\n", encoding="utf-8")
    return list(problems(load(path), evidence))


def block(found: Measured) -> str:
    """One pair of reports as TOML."""
    lines = ["[[measured]]"]
    for name in ("before", "after", "task", "stack", "cpu"):
        lines.append(f"{name} = {text(getattr(found, name))}")
    for name in ("effects", "costs"):
        effects = getattr(found, name)
        if effects:
            lines += [f"{name} = [", *(f"  {table(each)}," for each in effects), "]"]
    return "\n".join(lines)


def table(effect: Effect) -> str:
    """An effect as an inline table."""
    fields = {name: value for name, value in effect.model_dump().items() if value is not None}
    return "{ " + ", ".join(f"{name} = {text(value)}" for name, value in fields.items()) + " }"


def text(value: object) -> str:
    """A text, a number or several texts as TOML."""
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False)


def main() -> int:
    evidence = Evidence(ROOT / "examples" / "reports")
    wrong = [f"{path.name}: {line}" for path in sorted(RECIPES.glob("*.toml")) for line in fill(path, evidence)]
    known = load_all(RECIPES)
    (DOCS / "recipes.md").write_text(page(known, "en"), encoding="utf-8")
    (DOCS / "recipes.zh-CN.md").write_text(page(known, "zh"), encoding="utf-8")
    sys.stdout.write("\n".join(wrong or [f"{len(known)} recipes, all as their reports show"]) + "\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
