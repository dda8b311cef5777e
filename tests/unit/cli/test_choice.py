"""Which tasks a command line means."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from accelbench.cli.choice import Choice, Named, listed, named, wanted
from accelbench.errors import UsageError
from accelbench.zoo import catalogue, roster

NOTHING = Choice((), (), None)
FIRST = Choice((), (), "2026.1")


def ids(found: list[Named | Path]) -> list[str]:
    return [each.task.id if isinstance(each, Named) else str(each) for each in found]


def test_tier_and_domain_filter_together() -> None:
    smoke = Choice(("smoke",), ("vision",), "2026.1")
    assert [task.id for task in listed(smoke)] == ["digits-cnn", "digits-resnet"]
    assert [task.id for task in listed(Choice((), ("language",), "2026.1"))] == ["bert-base"]
    assert [task.id for task in listed(FIRST)] == ["resnet50", "bert-base", "widedeep", "digits-cnn", "digits-resnet"]


@pytest.mark.parametrize(
    ("choice", "complaint"),
    [
        (Choice(("regulr",), (), None), "unknown tier 'regulr': did you mean regular"),
        (Choice((), ("visio",), None), "unknown domain 'visio': did you mean vision"),
        (Choice((), (), "2025.9"), "no roster is called '2025.9'"),
        (Choice(("smoke",), ("speech",), "2026.1"), "no task is of these tiers and domains"),
        (NOTHING, "nothing to evaluate"),
    ],
)
def test_what_means_nothing(choice: Choice, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        wanted([], choice)


def test_names_come_first_and_nothing_twice() -> None:
    found = wanted(["digits-resnet", "x.onnx", "./y.onnx"], Choice(("smoke",), (), "2026.1"))
    assert ids(found) == ["digits-resnet", "x.onnx", "y.onnx", "digits-cnn"]


def test_a_task_says_which_roster_lists_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert named("bert-base", NOTHING).roster == roster.newest().name
    assert named("bert-base", FIRST).roster == "2026.1"
    first = roster.find("2026.1")
    monkeypatch.setattr(roster, "newest", lambda: first)
    left = next(task.id for task in catalogue.tasks().values() if task.id not in first.tasks)
    assert named(left, NOTHING).roster is None
    with pytest.raises(UsageError, match=f"roster 2026.1 does not list {left}"):
        named(left, FIRST)


def test_a_folder_is_in_no_roster(tmp_path: Path) -> None:
    mine = Path(shutil.copytree(catalogue.TASKS / "digits-cnn", tmp_path / "mine"))
    found = wanted([str(mine), "digits-cnn"], NOTHING)
    assert ids(found) == ["digits-cnn", "digits-cnn"]
    assert [each.roster for each in found if isinstance(each, Named)] == [None, roster.newest().name]
    assert named(str(mine), NOTHING).folder == mine


def test_an_empty_folder_and_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"task\.toml cannot be read"):
        wanted([str(tmp_path)], NOTHING)
    assert wanted([f"{tmp_path}/absent"], NOTHING) == [tmp_path / "absent"], "it is read as a model, which complains"
