"""What ``accelbench import`` prints, stores and refuses."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.unit.imports import documents

from accelbench.cli.import_ import import_
from accelbench.errors import UsageError


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(import_, [str(word) for word in words], standalone_mode=False)


@pytest.fixture
def published(tmp_path: Path) -> Path:
    folder = tmp_path / "published"
    (folder / "HPU" / "bert").mkdir(parents=True)
    (folder / "HPU" / "bert" / "result-fp32.json").write_text(json.dumps(documents.report()), encoding="utf-8")
    (folder / "One.json").write_text(json.dumps(documents.hardware()), encoding="utf-8")
    (folder / "package.json").write_text("{}", encoding="utf-8")
    return folder


def test_explain_has_every_field_and_stores_nothing(published: Path) -> None:
    done = run("bytemlperf", published, "--explain")
    assert done.exception is None
    words = ("/SKU参数/厂商", "an artefact", "nothing is told", "note: the file's name says fp32", "0 refused")
    assert [word for word in words if word not in done.output] == []
    assert "2 claims" in done.output
    assert "1 other files passed over; nothing was stored" in done.output
    rows = json.loads(run("bytemlperf", published, "--explain", "--json").output)
    fates = [{line["fate"] for line in row["fields"]} for row in rows]
    assert fates == [{"mapped", "note"}] * 2
    assert all(len({line["field"] for line in row["fields"]}) == row["mapped"] + row["notes"] for row in rows)


def test_claims_are_stored_once(published: Path, tmp_path: Path) -> None:
    words = ("bytemlperf", published, "--store", tmp_path / "store", "--url", "https://example.org")
    rows = json.loads(run(*words, "--json").output)
    assert [(row["new"], row["trust"], row["source"]["url"]) for row in rows] == [
        (True, "claimed", "https://example.org")
    ] * 2
    assert all((Path(row["folder"]) / "claim.json").is_file() for row in rows)
    assert run(*words).output.count("(was there)") == 2


def test_one_of_two_things_must_be_wanted(published: Path) -> None:
    found = run("bytemlperf", published).exception
    assert isinstance(found, UsageError)
    assert "--store DIR" in str(found)


def test_a_file_that_cannot_be_read_stops_all(published: Path, tmp_path: Path) -> None:
    (published / "broken.json").write_text("{", encoding="utf-8")
    found = run("bytemlperf", published, "--store", tmp_path / "store").exception
    assert isinstance(found, UsageError)
    assert "broken.json" in str(found)
    assert not (tmp_path / "store").exists()


def test_mlperf_and_an_empty_table(tmp_path: Path) -> None:
    table = tmp_path / "summary.csv"
    table.write_text(documents.CSV, encoding="utf-8")
    (row,) = json.loads(run("mlperf", table, "--explain", "--json").output)
    assert (row["source"]["kind"], row["source"]["part"], row["task"]["id"]) == ("mlperf-results", "row 1", "resnet50")
    (tmp_path / "mapping.toml").write_text('[[figures]]\ncolumn = "a"\nname = "b"\n', encoding="utf-8")
    table.write_text("a\n", encoding="utf-8")
    found = run("csv", table, "--mapping", tmp_path / "mapping.toml", "--explain").exception
    assert isinstance(found, UsageError)
    assert "no rows" in str(found)
