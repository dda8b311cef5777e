"""The page of a run: one HTML file that needs nothing but itself, in English and Chinese."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from urllib.parse import quote

from accelbench.figures.passes import passes
from accelbench.model import Report
from accelbench.page.domains import bar, switches
from accelbench.page.entry import Entry
from accelbench.page.markup import Markup, join, tag
from accelbench.page.matrix import matrix
from accelbench.page.overview import comparison, tallies
from accelbench.page.rows import rows_of
from accelbench.page.section import section
from accelbench.page.words import plain, text
from accelbench.paths import disk_errors

INDEX = "index.html"
NAMED = 3
"""Names that a title lists; it counts the others."""


def page(entries: Sequence[tuple[Report, Path]], base: Path, title: str | None = None) -> str:
    """The whole page for reports and the folders that they lie in; links to them are relative to the folder ``base``.

    Nothing is loaded from anywhere: the style is allowed by its hash, all else is forbidden by the page's policy.
    """
    shown = [_entry(report, folder, base, index) for index, (report, folder) in enumerate(entries, start=1)]
    style = resources.files("accelbench.page").joinpath("page.css").read_text(encoding="utf-8")
    return "<!doctype html>\n" + tag("html", _head(style, title or _name(shown)), _body(shown, title), lang="en") + "\n"


def write_page(entries: Sequence[tuple[Report, Path]], folder: Path, title: str | None = None) -> Path:
    """Write the page as ``index.html`` into ``folder`` (which exists), all at once, and return its path. A page that
    was there is replaced: it can be made again from the reports."""
    text_of_page = page(entries, folder, title)
    out = folder / INDEX
    with disk_errors(out):
        temporary = out.with_name(f".{out.name}.{os.getpid()}")
        try:
            temporary.write_text(text_of_page, encoding="utf-8")
            temporary.replace(out)
        finally:
            temporary.unlink(missing_ok=True)
    return out


def _entry(report: Report, folder: Path, base: Path, index: int) -> Entry:
    timed = passes(report, folder)
    raw = quote(os.path.relpath(folder / "report.json", base))
    return Entry(report, rows_of(report, folder, timed), timed, f"report-{index}", raw)


def _head(style: str, title: str) -> Markup:
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{policy}">'),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name_="color-scheme", content="light dark"),
        tag("meta", name_="referrer", content="no-referrer"),
        tag("title", title),
        tag("style", Markup(style)),
    )


def _body(shown: Sequence[Entry], title: str | None) -> Markup:
    languages = [("en", "English", "en"), ("zh", "中文", "zh-CN")]
    return tag(
        "body",
        [
            tag("input", type_="radio", name_="language", id=key, class_="switch", checked=key == "en",
                aria_label=label, lang=lang)
            for key, label, lang in languages
        ],
        switches(shown),
        tag(
            "div",
            tag(
                "header",
                tag("span", "accelbench", class_="brand"),
                tag("span", [tag("label", label, for_=key, lang=lang) for key, label, lang in languages],
                    class_="languages"),
                class_="top",
            ),
            tag("main", _opening(shown, title), _reports(shown)),
            tag("footer", tag("p", text("page.foot"))),
            class_="sheet",
        ),
    )  # fmt: skip


def _opening(shown: Sequence[Entry], title: str | None) -> Markup:
    created = max((entry.report.created for entry in shown), default="")
    versions = ", ".join(sorted({entry.report.accelbench for entry in shown}))
    quick = any(entry.report.effort == "quick" for entry in shown)
    return join(
        tag("h1", title or text("page.title", **_names(shown))),
        tag("p", text("page.made", version=versions, created=created), class_="lead"),
        tag("p", text("page.lead"), class_="lead"),
        tallies(shown),
        matrix(shown),
        tag("h2", text("rows.title")),
        tag("p", text("page.quick"), class_="note") if quick else None,
        bar(shown),
        comparison(shown),
    )


def _reports(shown: Sequence[Entry]) -> Markup:
    return join(tag("h2", text("reports.title")), map(section, shown))


def _names(shown: Sequence[Entry]) -> dict[str, str]:
    tasks = dict.fromkeys(entry.report.task.id for entry in shown)
    backends = dict.fromkeys(entry.report.target.backend for entry in shown)
    return {"tasks": _listed(list(tasks)), "backends": _listed(list(backends))}


def _listed(names: Sequence[str]) -> str:
    more = f" + {len(names) - NAMED}" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _name(shown: Sequence[Entry]) -> str:
    return f"accelbench: {plain('page.title', **_names(shown))}"
