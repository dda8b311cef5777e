"""Which recipes apply, why, and the command that follows."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.page import factory

from accelbench import model
from accelbench.knowledge.catalogue import recipes
from accelbench.knowledge.facts import NAMES, Fact, facts, known_fact
from accelbench.knowledge.match import applies, applying, changed, command, holds
from accelbench.knowledge.recipe import Change, Condition, Load, Recipe


def condition(**told: object) -> Condition:
    return Condition.model_validate({"fact": "reasons", **told})


@pytest.mark.parametrize(
    ("told", "fact", "expected"),
    [
        ({"any": ("int8*",)}, ("int8-nncf", "bf16"), "reasons = int8-nncf"),
        ({"any": ("int8*",)}, ("bf16",), None),
        ({"any": ("int8*",)}, (), None),
        ({"any": ("int8*",)}, None, None),
        ({"any": ("8",)}, 8.0, None),
        ({"none": ("amx_*",)}, ("avx2",), "reasons ≠ amx_*"),
        ({"none": ("amx_*",)}, ("amx_bf16", "avx2"), None),
        ({"none": ("amx_*",)}, None, None),
        ({"above": 0.03}, 0.04, "reasons = 0.04 > 0.03"),
        ({"above": 0.03}, 0.03, None),
        ({"above": 0.03}, math.nan, None),
        ({"above": 0.03}, None, None),
        ({"below": 0.03}, 0.0, "reasons = 0 < 0.03"),
        ({"below": 0.0}, 0.0, None),
        ({"below": 0.03}, None, None),
        ({"known": False}, None, "reasons = –"),
        ({"known": False}, ("1",), None),
        ({"known": True}, ("1",), "reasons = 1"),
        ({"known": True}, None, None),
    ],
)
def test_a_condition_holds_or_not(told: dict[str, object], fact: Fact | None, expected: str | None) -> None:
    assert holds(condition(**told), fact) == expected


def test_what_is_absent_is_no_fact(tmp_path: Path) -> None:
    for made, _ in factory.entries(tmp_path):
        found = facts(made)
        assert all(map(known_fact, found))
        assert None not in found.values()
    failed = facts(factory.failed())
    assert not {"relative_l2", "accuracy", "compile_s", "executed", "rate"} & failed.keys()
    assert failed["reasons"] == ("worker crashed (signal 11) while compiling",)


def test_facts_are_those_of_the_report(tmp_path: Path) -> None:
    nan = factory.entries(tmp_path)[3][0]
    target = model.Target("openvino", "cpu", "bf16", {"threads": "1"}, ("prune:2:4",))
    found = facts(replace(nan, target=target))
    assert found["non_finite"] == 5.0
    assert found["option.threads"] == ("1",)
    assert found["passes"] == ("prune:2:4",)
    assert found["load"] == ("single_stream x1", "offline x8")
    assert found["size_bytes"] == 51_300_000.0
    assert set(found) <= {*NAMES, "option.threads"}


def recipe(**told: object) -> Recipe:
    words = {"en": "x", "zh": "某"}
    fields = {
        **{"id": "one", "date": "2026-11-22", "stacks": ["openvino"], "title": words, "models": words},
        **{"symptom": words, "why": words, "change": words, "shows": [{"figure": "accuracy"}]},
        **{"when": [{"fact": "precision", "any": ["bf16"]}], "evidence": [["0" * 12, "1" * 12]]},
    }
    return Recipe.model_validate({**fields, **told}, strict=False)


def test_all_conditions_and_the_stack_must_hold() -> None:
    there = facts(factory.report("resnet50", "openvino", "bf16"))
    assert applies(recipe(), there) == ("backend = openvino", "precision = bf16")
    assert applies(recipe(stacks=["mnn"]), there) is None
    assert applies(recipe(stacks=["any"]), there) == ("precision = bf16",)
    more = [{"fact": "precision", "any": ["bf16"]}, {"fact": "option.threads", "known": True}]
    assert applies(recipe(when=more), there) is None


def test_recipes_apply_in_their_order() -> None:
    made = factory.report("resnet50", "openvino", "bf16")
    known = [recipe(id="two"), recipe(stacks=["mnn"]), recipe()]
    assert [match.recipe.id for match in applying(made, known)] == ["two", "one"]
    assert applying(factory.report("resnet50", "null", "fp32")) == ()
    assert {match.recipe.id for match in applying(made)} <= recipes().keys()


def test_a_change_keeps_what_it_does_not_name() -> None:
    target = model.Target("openvino", "cpu", "bf16", {"hint": "latency", "streams": "2"}, ("int8",), 60.0)
    same = Change(en="x", zh="某")
    assert changed(same, target) == target
    other = Change(en="x", zh="某", precision="fp32", passes=(), options={"streams": "", "threads": "1"})
    found = changed(other, target)
    assert found == replace(target, precision="fp32", passes=(), options={"hint": "latency", "threads": "1"})
    assert changed(Change(en="x", zh="某", backend="mnn"), target) == replace(target, backend="mnn", options={})


def test_the_command_has_the_reports_load_and_the_change() -> None:
    made = factory.report("resnet50", "openvino", "bf16")
    change = Change(en="x", zh="某", passes=("prune:0.3", "int8"), options={"threads": "1"})
    expected = (
        "accelbench run resnet50 -b openvino --precision bf16 --pass prune:0.3+int8 --option openvino.threads=1 "
        "--scenario single_stream,offline --batch 1,8 --quick"
    )
    assert " ".join(command(change, made)) == expected
    served = replace(made.measurements[0], plan=model.Plan("server", model.Stop(max_s=3.0), rate=200.0))
    load = Change(en="x", zh="某", load=Load(batch=1, max_batch=8, max_delay_s=0.002, concurrency=4, instances=2))
    told = " ".join(command(load, replace(made, measurements=(served,))))
    assert told.endswith(
        "--scenario server --rate 200 --batch 1 --concurrency 4 --instances 2 --max-batch 8 --max-delay 2ms --quick"
    )
    assert "--scenario" not in command(load, factory.failed())
