from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.page.factory import failed

from accelbench.cli.ab import Duel
from accelbench.cli.evaluations import Evaluated
from accelbench.model import Status, Verdict
from accelbench.page.rows import Row, rows

RACED = Duel("task", ("x", "y"), (), (), None)


@pytest.fixture(scope="module")
def row(tmp_path_factory: pytest.TempPathFactory) -> Row:
    (one,) = rows(failed(), tmp_path_factory.getbasetemp())
    return one


@pytest.mark.parametrize(
    ("status", "verdict", "problem", "flawed"),
    [
        ("ok", "within", None, False),
        ("ok", "unknown", None, False),
        ("unsupported", "unknown", None, False),
        ("failed", "unknown", None, True),
        ("ok", "out", None, True),
        ("ok", "within", "y is unsupported", True),
    ],
)
def test_a_run_is_flawed_by_what_failed_or_left_its_tolerance(
    row: Row, status: Status, verdict: Verdict, problem: str | None, flawed: bool
) -> None:
    found = (replace(row, status="ok", verdict="within"), replace(row, status=status, verdict=verdict))
    assert Evaluated(found, (RACED, replace(RACED, problem=problem)), Path("index.html")).flawed is flawed
