"""Reports as they are stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pydantic import TypeAdapter

from accelbench.model import REPORT_SCHEMA, Report
from accelbench.report.canonical import Document
from accelbench.report.form import Form


def _two(first: Document) -> Document:
    """What schema 2 added is absent in reports of schema 1."""
    return {**first, "schema": 2}


UPGRADES: Mapping[int, Callable[[Document], Document]] = {1: _two}
"""``UPGRADES[n]`` turns a document of schema n into one of schema n + 1."""

REPORTS: Form[Report] = Form("report", TypeAdapter(Report), REPORT_SCHEMA, UPGRADES)

encode, decode, identify, verify_id = REPORTS.encode, REPORTS.decode, REPORTS.identify, REPORTS.verify_id
