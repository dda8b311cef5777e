"""Write the pages of the rules of submission: ``python tools/rules.py``. A test compares them with the rules."""

from __future__ import annotations

from pathlib import Path

from accelbench.gate.document import page

DOCS = Path(__file__).parent.parent / "docs"

if __name__ == "__main__":
    (DOCS / "submission-rules.md").write_text(page("en"), encoding="utf-8")
    (DOCS / "submission-rules.zh-CN.md").write_text(page("zh"), encoding="utf-8")
