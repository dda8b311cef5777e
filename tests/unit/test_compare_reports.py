from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.page import factory

from accelbench.compare import STATISTICS, Stored, compare, match
from accelbench.model import Measurement, Plan, Report, Stop

MS = factory.MS


def stored(root: Path, name: str, median_ns: int = 20 * MS, backend: str = "openvino", **changes: object) -> Stored:
    made: Report = replace(factory.report("resnet50", backend, "fp32"), **changes)  # type: ignore[arg-type]
    return factory.timed(root, name, made, median_ns)


def test_one_report_of_a_task_on_each_side_makes_a_pair_whatever_the_target(tmp_path: Path) -> None:
    a, b = stored(tmp_path, "a"), stored(tmp_path, "b", backend="onnxruntime")
    assert match([a], [b]) == ([(a, b)], [], [])


def test_of_several_reports_those_of_the_same_target_make_pairs(tmp_path: Path) -> None:
    a = [stored(tmp_path, "a1"), stored(tmp_path, "a2", backend="onnxruntime")]
    b = [stored(tmp_path, "b1", backend="faulty"), stored(tmp_path, "b2")]
    assert match(a, b) == ([(a[0], b[1])], [a[1]], [b[0]])


def test_another_version_of_a_task_is_another_task(tmp_path: Path) -> None:
    a = stored(tmp_path, "a")
    b = stored(tmp_path, "b", task=replace(a[0].task, version=2))
    assert match([a], [b]) == ([], [a], [b])


def test_half_the_time_is_twice_as_fast_in_every_statistic_that_is_carried(tmp_path: Path) -> None:
    pair = compare(stored(tmp_path, "a", 10 * MS), stored(tmp_path, "b", 20 * MS))
    single = next(each for each in pair.plans if each.plan.scenario == "single_stream")
    for name in ("p50", "throughput"):
        found = single.figures[name].comparison
        assert found is not None
        assert found.outcome == "faster"
        assert found.ratio == pytest.approx(2.0, rel=1e-3)
        assert found.low is not None
        assert found.high is not None
        assert found.low < 2.0 < found.high
    assert single.figures["p99"].a is not None
    assert single.figures["p99"].comparison is None, "900 queries cannot carry the interval of p99"
    assert single.figures["throughput"].b == pytest.approx(50.0, rel=0.1)


def test_the_other_way_round_it_is_slower_by_the_inverse(tmp_path: Path) -> None:
    a, b = stored(tmp_path, "a", 10 * MS), stored(tmp_path, "b", 20 * MS)
    there, back = compare(a, b).plans[0].figures["p50"].comparison, compare(b, a).plans[0].figures["p50"].comparison
    assert there is not None
    assert back is not None
    assert (there.outcome, back.outcome) == ("faster", "slower")
    assert back.ratio == pytest.approx(1 / there.ratio)


def test_a_report_is_the_same_as_itself_within_a_margin_wider_than_its_interval(tmp_path: Path) -> None:
    a = stored(tmp_path, "a")
    found = compare(a, a, margin=0.5)
    outcomes = {
        each.figures[name].comparison.outcome  # type: ignore[union-attr]
        for each in found.plans
        for name in STATISTICS
        if each.figures[name].comparison
    }
    assert outcomes == {"same"}
    narrow = compare(a, a, margin=1e-6).plans[0].figures["p50"].comparison
    assert narrow is not None
    assert (narrow.outcome, narrow.ratio) == ("ambiguous", 1.0)


def test_plans_without_a_partner_are_listed(tmp_path: Path) -> None:
    a = stored(tmp_path, "a")
    measured: tuple[Measurement, ...] = a[0].measurements
    served = replace(measured[1], plan=Plan("server", Stop(max_s=1.0), batch=8, rate=20.0))
    b = stored(tmp_path, "b", measurements=(measured[0], served))
    found = compare(a, b)
    assert [each.plan.scenario for each in found.plans] == ["single_stream"]
    assert [[plan.scenario for plan in plans] for plans in found.unmatched] == [["offline"], ["server"]]


def test_how_long_a_pass_took_makes_no_other_plan(tmp_path: Path) -> None:
    a = stored(tmp_path, "a")
    longer = [replace(each, plan=replace(each.plan, stop=Stop(max_s=99.0))) for each in a[0].measurements]
    assert len(compare(a, stored(tmp_path, "b", measurements=tuple(longer))).plans) == 2


def test_other_samples_are_noted(tmp_path: Path) -> None:
    a = stored(tmp_path, "a")
    real = replace(a[0].task, feeds_sha256="ab" * 32)
    note = "the samples differ, and with them accuracy and drift"
    assert note in compare(a, stored(tmp_path, "b", task=real)).notes
    assert note not in compare(a, stored(tmp_path, "c")).notes


def test_a_failed_report_compares_nothing_and_says_so(tmp_path: Path) -> None:
    a = stored(tmp_path, "a")
    found = compare(a, (factory.failed("resnet50"), tmp_path / "none"))
    assert found.plans == ()
    assert "B is failed" in found.notes
    assert found.quality["accuracy"] == (None, None)


def test_lost_columns_are_no_figures_and_a_reason(tmp_path: Path) -> None:
    a = stored(tmp_path, "a")
    found = compare(a, (a[0], tmp_path / "moved"))
    figure = found.plans[0].figures["p50"]
    assert (figure.b, figure.comparison) == (None, None)
    assert found.plans[0].invalid[1]


def test_quality_is_that_of_both(tmp_path: Path) -> None:
    fine = factory.quality(factory.drift(tmp_path / "t", 1e-3), accuracy=0.9)
    found = compare(stored(tmp_path, "a", quality=fine), stored(tmp_path, "b"))
    assert found.quality["accuracy"] == (0.9, None)
    drift, none = found.quality["relative_l2"]
    assert drift is not None
    assert 0 < drift < 1e-2
    assert none is None
