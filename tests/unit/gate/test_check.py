"""The gate fails closed, and says what it found as text, JSON and SARIF."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.unit.gate import factory
from tests.unit.gate.factory import Kit, Stock, build

from accelbench.cli import check as verb
from accelbench.errors import UsageError
from accelbench.gate import manifest
from accelbench.gate.check import Say, check
from accelbench.gate.rule import Finding, Found, Rule, Text
from accelbench.gate.rules import RULES
from accelbench.gate.sarif import sarif
from accelbench.gate.submission import Submission

WORDS = Text("Something.", "某事。")


@pytest.fixture(scope="module")
def few(stock: Stock, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A submission with an error, a warning and a note in two files."""
    kit = Kit(without=("chat",), told=lambda found: replace(found, vendor=replace(found.vendor, contact="-")))
    return build(kit, tmp_path_factory.mktemp("few"), stock)


def raising(_submission: Submission) -> Iterator[Found]:
    raise RuntimeError("no idea")
    yield


def test_a_rule_that_raises_is_an_error_whatever_its_severity(stock: Stock) -> None:
    broken = Rule("AB999", "note", 1, WORDS, WORDS, raising)
    (finding,) = check(stock.sound, world=factory.WORLD, keyring=stock.ring, rules=[broken])
    assert (finding.rule, finding.severity) == ("AB999", "error")
    assert finding.text.en == "could not be judged (RuntimeError: no idea)"


def test_rules_of_later_versions_are_not_asked(stock: Stock) -> None:
    later = Rule("AB999", "error", 2, WORDS, WORDS, raising)
    assert check(stock.sound, world=factory.WORLD, keyring=stock.ring, rules=[later]) == ()


def test_errors_come_first_and_notes_last(few: Path) -> None:
    warned = Rule("AB999", "warning", 1, WORDS, WORDS, lambda _s: iter([Found("x", WORDS)]))
    found = check(few, world=factory.WORLD, rules=[*RULES, warned])
    assert [(each.rule, each.severity) for each in found] == [
        ("AB107", "error"),
        ("AB204", "error"),
        ("AB999", "warning"),
        ("AB411", "note"),
    ]


def test_a_bundle_that_breaks_its_reader_is_a_finding(
    stock: Stock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object) -> None:
        raise MemoryError("too much")

    monkeypatch.setattr("accelbench.gate.submission.verify", broken)
    found = check(build(Kit(), tmp_path, stock), world=factory.WORLD)
    assert {each.rule for each in found} == {"AB103", "AB203", "AB204"}
    assert any("MemoryError: too much" in each.text.en for each in found)


def test_an_empty_folder_is_no_submission(tmp_path: Path) -> None:
    assert [each.rule for each in check(tmp_path, world=factory.WORLD)] == ["AB101"]


def test_a_folder_that_is_not_there_is_bad_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no folder"):
        check(tmp_path / "nowhere", world=factory.WORLD)


@pytest.mark.parametrize(
    "text",
    ["", "schema = 1\n", "schema = 1e9\n", "schema = true\n", "reports = 1\nschema = 1", "x" * 9, "a=[" * 2000, "\0"],
)  # fmt: skip
def test_odd_manifests_are_findings(tmp_path: Path, text: str) -> None:
    (tmp_path / manifest.MANIFEST).write_text(text)
    assert "AB101" in {each.rule for each in check(tmp_path, world=factory.WORLD)}


def findings() -> list[Finding]:
    remedy = Text("Do it.", "处理。")
    return [
        Finding("AB203", "error", "submission.toml", "resnet50", Text("is missing", "缺少"), remedy),
        Finding("AB502", "warning", "a b/x.accelbench.zip", "", Text("not valid", "无效"), remedy),
    ]


def test_sarif_has_what_the_standard_requires() -> None:
    """OASIS SARIF 2.1.0: version and runs (3.13), tool with a named driver (3.19), and results with a message whose
    rules and levels are known (3.27)."""
    document = sarif({"results/v/d": findings()}, "en")
    assert json.loads(json.dumps(document)) == document
    assert (document["version"], document["$schema"]) == ("2.1.0", "https://json.schemastore.org/sarif-2.1.0.json")
    (run,) = document["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"]
    assert [rule["id"] for rule in driver["rules"]] == [rule.id for rule in RULES]
    for rule in driver["rules"]:
        assert rule["shortDescription"]["text"]
        assert rule["defaultConfiguration"]["level"] in ("error", "warning", "note", "none")
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note", "none")
        assert result["message"]["text"]
    locations = [result["locations"][0] for result in run["results"]]
    assert [each["physicalLocation"]["artifactLocation"]["uri"] for each in locations] == [
        "results/v/d/submission.toml",
        "results/v/d/a%20b/x.accelbench.zip",
    ]
    assert [each.get("logicalLocations") for each in locations] == [[{"fullyQualifiedName": "resnet50"}], None]


def test_sarif_speaks_chinese() -> None:
    (run,) = sarif({"x": findings()}, "zh")["runs"]
    assert run["results"][0]["message"]["text"] == "缺少. 处理。"


@pytest.fixture
def known_world(monkeypatch: pytest.MonkeyPatch, stock: Stock) -> None:
    def known(folder: Path, install: bool, say: Say) -> tuple[Finding, ...]:
        return check(folder, install=install, say=say, world=factory.WORLD, keyring=stock.ring)

    monkeypatch.setattr(verb, "checked", known)


@pytest.mark.usefixtures("known_world")
def test_the_verb_accepts_a_sound_submission(stock: Stock) -> None:
    done = CliRunner().invoke(verb.check, [str(stock.sound)], standalone_mode=False)
    assert done.return_value == 0
    assert done.output == f"{stock.sound}: accepted (0 error, 0 warning, 0 note; rules 1)\n"


@pytest.mark.usefixtures("known_world")
def test_the_verb_refuses_and_says_what_to_do(few: Path, tmp_path: Path) -> None:
    file = tmp_path / "findings.sarif"
    done = CliRunner().invoke(verb.check, [str(few), "--sarif", str(file)], standalone_mode=False)
    assert done.return_value == 1
    lines = done.output.splitlines()
    assert lines[0] == f"error AB107 {few}/submission.toml: vendor.contact: '-' is neither address nor page"
    assert lines[1] == "    Set `vendor.contact` in `submission.toml`."
    assert lines[-1].endswith("not accepted (2 error, 0 warning, 0 note; rules 1)")
    assert [each["ruleId"] for each in json.loads(file.read_text())["runs"][0]["results"]] == ["AB107", "AB204"]


@pytest.mark.usefixtures("known_world")
def test_the_verb_speaks_chinese_and_json(few: Path) -> None:
    done = CliRunner().invoke(verb.check, [str(few), "--json", "--lang", "zh"], standalone_mode=False)
    (told,) = json.loads(done.output)["submissions"]
    assert not told["accepted"]
    assert told["findings"][0]["text"] == "'-' 既非邮箱也非网址"
    assert told["findings"][0]["remedy"] == "在 `submission.toml` 中填写 `vendor.contact`。"
