"""The published schemas of claims and reproductions are those of the code, and strict."""

import json
from pathlib import Path
from typing import Any

import pytest

from accelbench.imports.store import FORM
from accelbench.library.reproductions import REPRODUCTIONS
from accelbench.report.form import Form
from accelbench.report.schema import schema_of

PUBLISHED = Path(__file__).parents[2] / "docs" / "schema"


@pytest.mark.parametrize("form", [FORM, REPRODUCTIONS], ids=lambda form: form.called)
def test_the_published_schema_is_that_of_the_code(form: Form[Any]) -> None:
    text = (PUBLISHED / f"{form.called}-{form.schema}.json").read_text(encoding="utf-8")
    assert text == schema_of(form), "run: python tools/schema.py"
    document = json.loads(text)
    assert all(record["additionalProperties"] is False for record in (document, *document["$defs"].values()))
