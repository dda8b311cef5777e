"""``accelbench store``, ``query`` and ``diff``, and the page about them."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.unit.library import made
from tests.unit.page import factory

from accelbench.cli.main import accelbench
from accelbench.errors import AccelbenchError
from accelbench.library.tables import FIGURES, TABLES

PAGE = Path(__file__).parents[3] / "docs" / "store.md"
MS = factory.MS


@pytest.fixture
def nights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two runs; on Tuesday the second task is half as fast."""
    for night, factor in (("monday", 1), ("tuesday", 2)):
        for number, task in enumerate(("digits-cnn", "resnet50")):
            draft = made.report(task, "null", "fp32", created=f"2026-01-0{factor}T00:00:00Z", effort="standard")
            made.put(tmp_path / night, draft, 10 * MS * (factor if number else 1), seed=factor)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ran(*words: str | Path) -> Result:
    return CliRunner().invoke(accelbench, [str(word) for word in words])


def test_the_examples_of_the_page_run(nights: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    lines = [line for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    assert len(lines) > 12
    for line in lines:
        words = shlex.split(line)
        assert words[0] == "accelbench"
        done = ran(*words[1:])
        if "--parquet" in words and isinstance(done.exception, AccelbenchError):
            assert "pip install" in str(done.exception)
            continue
        assert done.exit_code == (1 if "--fail-on" in words else 0), f"{line}: {done.exception} {done.output}"
        assert done.output, line
    assert (nights / "all" / "index.sqlite").is_file()


def test_the_page_has_every_table_and_column() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for table, columns in TABLES.items():
        section = text.partition(f"### `{table}`")[2].partition("\n### ")[0]
        assert section, table
        for name, kind, meaning in columns:
            assert f"| `{name}` | {kind.split()[0]} | {meaning} |" in section, f"{table}.{name}"
        assert section.count("\n| `") == len(columns)
    told = text.partition("### `figures`")[2].partition("\n### ")[0]
    assert re.findall(r"`(\w+)`", told) == list(FIGURES)


@pytest.mark.usefixtures("nights")
def test_a_slower_night_fails_where_that_is_asked_for() -> None:
    found = json.loads(ran("diff", "monday", "tuesday", "--json").output)
    kinds = {(each["task"], each["kind"]) for each in found["changes"] if each["figure"] == "p50"}
    assert ("resnet50", "slower") in kinds
    assert kinds <= {("resnet50", "slower"), ("digits-cnn", "same"), ("digits-cnn", "ambiguous")}
    assert ran("diff", "monday", "tuesday", "--fail-on", "slower").exit_code == 1
    assert ran("diff", "monday", "tuesday", "--fail-on", "failing,drift").exit_code == 0
    assert ran("diff", "tuesday", "monday", "--fail-on", "slower").exit_code == 0
    lines = ran("diff", "monday", "tuesday", "--markdown").output.splitlines()
    assert lines[0].startswith("**2 pairs of reports: ")
    table = [line for line in lines if line.startswith("|")]
    assert {line.count("|") for line in table} == {9}
    assert any(line.startswith("| slower | resnet50 | null:fp32 | single_stream ×1 | p50 | ") for line in table)


def test_what_was_changed_is_named_and_fails(nights: Path) -> None:
    folder = next((nights / "monday" / "reports").glob("digits-cnn--*"))
    made.changed(folder, status="failed")
    for verb in ("index", "verify"):
        done = ran("store", verb, "monday")
        assert done.exit_code == 1
        assert folder.name in done.output
    assert len(json.loads(ran("store", "verify", "monday", "--json").output)["findings"]) == 1
    done = ran("store", "add", "new", "monday")
    assert isinstance(done.exception, AccelbenchError)
    assert "does not match the report's id" in done.output


@pytest.mark.usefixtures("nights")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["store", "index", "."], "is no store"),
        (["diff", "monday", "tuesday", "--fail-on", "slowness"], "did you mean slower"),
        (["diff", "monday", "tuesday", "--json", "--markdown"], "exclude one another"),
        (["query", "monday", "SELECT 1", "--task", "x"], "exclude one another"),
        (["query", "monday", "--columns", "task,nix"], "unknown column 'nix'"),
        (["query", "monday", "--by", "nix"], "unknown column 'nix'"),
        (["query", "monday", "DELETE FROM reports"], "only SELECT is allowed"),
    ],
)
def test_bad_usage_is_refused(words: list[str], said: str) -> None:
    done = ran(*words)
    assert isinstance(done.exception, AccelbenchError)
    assert done.exception.exit_code == 2
    assert said in str(done.exception)


@pytest.mark.usefixtures("nights")
def test_a_table_for_people_ends_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accelbench.cli.query.MOST_ROWS", 3)
    done = ran("query", "monday")
    assert "Only the first 3 rows are shown" in done.output
    assert len(done.stdout.splitlines()) == 1 + 3
    assert len(json.loads(ran("query", "monday", "--json").output)) > 10
