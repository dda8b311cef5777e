"""The published JSON Schemas of what is stored."""

from __future__ import annotations

import json
from typing import Any

from accelbench.report.codec import REPORTS
from accelbench.report.form import Form


def schema() -> str:
    """The JSON Schema of the present report."""
    return schema_of(REPORTS)


def schema_of(form: Form[Any]) -> str:
    """The JSON Schema (draft 2020-12) of a stored noun in its present form as text, ending in a newline."""
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **form.adapter.json_schema(mode="validation"),
        "title": f"accelbench {form.called}, schema {form.schema}",
    }
    document["properties"]["schema"] = {"const": form.schema}
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
