import json
from pathlib import Path

import pytest

from accelbench.cli.ab import Duel, check_ab, duel_json, duel_table, write
from accelbench.errors import UsageError
from accelbench.measure.compare import paired
from accelbench.model import Plan, Stop
from accelbench.race import Race
from accelbench.search import Search

SINGLE = Plan("single_stream", Stop(max_s=1.0))


def duel(run: Path, problem: str | None = None) -> Duel:
    a, b = (1e-3, 1.1e-3, 1e-3), (2e-3, 2e-3, 2.1e-3)
    race = Race(SINGLE, "p50", paired(a, b), 1, 0.1, a, b)
    return Duel("task", ("x:fp32", "y:fp32"), (run / "reports" / "1", run / "reports" / "2"), (race,), problem)


@pytest.mark.parametrize(
    ("names", "precisions", "scenario", "part"),
    [
        (("openvino",), (), "offline", "--backend"),
        ((), ("fp32",), "offline", "--precision"),
        ((), (), "server", "server"),
    ],
)
def test_what_does_not_go_with_two_targets(
    names: tuple[str, ...], precisions: tuple[str, ...], scenario: str, part: str
) -> None:
    with pytest.raises(UsageError, match=part):
        check_ab(names, precisions, [Plan(scenario, Stop(max_s=1.0))], ())  # type: ignore[arg-type]


def test_a_search_is_no_race() -> None:
    with pytest.raises(UsageError, match="--slo"):
        check_ab((), (), [SINGLE], [Search(SINGLE, "batch")])


def test_closed_loops_can_be_raced() -> None:
    check_ab((), (), [SINGLE, Plan("closed_loop", Stop(max_s=1.0))], ())


def test_the_file_holds_the_blocks(tmp_path: Path) -> None:
    made = duel(tmp_path)
    (stored,) = json.loads(write([made], tmp_path).read_text())
    assert stored == json.loads(json.dumps(duel_json(made, tmp_path)))
    assert stored["reports"] == ["reports/1", "reports/2"]
    assert stored["races"][0]["a_s"] == [1e-3, 1.1e-3, 1e-3]
    assert stored["races"][0]["comparison"]["outcome"] == "ambiguous", "three pairs are too few"
    assert stored["problem"] is None


def test_the_table_ends_with_the_problem(tmp_path: Path) -> None:
    table = duel_table(duel(tmp_path, "y is unsupported"))
    assert table.caption == "y is unsupported"
    assert table.row_count == 1
