"""Every figure that was read before the catalogue began is in it."""

import re
from pathlib import Path

import pytest

from accelbench.hardware.catalogue import device
from accelbench.hardware.match import device_named
from accelbench.hardware.rows import rows

SHARED = Path(__file__).parents[4] / "shared" / "data" / "hardware-figures.md"

pytestmark = pytest.mark.skipif(not SHARED.is_file(), reason="../shared/data/hardware-figures.md is not here")


def lines() -> list[list[str]]:
    text = SHARED.read_text(encoding="utf-8") if SHARED.is_file() else ""
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:2] == "| "]
    return [cells for cells in found if cells[0] != "product" and "see VZ" not in cells[1]]


@pytest.mark.parametrize("cells", lines(), ids=lambda cells: cells[0])
def test_a_line_of_figures_is_in_the_record(cells: list[str]) -> None:
    named = device_named(cells[0])
    assert named is not None
    record = device(named)
    have = {figure.value for row in rows(record) for figure in row.figures}
    have |= {price.amount for price in record.prices} | {price.amount_to or price.amount for price in record.prices}
    told = [
        float(number.replace(",", ""))
        for cell in cells[1:6]
        for number in re.findall(r"\d[\d,]*(?:\.\d+)?", re.sub(r"fp8|÷2", "", cell))
    ] + [float(number) for number in re.findall(r"\d+\.\d+", cells[6])]
    missing = [
        number
        for number in told
        if not any(abs(value * scale - number) <= 0.005 * number for value in have for scale in (1, 1e3, 1e-3))
    ]
    assert missing == []
