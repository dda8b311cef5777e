"""Blocks of which the page's sections are made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from accelbench.page.markup import Content, Markup, tag

Fact = tuple[Content, Content, Content]


def facts(pairs: Iterable[Fact]) -> Markup:
    """A description list of (term, value, remark)."""
    return tag(
        "dl",
        [
            tag("div", tag("dt", term), tag("dd", value, tag("small", remark) if remark else None))
            for term, value, remark in pairs
        ],
    )


def folded(title: Content, *contents: Content) -> Markup:
    """Contents that open when their title is chosen."""
    return tag("details", tag("summary", title), *contents)


def mapping(values: Mapping[str, str]) -> Markup:
    """Names and values as a description list, sorted by name."""
    return tag("dl", [tag("div", tag("dt", name), tag("dd", value)) for name, value in sorted(values.items())])


def grid(title: str, head: Sequence[Markup], body: Sequence[Markup]) -> Markup:
    """A table that scrolls sideways where the screen is narrow: cells of the header, rows of the body."""
    table = tag("table", tag("thead", tag("tr", head)), tag("tbody", body))
    return tag("div", table, class_="scroll", tabindex=0, role="region", aria_label=title)


def figure(title: Content, remark: Content, drawing: Markup) -> Markup:
    """A drawing under its title and a remark on how to read it."""
    caption = tag("figcaption", title, tag("small", remark) if remark else None)
    return tag("figure", caption, drawing)
