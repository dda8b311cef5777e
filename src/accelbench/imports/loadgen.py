"""What MLPerf's LoadGen wrote about a run: ``mlperf_log_summary.txt``, and ``mlperf_log_detail.txt`` beside it.

A field of the summary is a line ``name : value`` under its heading; a field of the detail log is an event's value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from accelbench.envs.loadgen_log import DETAIL, SUMMARY, WHY_INVALID, events_in
from accelbench.errors import UsageError
from accelbench.imports.ledger import Ledger, claim
from accelbench.imports.scenarios import scenario_of
from accelbench.imports.source import Imported, Origin, Path_, described, text_of
from accelbench.model import ClaimSource

TEXTS = {"sut name": "system", "scenario": "scenario", "mode": "mode", "result is": "verdict"}
RATES: Mapping[str, tuple[str, str | None]] = {
    "samples per second": ("samples/s", None),
    "completed samples per second": ("samples/s", "completed"),
    "scheduled samples per second": ("samples/s", "scheduled"),
    "tokens per second": ("tokens/s", None),
    "completed tokens per second": ("tokens/s", "completed"),
    "qps w/ loadgen overhead": ("queries/s", "with LoadGen's overhead"),
    "qps w/o loadgen overhead": ("queries/s", "without LoadGen's overhead"),
}
"""Lines of the summary that are rates, in small letters: unit and statistic."""

SETTINGS = "Test Parameters Used"

_RULE = re.compile(r"=+")
_LINE = re.compile(r"[ *]*(\S.*?)\s*:\s+(\S.*?)\s*")
_PERCENTILE = re.compile(r"(early stopping )?(\d+(?:\.\d+)?)(?:th)? percentile (?:latency \((\w+)\)|estimate)")
_EXTREME = re.compile(r"(min|max|mean) latency \((\w+)\)")


def loadgen(summary: bytes, detail: bytes | None, origin: Origin) -> Imported:
    """The claim that a run's logs are. Raises UsageError for what is no text in UTF-8, and for an empty summary."""
    document = _document(text_of(summary, SUMMARY))
    if not document:
        raise UsageError(f"{SUMMARY}: there is nothing in it: the run ended before LoadGen wrote")
    book = Ledger(document)
    scenario = _scenario(book)
    for path in book.paths():
        _line(book, path, scenario)
    if book.value(("MLPerf Results Summary", "Result is")) == "INVALID" or any(
        text.name == "verdict" and text.text == "INVALID" for text in book.texts
    ):
        book.caveats.append("LoadGen calls the run INVALID")
    book.rest("a setting or a check of LoadGen's")
    pages, beside = [book], list[ClaimSource]()
    if detail is not None:
        pages.append(_detail(text_of(detail, DETAIL)))
        beside.append(described("mlperf-loadgen", DETAIL, detail, origin))
    source = described("mlperf-loadgen", SUMMARY, summary, origin)
    kept = {SUMMARY: summary} | ({DETAIL: detail} if detail is not None else {})
    return Imported(claim("result", source, pages, beside=beside), kept)


def _document(text: str) -> dict[str, dict[str, str]]:
    """The lines of a summary by heading and name; a line without a value under its number."""
    document: dict[str, dict[str, str]] = {}
    lines = text.splitlines()
    heading = ""
    for number, line in enumerate(lines, 1):
        if not line.strip() or _RULE.fullmatch(line.strip()):
            continue
        if number > 1 and _RULE.fullmatch(lines[number - 2].strip()) and _ruled(lines, number):
            heading = line.strip()
            continue
        found = _LINE.fullmatch(line)
        named = found is not None and found[1] not in document.get(heading, {})
        name, value = (found[1], found[2]) if found is not None and named else (f"line {number}", line.strip())
        document.setdefault(heading, {})[name] = value
    return document


def _ruled(lines: list[str], number: int) -> bool:
    return number < len(lines) and bool(_RULE.fullmatch(lines[number].strip()))


def _scenario(book: Ledger) -> str | None:
    told = next((book.value(path) for path in book.paths() if str(path[-1]).lower() == "scenario"), None)
    return scenario_of(told if isinstance(told, str) else None)


def _line(book: Ledger, path: Path_, scenario: str | None) -> None:
    name = str(path[-1]).lower()
    if path[0] == SETTINGS:
        return
    percentile, extreme = _PERCENTILE.fullmatch(name), _EXTREME.fullmatch(name)
    if name in TEXTS:
        book.text(TEXTS[name], path)
    elif name in RATES:
        unit, statistic = RATES[name]
        book.figure("throughput", path, unit, scenario=scenario, statistic=statistic)
    elif percentile is not None:
        statistic = f"p{float(percentile[2]):g}" + (", early stopping's estimate" if percentile[1] else "")
        book.figure("latency", path, percentile[3] or "ns", scenario=scenario, statistic=statistic)
    elif extreme is not None:
        book.figure("latency", path, extreme[2], scenario=scenario, statistic=extreme[1])


def _detail(text: str) -> Ledger:
    """The events of the detail log, in a ledger of their own."""
    lines = text.splitlines()
    document: list[Any] = []
    for line in lines:
        found = next(events_in(line), None)
        document.append(line if found is None else {str(found["key"]): found["value"]})
    book = Ledger(document, prefix=f"{DETAIL}#")
    for path in book.paths():
        if len(path) > 1 and path[1] == "loadgen_version":
            book.text("loadgen_version", path)
        elif len(path) > 1 and path[1] == "test_datetime":
            book.text("date", path)
    for event in events_in(text):
        if event["key"] == WHY_INVALID or (isinstance(event["metadata"], dict) and event["metadata"].get("is_error")):
            book.caveats.append(" ".join(str(event["value"]).split()))
    book.rest("an event of LoadGen's log, whose time and place are in the kept file")
    return book
