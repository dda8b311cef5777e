"""The real data that a report is about, and the host's stages on them."""

from __future__ import annotations

from collections.abc import Mapping

from accelbench.model import DatasetFacts
from accelbench.page.blocks import facts, grid
from accelbench.page.markup import Markup, join, tag
from accelbench.page.stages import words
from accelbench.page.words import plain, text

SHORT = 12


def data_facts(data: DatasetFacts | None) -> Markup | None:
    """What was read, how much of it, its hash, and whether its labels were scored; nothing for drawn samples."""
    if data is None:
        return None
    sizes = text("data.sizes", items=f"{data.items:,}", records=f"{data.records:,}")
    return join(
        facts([(text("data.title"), data.name, join(sizes, " · sha256 ", tag("code", data.sha256[:SHORT])))]),
        None if data.scored else tag("p", text("data.unscored"), class_="note"),
    )


def stages_part(stages: Mapping[str, Mapping[str, float]]) -> Markup | None:
    """The times per item of the host's steps; nothing where they were not timed."""
    if not stages:
        return None
    head = [
        tag("th", text(f"stages.{key}"), scope="col", class_="n" if index else None)
        for index, key in enumerate(("stage", "median", "spread", "mean", "items"))
    ]
    body = [
        tag(
            "tr",
            tag("th", text(f"stages.{name}"), scope="row"),
            [tag("td", cell, class_="n") for cell in words(found)],
        )
        for name, found in stages.items()
    ]
    return join(
        tag("h5", text("stages.title")),
        tag("p", text("stages.note"), class_="note"),
        grid(plain("stages.title"), head, body),
    )
