"""Whether every field of a document is in the claim that it became, once, with the value that it had."""

import json
from typing import Any

from accelbench.imports.source import Odd, leaves, pointer
from accelbench.model import Claim


def told(claim: Claim) -> dict[str, list[tuple[str, Any]]]:
    """What each field of the source came to: the kind of its fate, and the value as the source wrote it."""
    found: dict[str, list[tuple[str, Any]]] = {}
    for named in claim.named():
        found.setdefault(named.field, []).append(("name", named.text))
    for text in claim.texts:
        found.setdefault(text.field, []).append(("text", text.text))
    for figure in claim.figures:
        value = figure.value if figure.text is None else figure.text
        found.setdefault(figure.field, []).append(("figure", value))
    for note in claim.notes:
        found.setdefault(note.field, []).append(("note", json.loads(note.json)))
    for refused in claim.refused:
        found.setdefault(refused.field, []).append(("refused", refused.text))
    return found


def assert_accounted(document: Any, claim: Claim) -> None:
    """Every leaf is in the claim with its value, and the claim has no field that the document has not."""
    found = told(claim)
    for leaf in leaves(document):
        fates = found.pop(pointer(leaf.path), [])
        assert fates, f"{leaf.path} was lost"
        first, *more = fates
        assert all(kind == "figure" and first[0] == "text" for kind, _ in more), f"{leaf.path} stands twice: {fates}"
        kind, value = first
        expected = leaf.value.text if isinstance(leaf.value, Odd) else leaf.value
        expected = expected.strip() if kind == "name" else expected
        assert value == expected, (leaf, fates)
        assert type(value) is type(expected), (leaf, fates)
    assert not {field for field in found if field and "#" not in field}
