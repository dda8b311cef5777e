"""Write the published schemas of what is stored: ``python tools/schema.py``. Tests compare them with the code."""

from __future__ import annotations

from pathlib import Path

from accelbench.imports.store import FORM
from accelbench.library.reproductions import REPRODUCTIONS
from accelbench.report.codec import REPORTS
from accelbench.report.schema import schema_of

if __name__ == "__main__":
    for form in (REPORTS, FORM, REPRODUCTIONS):
        target = Path(__file__).parent.parent / "docs" / "schema" / f"{form.called}-{form.schema}.json"
        target.write_text(schema_of(form), encoding="utf-8")
