"""The code blocks of docs/measurement.md do what the page says."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "measurement.md"


def test_the_examples_run() -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    assert len(blocks) >= 5
    names: dict[str, object] = {}
    for block in blocks:
        exec(block, names)
