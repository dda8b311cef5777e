from __future__ import annotations

import json
from pathlib import Path

from accelbench.model import REPORT_SCHEMA
from accelbench.report.schema import schema

PUBLISHED = Path(__file__).parents[3] / "docs" / "schema" / f"report-{REPORT_SCHEMA}.json"


def test_the_published_schema_is_that_of_the_code() -> None:
    assert PUBLISHED.read_text(encoding="utf-8") == schema(), "run: python tools/schema.py"


def test_no_record_of_the_report_takes_unknown_fields() -> None:
    document = json.loads(schema())
    records = [document, *document["$defs"].values()]
    assert len(records) > 10
    assert all(record["additionalProperties"] is False for record in records)
