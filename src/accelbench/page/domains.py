"""The reader's switch between domains: radio buttons and the page's style do it, no script."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from accelbench.model import Domain
from accelbench.page.entry import Entry
from accelbench.page.markup import Markup, tag
from accelbench.page.words import plain, text

ALL = "all"


def domains(entries: Sequence[Entry]) -> list[str]:
    """The domains of the reports' tasks, in the order of the noun."""
    there = {entry.report.task.domain for entry in entries}
    return [domain for domain in get_args(Domain) if domain in there]


def switches(entries: Sequence[Entry]) -> list[Markup]:
    """The buttons themselves, which stand before what they show and hide; none for a single domain."""
    there = domains(entries)
    return [
        tag("input", type_="radio", name_="domain", id=f"domain-{key}", class_="switch", checked=key == ALL,
            aria_label=plain(f"domain.{key}"))
        for key in ([ALL, *there] if len(there) > 1 else [])
    ]  # fmt: skip


def bar(entries: Sequence[Entry]) -> Markup | None:
    """The row of labels to choose with; None for a single domain."""
    there = domains(entries)
    if len(there) < 2:
        return None
    labels = [tag("label", text(f"domain.{key}"), for_=f"domain-{key}") for key in (ALL, *there)]
    return tag("p", labels, class_="domains")
