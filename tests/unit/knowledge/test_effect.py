"""What two reports show of a change."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.knowledge.test_match import recipe
from tests.unit.page import factory

from accelbench import model
from accelbench.errors import UsageError
from accelbench.figures.figures import figures
from accelbench.knowledge.catalogue import recipes
from accelbench.knowledge.effect import Side, Value, measured, missing, outcome, side
from accelbench.knowledge.evidence import Evidence, problems, same, shown
from accelbench.knowledge.recipe import Effect, Recipe, Shown
from accelbench.knowledge.words import effect_words

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("name", "before", "after", "expected"),
    [
        ("latency_p50_s", Value(2.0, 1.9, 2.1), Value(1.0, 0.9, 1.1), "better"),
        ("latency_p50_s", Value(1.0, 0.9, 1.1), Value(2.0, 1.9, 2.1), "worse"),
        ("latency_p50_s", Value(2.0, 1.0, 2.1), Value(1.0, 0.9, 1.1), "same"),
        ("latency_p50_s", Value(2.0), Value(1.0), "same"),
        ("latency_p50_s", Value(1.02, 1.019, 1.021), Value(1.0, 0.999, 1.001), "same"),
        ("latency_p50_s", Value(2.0, 1.9, 2.1, against=("stalled",)), Value(1.0, 0.9, 1.1), "same"),
        ("throughput", Value(1.0, 0.9, 1.1), Value(2.0, 1.9, 2.1), "better"),
        ("accuracy", Value(0.90, error=0.01), Value(0.95, error=0.01), "better"),
        ("accuracy", Value(0.95, error=0.01), Value(0.90, error=0.01), "worse"),
        ("accuracy", Value(0.90, error=0.02), Value(0.95, error=0.02), "same"),
        ("relative_l2", Value(0.04), Value(0.03), "better"),
        ("relative_l2", Value(0.0), Value(2e-7), "same"),
        ("relative_l2", Value(0.0), Value(2e-3), "worse"),
        ("sqnr_db", Value(25.0), Value(38.0), "better"),
        ("sqnr_db", Value(37.0), Value(38.0), "same"),
        ("size_bytes", Value(100.0), Value(30.0), "better"),
        ("compile_s", Value(0.1), Value(0.9), "same"),
        ("compile_s", Value(1.0), Value(40.0), "worse"),
        ("status", Value("unsupported"), Value("ok"), "better"),
        ("status", Value("ok"), Value("failed"), "worse"),
        ("status", Value("unsupported"), Value("failed"), "same"),
        ("non_finite", Value(5.0), Value(0.0), "better"),
        ("non_finite", Value(5.0), Value(3.0), "same"),
    ],
)
def test_a_figure_is_better_only_where_it_surely_is(name: str, before: Value, after: Value, expected: str) -> None:
    assert outcome(name, before, after) == expected


def sides(tmp_path: Path) -> tuple[Side, Side]:
    """The same task twice: twice as fast, with ten times the drift."""
    made = factory.report("resnet50", "openvino", "bf16")
    fine = replace(made, quality=factory.quality(factory.drift(tmp_path / "a", 2e-3), accuracy=0.9))
    far = replace(made, id="9" * 64, quality=factory.quality(factory.drift(tmp_path / "b", 2e-2), accuracy=0.9))
    first, second = factory.timed(tmp_path, "1", fine), factory.timed(tmp_path, "2", far, 10 * factory.MS)
    return side(first[0], figures(*first)), side(second[0], figures(*second))


def test_what_got_better_is_told_with_what_it_cost(tmp_path: Path) -> None:
    before, after = sides(tmp_path)
    wish = [{"figure": "latency_p50_s", "scenario": "single_stream"}]
    found = measured(recipe(shows=wish), before, after)
    assert (found.before, found.after) == ("5f0c" * 3, "9" * 12)
    assert found.stack == ("openvino 2026.4.1",) * 2
    assert [each.figure for each in found.effects] == ["latency_p50_s"]
    assert found.effects[0].ratio == pytest.approx(10 / 21, rel=0.02)
    assert [each.figure for each in found.costs] == ["relative_l2"]
    assert found.costs[0].ratio == pytest.approx(10, rel=0.02)
    assert missing(Shown(figure="latency_p50_s", scenario="single_stream"), before, after) is None
    assert "same after the change" in (missing(Shown(figure="accuracy"), before, after) or "")
    assert "worse after the change" in (missing(Shown(figure="relative_l2"), before, after) or "")
    assert "not in both" in (missing(Shown(figure="latency_p50_s", scenario="server"), before, after) or "")
    held = {**before.values, ("latency_p50_s", "single_stream"): Value(1.0, 0.9, 1.1, against=("stalled",))}
    told = missing(Shown(figure="latency_p50_s", scenario="single_stream"), Side(before.report, held), after)
    assert told == "latency_p50_s of single_stream: a pass is not valid (stalled)"


def shipped() -> tuple[Recipe, Evidence]:
    return recipes()["prune-accuracy"], Evidence(ROOT / "examples" / "reports")


def wrong(**told: object) -> list[str]:
    made, evidence = shipped()
    changed = made.model_copy(update=told)
    changed.__dict__.pop("conditions", None)  # what was computed of the recipe as it was
    return list(problems(changed, evidence))


def test_a_recipe_that_says_what_its_reports_do_not_show_is_wrong() -> None:
    made, _ = shipped()
    effect = made.measured[0].effects[0].model_copy(update={"after": 0.9999})
    lying = made.measured[0].model_copy(update={"effects": (effect, *made.measured[0].effects[1:])})
    assert wrong() == []
    assert wrong(measured=(lying,)) == ["measured: this is not what the reports show; run `python tools/knowledge.py`"]
    assert any("accuracy is worse" in line for line in wrong(evidence=(made.evidence[0][::-1],)))
    assert any("no bundle of report" in line for line in wrong(evidence=(("0" * 12, "1" * 12),)))
    assert any(
        "the change makes" in line for line in wrong(change=made.change.model_copy(update={"passes": ("bf16",)}))
    )
    assert any("does not apply to the report before" in line for line in wrong(stacks=("mnn",)))
    assert any("applies to the report after" in line for line in wrong(when=made.when[:1]))
    assert wrong(title=made.title.model_copy(update={"zh": "Prune less"})) == ["title: it is not in both languages"]


def test_a_bundle_that_is_not_what_it_was_is_no_evidence(tmp_path: Path) -> None:
    made, evidence = shipped()
    for path in evidence.folder.glob("*.zip"):
        if any(path.stem.endswith(id12) for id12 in made.evidence[0]):
            data = bytearray(path.read_bytes())
            data[len(data) // 2] ^= 1
            (tmp_path / path.name).write_bytes(data)
    with pytest.raises(UsageError):
        shown(made, Evidence(tmp_path))
    assert len(list(problems(made, Evidence(tmp_path)))) == 1


def test_figures_of_another_machine_may_be_off_by_rounding() -> None:
    made, _ = shipped()
    stated = made.measured[0]
    near = stated.effects[0].model_copy(update={"after": float(stated.effects[0].after) * 1.0001})
    assert same(stated, stated.model_copy(update={"effects": (near, *stated.effects[1:])}))
    assert not same(stated, stated.model_copy(update={"effects": stated.effects[1:]}))
    assert not same(stated, stated.model_copy(update={"after": "0" * 12}))


@pytest.mark.parametrize(
    ("effect", "en", "zh"),
    [
        (
            Effect(figure="latency_p50_s", scenario="single_stream", before=0.0559, after=0.000207, ratio=0.003703),
            "p50, single stream: 55.9 ms → 207 µs (×0.0037)",
            "p50，单流：55.9 ms → 207 µs (×0.0037)",
        ),
        (
            Effect(figure="accuracy", before=0.6574, after=0.9889, ratio=1.5),
            "accuracy: 0.6574 → 0.9889",
            "精度：0.6574 → 0.9889",
        ),
        (
            Effect(figure="status", before="unsupported", after="ok"),
            "status: unsupported → ok",
            "状态：unsupported → ok",
        ),
        (
            Effect(figure="size_bytes", before=1.1e6, after=3e5, ratio=0.27),
            "size: 1.10 MB → 300 kB (×0.27)",
            "大小：1.10 MB → 300 kB (×0.27)",
        ),
        (
            Effect(figure="relative_l2", before=0.0, after=2e-5),
            "drift (relative L2): 0 → 2e-05",
            "漂移（相对 L2）：0 → 2e-05",
        ),
    ],
)
def test_effects_in_words(effect: Effect, en: str, zh: str) -> None:
    assert (effect_words(effect, "en"), effect_words(effect, "zh")) == (en, zh)


def test_status_of_a_report_without_quality_is_a_figure() -> None:
    found = side(factory.failed("a", "unsupported"), [])
    assert dict(found.values) == {("status", None): Value("unsupported")}
    assert isinstance(found.report, model.Report)
