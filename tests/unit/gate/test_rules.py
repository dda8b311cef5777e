"""Every rule finds what breaks it, and no other does: shown by taking each out of the table, and by inverting it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.gate.breaks import BREAKS
from tests.unit.gate.factory import Kit, Stock, build

from accelbench.gate.check import judge
from accelbench.gate.rule import RULES_VERSION, Finding
from accelbench.gate.rules import RULES
from accelbench.gate.submission import opened

Found = Mapping[str, Sequence[Finding]]
Suite = Mapping[str, Sequence[Found]]
IDS = [rule.id for rule in RULES]


def by_rule(kit: Kit, stock: Stock, room: Path) -> Found:
    """What each rule finds in the kit's submission."""
    with opened(build(kit, room, stock), kit.world, stock.ring.with_name(kit.keyring)) as there:
        tried = tuple(
            replace(entry, installation=kit.installation.get(entry.report.task.id)) for entry in there.entries
        )
        found = judge(replace(there, entries=tried))
    return {rule.id: [finding for finding in found if finding.rule == rule.id] for rule in RULES}


def broken(made: Callable[[Kit], None], stock: Stock, rooms: pytest.TempPathFactory) -> Found:
    kit = Kit()
    made(kit)
    return by_rule(kit, stock, rooms.mktemp("submission"))


@pytest.fixture(scope="module")
def suite(stock: Stock, tmp_path_factory: pytest.TempPathFactory) -> Suite:
    """The findings in the sound submission (under ""), and in the first of those that break a rule, by that."""
    sound = by_rule(Kit(), stock, tmp_path_factory.mktemp("sound"))
    return {"": [sound], **{rule: [broken(made[0], stock, tmp_path_factory)] for rule, made in BREAKS.items()}}


def holds(suite: Suite, finds: Callable[[str, Found], bool], rules: Sequence[str]) -> bool:
    """Whether the sound submission passes these rules, and each broken one is found by its own rule alone."""
    return all(
        [rule for rule in rules if finds(rule, found)] == ([broken] if broken else [])
        for broken, several in suite.items()
        for found in several
    )


def plainly(rule: str, found: Found) -> bool:
    return bool(found[rule])


def test_the_sound_submission_has_no_findings(suite: Suite) -> None:
    assert [finding for findings in suite[""][0].values() for finding in findings] == []


@pytest.mark.parametrize("rule", IDS)
def test_what_breaks_a_rule_is_found_by_that_rule_alone(suite: Suite, rule: str) -> None:
    severity = next(each.severity for each in RULES if each.id == rule)
    for found in suite[rule]:
        finders = {id_: findings for id_, findings in found.items() if findings}
        assert list(finders) == [rule], finders
        assert {finding.severity for finding in finders[rule]} == {severity}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rule", "made"),
    [pytest.param(rule, made, id=f"{rule}-{made.__name__}") for rule in BREAKS for made in BREAKS[rule][1:]],
)
def test_so_is_every_other_way_to_break_it(
    rule: str, made: Callable[[Kit], None], stock: Stock, tmp_path_factory: pytest.TempPathFactory
) -> None:
    found = broken(made, stock, tmp_path_factory)
    assert [id_ for id_, findings in found.items() if findings] == [rule]


def test_the_table_as_it_is_holds(suite: Suite) -> None:
    assert holds(suite, plainly, IDS)


@pytest.mark.parametrize("gone", IDS)
def test_without_a_rule_the_table_does_not_hold(suite: Suite, gone: str) -> None:
    assert not holds(suite, plainly, [rule for rule in IDS if rule != gone])


@pytest.mark.parametrize("turned", IDS)
def test_with_an_inverted_rule_the_table_does_not_hold(suite: Suite, turned: str) -> None:
    assert not holds(suite, lambda rule, found: plainly(rule, found) != (rule == turned), IDS)


def test_ids_are_unique_in_order_and_each_has_a_theme() -> None:
    assert sorted(set(IDS)) == IDS
    assert all(rule.id[:2] == "AB" and len(rule.id) == 5 and rule.id[2] in "12345678" for rule in RULES)


def test_every_rule_speaks_both_languages() -> None:
    for rule in RULES:
        for text in (rule.demand, rule.remedy):
            assert text.en.isascii() or "…" in text.en
            assert text.en.endswith(".")
            assert text.zh.endswith("。")
            assert any("一" <= sign <= "鿿" for sign in text.zh)


def test_every_rule_holds_in_a_version_that_there_is() -> None:
    assert all(1 <= rule.since <= RULES_VERSION for rule in RULES)
