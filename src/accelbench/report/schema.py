"""The published JSON Schema of the stored report."""

from __future__ import annotations

import json

from accelbench.model import REPORT_SCHEMA
from accelbench.report.codec import REPORTS


def schema() -> str:
    """The JSON Schema (draft 2020-12) of the present report as text, ending in a newline."""
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **REPORTS.adapter.json_schema(mode="validation"),
        "title": f"accelbench report, schema {REPORT_SCHEMA}",
    }
    document["properties"]["schema"] = {"const": REPORT_SCHEMA}
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
