"""What LoadGen wrote about a run: its summary and its detail log, read as far as they go."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SUMMARY, DETAIL = "mlperf_log_summary.txt", "mlperf_log_detail.txt"
EFFECTIVE, WHY_INVALID = "effective_", "result_invalid_reason"

_MARK = ":::MLLOG "
_FIGURE = re.compile(r"^[ *]*(\S.*?)\s*:\s*([0-9.]+(?:e[+-]?[0-9]+)?)$", re.MULTILINE | re.IGNORECASE)
_VERDICT = re.compile(r"^Result is : (VALID|INVALID)$", re.MULTILINE)
_PARAMETERS = "Test Parameters Used"


@dataclass(frozen=True)
class LoadGenLog:
    """``figures`` are the summary's numbers under its own names, units included ("50.00 percentile latency (ns)");
    ``settings`` what the detail log calls effective; ``complaints`` why LoadGen calls the run invalid, first, and what
    it marks as an error or a warning, nothing twice. ``version`` and ``valid`` (its own verdict) are None where the run
    did not come so far."""

    version: str | None
    valid: bool | None
    figures: Mapping[str, float]
    settings: Mapping[str, str]
    complaints: tuple[str, ...]


def read(folder: Path) -> LoadGenLog:
    """The logs in ``folder``. Missing files and lines that a dying process left half-written are passed over."""
    summary = _text(folder / SUMMARY)
    events = list(events_in(_text(folder / DETAIL)))
    verdict = _VERDICT.search(summary)
    found = {event["key"]: event["value"] for event in events}
    return LoadGenLog(
        version=str(found["loadgen_version"]).split()[0] if found.get("loadgen_version") else None,
        valid=verdict.group(1) == "VALID" if verdict else None,
        figures={name: float(value) for name, value in _FIGURE.findall(summary.partition(_PARAMETERS)[0])},
        settings={
            key.removeprefix(EFFECTIVE): _plain(value) for key, value in found.items() if key.startswith(EFFECTIVE)
        },
        complaints=tuple(
            dict.fromkeys(
                _plain(event["value"]).strip()
                for event in sorted(events, key=lambda event: event["key"] != WHY_INVALID)
                if event["metadata"].get("is_error")
                or event["metadata"].get("is_warning")
                or event["key"] == WHY_INVALID
            )
        ),
    )


def events_in(text: str) -> Iterator[dict[str, Any]]:
    """The events of a detail log, each with ``key``, ``value`` and ``metadata``; other lines are passed over."""
    for line in text.splitlines():
        if line.startswith(_MARK):
            try:
                event = json.loads(line.removeprefix(_MARK))
            except ValueError:
                continue
            if isinstance(event, dict) and {"key", "value", "metadata"} <= set(event):
                yield event


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
