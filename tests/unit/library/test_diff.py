from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.unit.page import factory

from accelbench.compare import Stored
from accelbench.library.diff import FAILURES, KINDS, Diff, counts, diff
from accelbench.measure.compare import apart
from accelbench.measure.stats import Quantile
from accelbench.model import Report, Tolerance

MS = factory.MS


def stored(root: Path, name: str, median_ns: int = 20 * MS, **changes: Any) -> Stored:
    made: Report = replace(factory.report("resnet50", "openvino", "fp32"), id=name * 8, effort="standard", **changes)
    return factory.timed(root, name, made, median_ns)


def kinds(found: Diff) -> list[str]:
    return [each.kind for each in found.changes]


def speeds(found: Diff) -> dict[tuple[str, str], str]:
    return {(each.plan.scenario, each.figure or ""): each.kind for each in found.changes if each.plan}


def test_what_is_surely_slower_than_before_is_slower(tmp_path: Path) -> None:
    found = diff([stored(tmp_path, "a", 20 * MS)], [stored(tmp_path, "b", 30 * MS)])
    assert speeds(found)["single_stream", "p50"] == "slower"
    change = next(each for each in found.changes if each.figure == "p50" and each.kind == "slower")
    assert change.old == pytest.approx(0.02, rel=0.05)
    assert change.new == pytest.approx(0.03, rel=0.05)
    assert change.comparison is not None
    assert change.comparison.ratio == pytest.approx(2 / 3, rel=0.01)
    back = diff([stored(tmp_path, "c", 30 * MS)], [stored(tmp_path, "d", 20 * MS)])
    assert speeds(back)["single_stream", "p50"] == "faster"
    assert found.failures(["slower"])
    assert not back.failures(FAILURES)


def test_a_difference_near_the_margin_is_ambiguous_and_one_within_is_the_same(tmp_path: Path) -> None:
    a, b = stored(tmp_path, "a", 20 * MS), stored(tmp_path, "b", int(20.6 * MS))
    assert speeds(diff([a], [b], margin=0.005))["single_stream", "p50"] == "slower"
    assert speeds(diff([a], [b], margin=0.03))["single_stream", "p50"] == "ambiguous"
    assert speeds(diff([a], [b], margin=0.15))["single_stream", "p50"] == "same"


def test_many_comparisons_widen_each_interval() -> None:
    a, b = Quantile(1.0, 0.99, 1.01), Quantile(1.1, 1.09, 1.11)
    one, many = apart(a, b), apart(a, b, tests=1000)
    assert one is not None
    assert many is not None
    assert one.low is not None
    assert many.low is not None
    assert many.low < one.low
    # 4.0556 = the normal quantile at 1 - 0.025 / 1000
    assert (many.ratio / many.low - 1) / (one.ratio / one.low - 1) == pytest.approx(4.0556 / 1.96, rel=0.02)
    assert apart(a, b, tests=1) == one


def test_the_number_of_comparisons_is_that_of_all_pairs(tmp_path: Path) -> None:
    old = [stored(tmp_path, "a"), stored(tmp_path, "b", task=replace(factory.report("x", "b", "p").task, id="other"))]
    new = [(replace(report, id="n" + report.id), folder) for report, folder in old]
    found = diff(old, new)
    assert (found.compared, found.tests) == (2, 2 * 2 * 3)


def test_a_pass_that_is_not_valid_makes_no_alarm(tmp_path: Path) -> None:
    a, b = stored(tmp_path, "a", 20 * MS), stored(tmp_path, "b", 40 * MS)
    bad = tuple(
        replace(each, audit=replace(each.audit, calibration_after_ns=(200_000,) * 8)) for each in b[0].measurements
    )
    found = diff([a], [(replace(b[0], measurements=bad), b[1])])
    assert set(kinds(found)) <= {"ambiguous", "same"}
    assert any(each.detail and each.detail.startswith("new: instability") for each in found.changes)


def test_a_report_that_fails_now_is_newly_failing(tmp_path: Path) -> None:
    good = stored(tmp_path, "a")
    bad = replace(good[0], id="b" * 8, status="failed", reasons=("worker crashed",), measurements=())
    found = diff([good], [(bad, tmp_path / "none")])
    assert kinds(found) == ["newly_failing"]
    assert found.changes[0].detail == "worker crashed"
    assert found.failures(["failing"])
    assert kinds(diff([(bad, tmp_path / "none")], [good])) == ["newly_passing"]
    assert kinds(diff([(bad, tmp_path / "none")], [(replace(bad, id="c"), tmp_path / "none")])) == []


