from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.unit.page import factory

from accelbench import model
from accelbench.figures.figures import BETTER, TAILS, UNITS, Figure, figures, figures_of
from accelbench.figures.passes import passes


def by_name(found: list[Figure], measurement: int | None) -> dict[str, Figure]:
    return {each.name: each for each in found if each.measurement == measurement}


def test_each_pass_has_its_figures_and_the_report_its_own(tmp_path: Path) -> None:
    made, folder = factory.timed(tmp_path, "a", factory.report("resnet50", "openvino", "fp32"))
    quality = factory.quality(factory.drift(tmp_path, 1e-3), accuracy=0.75, agreement=0.9)
    made = replace(made, quality=quality)
    found = figures(made, folder)
    whole = by_name(found, None)
    assert whole["accuracy"].value == 0.75
    assert whole["agreement"].value == 0.9
    assert whole["compile_s"].value == made.builds[0].compile_s
    assert 0 < whole["relative_l2"].value < 0.01
    for position, timed in enumerate(passes(made, folder)):
        mine = by_name(found, position)
        assert timed.summary is not None
        assert mine["throughput"].value == timed.summary.throughput
        median = timed.summary.quantiles["p50"]
        assert median is not None
        assert (mine["latency_p50_s"].low, mine["latency_p50_s"].high) == (median.low_s, median.high_s)
        assert mine["latency_p50_s"].against == timed.validity


def test_figures_are_those_of_passes_read_whole(tmp_path: Path) -> None:
    made, folder = factory.timed(tmp_path, "a", factory.report("resnet50", "openvino", "fp32"))
    assert figures(made, folder) == figures_of(made, passes(made, folder))
    assert not any(each.telemetry for each in passes(made, folder, TAILS))


def test_what_was_not_measured_is_not_there(tmp_path: Path) -> None:
    assert figures(factory.failed(), tmp_path) == []
    untimed = replace(factory.report("resnet50", "openvino", "fp32"), measurements=())
    assert {each.name for each in figures(untimed, tmp_path)} == {"compile_s", "size_bytes"}
    lost = factory.report("resnet50", "openvino", "fp32")  # its columns are not on this disk
    assert {each.measurement for each in figures(lost, tmp_path)} == {None}


def test_every_figure_has_a_unit_and_a_direction_where_there_is_one() -> None:
    assert UNITS.keys() - BETTER.keys() == {"sparsity"}
    assert not BETTER.keys() - UNITS.keys()


def test_sparsity_is_that_of_the_last_file_that_can_be_read(tmp_path: Path) -> None:
    made = factory.report("resnet50", "openvino", "fp32")
    counted = replace(made.chain[0], contents=model.Contents({"float32": 8}, 2))
    pruned = replace(made.chain[0], contents=model.Contents({"float32": 8}, 6))
    made = replace(made, chain=(counted, pruned), measurements=())
    assert by_name(figures(made, tmp_path), None)["sparsity"].value == 0.75
