"""Rosters list what counts, say why, and what changed between two of them."""

from __future__ import annotations

import datetime
from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import ValidationError

from accelbench.errors import UsageError
from accelbench.zoo import catalogue, roster
from accelbench.zoo.roster import Change, Entry, Roster

DAY = datetime.date(2030, 1, 1)
OLD = Entry("popular", 1, "was new")


def of(name: str, tasks: dict[str, Entry], left: dict[str, str] | None = None) -> Roster:
    return Roster(name, DAY, "", tasks, left or {})


def written(tmp_path: Path, tasks: str) -> Path:
    path = tmp_path / "2030.1.toml"
    path.write_text(f'date = 2030-01-01\nsummary = "s"\n[left]\n{tasks}')
    return path


def test_the_newest_roster_lists_exactly_the_tasks_that_there_are() -> None:
    told = {name: (entry.tier, entry.version) for name, entry in roster.newest().tasks.items()}
    assert told == {task.id: (task.tier, task.version) for task in catalogue.tasks().values()}, (
        f"a task's folder and its line in {roster.newest().name}.toml must agree in id, tier and version"
    )


def test_rosters_follow_one_another() -> None:
    assert list(roster.rosters())[:2] == ["2026.1", "2026.2"]
    for before, after in pairwise(roster.rosters().values()):
        assert before.date <= after.date
        gone = set(before.tasks) - set(after.tasks)
        assert set(after.left) == gone, f"{after.name} says why exactly those left that did"


def test_every_line_says_why() -> None:
    for each in roster.rosters().values():
        assert each.summary
        assert all(entry.reason.strip() for entry in each.tasks.values())
        assert all(why.strip() for why in each.left.values())


def test_mandatory_tasks_stay_few() -> None:
    regular = [name for name, entry in roster.newest().tasks.items() if entry.tier == "regular"]
    assert regular == ["resnet50", "bert-base", "widedeep"]


def test_names_are_ordered_as_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("2026.10", "2026.9", "2027.1"):
        (tmp_path / f"{name}.toml").write_text('date = 2026-01-01\nsummary = "s"\n[left]\n[tasks.op]\n')
    monkeypatch.setattr(roster, "ROSTERS", tmp_path)
    roster.rosters.cache_clear()
    try:
        assert list(roster.rosters()) == ["2026.9", "2026.10", "2027.1"]
        assert roster.newest().name == "2027.1"
    finally:
        roster.rosters.cache_clear()


def test_changes_between_two() -> None:
    a = of("1", {"stays": OLD, "goes": OLD, "moves": OLD, "grows": OLD})
    moved, grown, new = Entry("frontier", 1, "larger"), Entry("popular", 2, "mended"), Entry("op", 1, "asked for")
    b = of("2", {"new": new, "stays": OLD, "moves": moved, "grows": grown}, {"goes": "nobody runs it"})
    assert roster.changes(a, b, [a, b]) == [
        Change("new", "added", None, new, "asked for"),
        Change("goes", "left", OLD, None, "nobody runs it"),
        Change("moves", "moved", OLD, moved, "larger"),
        Change("grows", "changed", OLD, grown, "mended"),
    ]


def test_a_task_that_left_in_between_tells_why() -> None:
    a, b, c = of("1", {"goes": OLD}), of("2", {}, {"goes": "nobody runs it"}), of("3", {})
    assert [change.reason for change in roster.changes(a, c, [a, b, c])] == ["nobody runs it"]
    assert roster.changes(b, c, [a, b, c]) == []


def test_the_earlier_one_comes_first() -> None:
    a, b = of("1", {}), of("2", {})
    for one, other in ((b, a), (a, a)):
        with pytest.raises(UsageError, match="name the earlier one first"):
            roster.changes(one, other, [a, b])


def test_an_unknown_roster_gets_the_names() -> None:
    with pytest.raises(UsageError, match=r"'2026\.11': did you mean 2026\.1"):
        roster.find("2026.11")
    with pytest.raises(UsageError, match=r"there are 2026\.1, 2026\.2"):
        roster.find("x")


def test_a_task_is_in_one_tier(tmp_path: Path) -> None:
    line = 'a = { version = 1, reason = "r" }'
    with pytest.raises(UsageError, match="a is in two tiers, op and smoke"):
        roster.read(written(tmp_path, f"[tasks.op]\n{line}\n[tasks.smoke]\n{line}"))


@pytest.mark.parametrize("line", ["a = { version = 1 }", 'a = { version = "1", reason = "r" }'])
def test_lines_are_read_strictly(tmp_path: Path, line: str) -> None:
    with pytest.raises(ValidationError):
        roster.read(written(tmp_path, f"[tasks.op]\n{line}"))


def test_a_roster_gives_tiers_and_chooses_by_domain() -> None:
    lists = of("1", {"resnet50": Entry("op", 1, ""), "bert-base": Entry("regular", 1, "")})
    assert [(task.id, task.tier) for task in catalogue.select(lists)] == [("bert-base", "regular"), ("resnet50", "op")]
    assert [task.id for task in catalogue.select(lists, domains=["vision"])] == ["resnet50"]
    assert [task.id for task in catalogue.select(lists, ["regular"], ["vision"])] == []
    assert catalogue.find("resnet50").tier == "regular"


@pytest.mark.parametrize("name", ["resnet50", "absent"])
def test_a_version_that_is_not_there_is_told(name: str) -> None:
    with pytest.raises(UsageError, match=f"roster 1 lists {name} in version 9, which this accelbench does not have"):
        catalogue.select(of("1", {name: Entry("op", 9, "")}))
    assert catalogue.select(of("1", {name: Entry("op", 9, "")}), ["regular"]) == []