def test_a_verdict_that_is_out_now_is_newly_failing(tmp_path: Path) -> None:
    quality = factory.quality(factory.drift(tmp_path / "t", 6e-3))
    draft = replace(factory.report("resnet50", "openvino", "bf16"), quality=quality)
    good = factory.timed(tmp_path, "a", replace(draft, tolerance=Tolerance(max_relative_l2=0.1)))
    bad = replace(draft, id="b" * 8, tolerance=Tolerance(max_relative_l2=1e-3))
    assert "newly_failing" in kinds(diff([good], [(bad, good[1])]))


def test_drift_and_scores_that_move_are_told(tmp_path: Path) -> None:
    small, large = (factory.drift(tmp_path / f"{noise}", noise) for noise in (1e-3, 2e-3))
    a = stored(tmp_path, "a", quality=factory.quality(small, accuracy=0.9))
    b = stored(tmp_path, "b", quality=factory.quality(large, accuracy=0.89, agreement=0.99))
    found = diff([a], [b])
    told = {each.kind: (each.figure, each.old, each.new) for each in found.changes if not each.plan}
    assert told["accuracy_down"] == ("accuracy", 0.9, 0.89)
    assert told["accuracy_up"] == ("agreement", 0.9844, 0.99)
    name, old, new = told["drift_up"]
    assert name == "relative_l2"
    assert new == pytest.approx(2 * (old or 0), rel=0.05)
    assert found.failures(["drift"])
    assert found.failures(["accuracy"])
    assert "drift_down" in kinds(diff([b], [a]))


def test_drift_within_rounding_and_other_samples_say_nothing(tmp_path: Path) -> None:
    tiny, smaller = (factory.drift(tmp_path / f"{noise}", noise) for noise in (3e-7, 1e-7))
    a = stored(tmp_path, "a", quality=factory.quality(smaller))
    b = stored(tmp_path, "b", quality=factory.quality(tiny))
    assert not diff([a], [b]).of("drift_up", "drift_down")
    large = factory.quality(factory.drift(tmp_path / "l", 0.1), agreement=0.5)
    other = replace(a[0].task, feeds_sha256="ab" * 32)
    found = diff([a], [stored(tmp_path, "c", quality=large, task=other)])
    assert not found.of("drift_up", "accuracy_down")
    assert ("the samples differ, and with them accuracy and drift") in [note for _, _, note in found.notes]


def test_what_has_no_partner_is_added_or_removed(tmp_path: Path) -> None:
    a = stored(tmp_path, "a")
    b = stored(tmp_path, "b", target=replace(a[0].target, precision="int8"))
    found = diff([a], [b])
    assert [(each.kind, each.target.precision) for each in found.changes] == [("added", "int8"), ("removed", "fp32")]
    assert counts(found.changes) == {**dict.fromkeys(KINDS, 0), "added": 1, "removed": 1}


def test_the_newest_of_several_counts_and_the_same_report_is_the_same(tmp_path: Path) -> None:
    early = stored(tmp_path, "a", created="2026-01-01T00:00:00Z")
    late = stored(tmp_path, "b", created="2026-02-01T00:00:00Z")
    found = diff([late, early, early], [early, late])
    assert (kinds(found), found.older, found.tests) == (["same"], 2, 0)
    assert found.changes[0].figure is None


def test_two_runs_of_equal_speed_raise_no_alarm(tmp_path: Path) -> None:
    alarms = 0
    for seed in range(12):
        sides = []
        for side in range(2):
            made = replace(factory.report("resnet50", "openvino", "fp32"), id=f"{seed}-{side}")
            folder = tmp_path / f"{seed}-{side}"
            for each in made.measurements:
                factory.columns(folder / each.columns, each.queries, 20 * MS, each.plan.batch, seed=2 * seed + side)
            sides.append((made, folder))
        alarms += len(diff(sides[:1], sides[1:]).of("slower", "faster"))
    assert alarms == 0
