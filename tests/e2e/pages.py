"""Pages that exist in English and Chinese, taken apart for comparison."""

import re
from pathlib import Path

FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(page: Path) -> list[tuple[str, str]]:
    """The language and text of each code block; shell commands without their comments."""
    found = FENCED.findall(text_of(page))
    return [(kind, re.sub(r"[ \t]+#.*", "", text) if kind == "sh" else text) for kind, text in found]


def skeleton(page: Path) -> list[str]:
    """Levels of headings, rows of tables by their number of columns, and items of lists, in order."""
    marks = [re.match(r"#+ |\||- ", line) for line in FENCED.sub("", text_of(page)).splitlines()]
    return [mark[0] + "|" * mark.string.count("|") for mark in marks if mark]


def dead_links(page: Path) -> list[str]:
    """Relative links to files that are not there."""
    links = re.findall(r"\]\((?!https?://)([^)#]+)", text_of(page))
    assert links, f"{page} has no links"
    return [link for link in links if not (page.parent / link).exists()]
