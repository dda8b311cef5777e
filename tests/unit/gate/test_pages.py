"""The pages of the rules are those that the rules make."""

import re
from pathlib import Path

from accelbench.gate.document import page
from accelbench.gate.rules import RULES

DOCS = Path(__file__).parents[3] / "docs"


def test_the_english_page_is_current() -> None:
    assert (DOCS / "submission-rules.md").read_text(encoding="utf-8") == page("en"), "run python tools/rules.py"


def test_the_chinese_page_is_current() -> None:
    assert (DOCS / "submission-rules.zh-CN.md").read_text(encoding="utf-8") == page("zh"), "run python tools/rules.py"


def test_every_rule_has_a_row_in_both() -> None:
    for language in ("en", "zh"):
        assert [line[2:7] for line in page(language).splitlines() if line.startswith("| AB")] == [r.id for r in RULES]


def test_the_threat_model_names_only_rules_that_there_are() -> None:

    named = set(re.findall(r"\bAB\d{3}\b", (DOCS / "trust.md").read_text(encoding="utf-8")))
    assert named <= {rule.id for rule in RULES}
    assert named
