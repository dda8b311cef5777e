"""HTML and SVG elements as values. Every text is escaped unless it is ``Markup`` already: names come from users."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape


class Markup(str):
    """Text that is safe to put into a page as it stands."""

    __slots__ = ()


Content = str | Iterable[str] | None
VOID = frozenset({"meta", "link", "input", "br", "hr", "path", "line", "rect", "circle"})


def join(*contents: Content) -> Markup:
    """The contents one after another; plain strings are escaped, None is nothing."""
    parts: list[str] = []
    for content in contents:
        if content is None:
            continue
        for text in [content] if isinstance(content, str) else content:
            parts.append(text if isinstance(text, Markup) else escape(text))
    return Markup("".join(parts))


def tag(name: str, *contents: Content, **attributes: str | float | bool | None) -> Markup:
    """An element. In attribute names ``_`` stands for ``-`` and a trailing one is dropped (``class_``); True is a
    bare attribute, False and None are left out."""
    parts = [name]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        label = key.rstrip("_").replace("_", "-")
        parts.append(label if value is True else f'{label}="{escape(str(value))}"')
    opening = " ".join(parts)
    if name in VOID and not contents:
        return Markup(f"<{opening}>" if name in ("meta", "link", "input", "br", "hr") else f"<{opening}/>")
    return Markup(f"<{opening}>{join(*contents)}</{name}>")
