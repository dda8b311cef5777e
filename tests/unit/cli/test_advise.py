"""``accelbench advise``."""

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from accelbench.bundle.read import Bundle
from accelbench.cli.advise import advise
from accelbench.errors import UsageError
from accelbench.knowledge import match
from accelbench.knowledge.catalogue import recipes

REPORTS = Path(__file__).parents[3] / "examples" / "reports"


def bundle(id12: str) -> Path:
    return next(REPORTS.glob(f"*--{id12}.zip"))


def said(*argv: str) -> str:
    done = CliRunner().invoke(advise, argv)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_bundle_gets_the_recipe_with_reason_command_effect_and_cost() -> None:
    before, after = recipes()["onnxruntime-narrow-floats"].evidence[0]
    told = said(str(bundle(before)))
    assert "  onnxruntime-narrow-floats: " in told
    assert "  why: backend = onnxruntime; passes = fp16; executed = fp32; operators = " in told
    assert "  run: accelbench run digits-resnet -b onnxruntime --precision fp32 --pass int8-static " in told
    assert "  effect: size: " in told
    assert "  costs: drift (relative L2): " in told
    assert f"  seen: {before} → {after} (digits-resnet, onnxruntime " in told


def test_a_report_without_advice_says_so_in_either_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(match, "recipes", dict)
    _, after = recipes()["prune-accuracy"].evidence[0]
    assert said(str(bundle(after))).endswith(": no recipe applies\n")
    assert said(str(bundle(after)), "--lang", "zh").endswith(": 没有适用的经验\n")
    assert json.loads(said(str(bundle(after)), "--json"))[0]["recipes"] == []


def test_a_folder_of_a_report_and_a_run_are_taken_as_well(tmp_path: Path) -> None:
    before, _ = recipes()["prune-accuracy"].evidence[0]
    (tmp_path / "reports").mkdir()
    Bundle.open(bundle(before)).unpack(tmp_path / "unpacked")
    (tmp_path / "unpacked" / "report").rename(tmp_path / "reports" / "one")
    whole, single = said(str(tmp_path), "--json"), said(str(tmp_path / "reports" / "one"), "--json")
    assert whole == single
    found = json.loads(single)
    assert found[0]["report"].startswith(before)
    because = {each["id"]: each["because"] for each in found[0]["recipes"]}
    assert any("accuracy_lost = " in line for line in because["prune-accuracy"])


def test_all_recipes_are_listed() -> None:
    assert [each["id"] for each in json.loads(said("--list", "--json"))] == list(recipes())
    for language in ("en", "zh"):
        told = said("--list", "--lang", language)
        assert all(f"{name} (" in told for name in recipes())


@pytest.mark.parametrize("argv", [("--list", "."), ("--json",)])
def test_either_reports_or_the_list(argv: tuple[str, ...]) -> None:
    with pytest.raises((UsageError, click.UsageError)):
        CliRunner().invoke(advise, argv, catch_exceptions=False, standalone_mode=False)
