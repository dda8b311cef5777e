"""Write the published schema of the report: ``python tools/schema.py``. A test compares it with the code."""

from __future__ import annotations

from pathlib import Path

from accelbench.model import REPORT_SCHEMA
from accelbench.report.schema import schema

if __name__ == "__main__":
    target = Path(__file__).parent.parent / "docs" / "schema" / f"report-{REPORT_SCHEMA}.json"
    target.write_text(schema(), encoding="utf-8")
