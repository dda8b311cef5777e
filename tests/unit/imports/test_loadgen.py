"""What LoadGen wrote about real runs, as it is kept for the reader of its logs."""

from pathlib import Path

import pytest
from tests.unit.imports.accounting import told

from accelbench.envs.loadgen_log import DETAIL, SUMMARY
from accelbench.errors import UsageError
from accelbench.imports.loadgen import loadgen
from accelbench.imports.source import Origin
from accelbench.imports.store import FORM
from accelbench.model import Claim

LOGS = Path(__file__).parents[1] / "envs" / "loadgen"


def read(name: str, detail: bool = True) -> Claim:
    folder = LOGS / name
    made = loadgen((folder / SUMMARY).read_bytes(), (folder / DETAIL).read_bytes() if detail else None, Origin())
    assert set(made.files) == ({SUMMARY, DETAIL} if detail else {SUMMARY})
    return FORM.identify(made.claim)


def test_a_valid_run() -> None:
    claim = read("single_stream")
    found = {(each.name, each.statistic): (each.value, each.unit) for each in claim.figures}
    assert found["latency", "p90"] == (2467, "ns")
    assert found["latency", "p99.9"] == (39599, "ns")
    assert found["latency", "mean"] == (3073, "ns")
    assert found["throughput", "with LoadGen's overhead"] == (169365.19, "queries/s")
    assert {each.scenario for each in claim.figures} == {"single_stream"}
    assert (claim.text("verdict"), claim.text("loadgen_version")) == ("VALID", "6.0.17 @ d6147c7eb7")
    assert claim.text("date") == "2026-11-22T09:13:18Z"
    assert [each.name for each in claim.beside] == [DETAIL]
    assert (claim.device, claim.task, claim.vendor) == (None, None, None)


def test_a_run_that_loadgen_calls_invalid_says_so() -> None:
    claim = read("ran_out")
    assert claim.caveats[0] == "LoadGen calls the run INVALID"
    assert len(claim.caveats) > 1
    assert read("ran_out", detail=False).caveats == claim.caveats[:1]


@pytest.mark.parametrize("name", ["single_stream", "server", "ran_out"])
def test_every_line_with_words_is_kept(name: str) -> None:
    claim = read(name)
    kept = told(claim)
    headings = ("MLPerf Results Summary", "Additional Stats", "Test Parameters Used")
    lines = [line.strip() for line in (LOGS / name / SUMMARY).read_text(encoding="utf-8").splitlines()]
    words = [line for line in lines if line and set(line) != {"="} and line not in headings]
    assert sum("#" not in field for field in kept) == len(words)
    events = (LOGS / name / DETAIL).read_text(encoding="utf-8").splitlines()
    assert len({field.split("/")[1] for field in kept if "#" in field}) == len(events)


def test_words_of_any_kind_are_kept() -> None:
    made = loadgen(b"hello\n\n  a : 1\n a : 2\nResult is : VALID\n", b"no event\n:::MLLOG {broken\n", Origin())
    kept = told(made.claim)
    assert {field: fates[0][1] for field, fates in kept.items()} == {
        "//line 1": "hello",
        "//a": "1",
        "//line 4": "a : 2",
        "//Result is": "VALID",
        f"{DETAIL}#/0": "no event",
        f"{DETAIL}#/1": ":::MLLOG {broken",
    }


def test_an_empty_summary_is_refused() -> None:
    with pytest.raises(UsageError, match="nothing in it"):
        loadgen(b"\n====\n", None, Origin())
