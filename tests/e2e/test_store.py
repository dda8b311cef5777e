"""The verbs of the store on what ``accelbench run`` wrote, and the examples of its page."""

import csv
import io
import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
from tests.e2e.command import accelbench

from accelbench.library.tables import FIGURES, TABLES

PAGE = Path(__file__).parents[2] / "docs" / "store.md"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two nights' runs of the null backend, side by side."""
    made = tmp_path_factory.mktemp("store")
    for night in ("monday", "tuesday"):
        done = accelbench("run", "digits-cnn", "-b", "null", "--quick", "--max-time", "0.2", "-o", night, cwd=made)
        assert done.returncode in (0, 1), done.stderr
    return made


@pytest.mark.backend
def test_the_examples_of_the_page_run(folder: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    lines = [line for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    assert len(lines) > 10
    for line in lines:
        words = shlex.split(line)
        assert words[0] == "accelbench"
        if "--parquet" in words:
            continue
        done = accelbench(*words[1:], cwd=folder)
        assert done.returncode in ((0, 1) if words[1] == "diff" else (0,)), f"{line}: {done.stderr}"
        assert done.stdout, line


def test_the_page_has_every_table_and_column() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for table, columns in TABLES.items():
        section = text.partition(f"### `{table}`")[2].partition("\n### ")[0]
        assert section, table
        for name, kind, meaning in columns:
            assert f"| `{name}` | {kind.split()[0]} | {meaning} |" in section, f"{table}.{name}"
    told = text.partition("### `figures`")[2].partition("\n### ")[0]
    assert re.findall(r"`(\w+)`", told)[: len(FIGURES)] == list(FIGURES)


@pytest.mark.backend
def test_nights_are_added_asked_and_compared(folder: Path) -> None:
    done = accelbench("store", "add", "all", "monday", "tuesday", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert [each["new"] for each in json.loads(done.stdout)["added"]] == [True, True]
    done = accelbench("query", "all", "--figure", "throughput", "--columns", "task,value", "--csv", cwd=folder)
    rows = list(csv.reader(io.StringIO(done.stdout)))
    assert rows[0] == ["task", "value"]
    assert len(rows) == 1 + 2 * 2
    assert all(float(value) > 0 for _, value in rows[1:])
    done = accelbench("query", "all", "SELECT count(*) AS n FROM reports", "--json", cwd=folder)
    assert json.loads(done.stdout) == [{"n": 2}]
    done = accelbench("diff", "monday", "tuesday", "--json", "--fail-on", "failing", cwd=folder)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["compared"], found["failures"]) == (1, 0)
    done = accelbench("store", "verify", "all", cwd=folder)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "2 folders, 0 findings")


@pytest.mark.backend
def test_what_was_changed_is_named_and_fails(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "monday", tmp_path / "night")
    (report,) = (tmp_path / "night" / "reports").iterdir()
    file = report / "report.json"
    data = file.read_bytes()
    file.unlink()
    file.write_bytes(data.replace(b'"status":"ok"', b'"status":"failed"'))
    for verb in ("index", "verify"):
        done = accelbench("store", verb, "night", cwd=tmp_path)
        assert done.returncode == 1
        assert report.name in done.stdout + done.stderr
    done = accelbench("store", "add", "new", "night", cwd=tmp_path)
    assert done.returncode == 1
    assert "does not match the report's id" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["query", ".", "SELECT 1"], "is no store"),
        (["store", "index", "."], "is no store"),
        (["diff", ".", ".", "--fail-on", "slowness"], "did you mean slower?"),
        (["diff", ".", ".", "--json", "--markdown"], "exclude one another"),
        (["query", ".", "SELECT 1", "--task", "x"], "exclude one another"),
    ],
)
def test_bad_usage_is_one_line(tmp_path: Path, words: list[str], said: str) -> None:
    done = accelbench(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
