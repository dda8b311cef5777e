"""docs/reports.md: its commands do what it says, and its links exist."""

import shlex
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.command import accelbench
from tests.e2e.pages import blocks, dead_links, text_of

GUIDE = Path(__file__).parents[2] / "docs" / "reports.md"


def test_links_exist() -> None:
    assert dead_links(GUIDE) == []


@pytest.mark.backend
@pytest.mark.slow
def test_the_guide_is_what_happens(tmp_path: Path) -> None:
    told: dict[str, Any] = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    lines = [line for kind, text in blocks(GUIDE) if kind == "sh" for line in text.splitlines()]
    said = ""
    for words in map(shlex.split, lines):
        done = accelbench(*words[1:], cwd=tmp_path, **told)
        assert done.returncode == 0, done.stderr
        said += done.stdout
    assert said.count(": intact\n") == 2
    assert "(ours)\n" in said
    assert "BEGIN PUBLIC KEY" in said
    (report,) = (tmp_path / "first" / "reports").iterdir()
    assert (tmp_path / f"{report.name}.accelbench.zip").is_file()
    there = {path.name for path in report.iterdir()}
    named = {name for name in there if f"`{name}`" in text_of(GUIDE) or f"`{name}/`" in text_of(GUIDE)}
    assert named == there
