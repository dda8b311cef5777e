from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from accelbench.measure.stats import Quantile
from accelbench.page import drawings
from accelbench.page.markup import Markup


def shapes(drawing: Markup, kind: str) -> list[ElementTree.Element]:
    return [e for e in ElementTree.fromstring(drawing).iter() if kind in (e.get("class") or "").split()]


def points(path: ElementTree.Element) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"([\d.]+) ([\d.]+)", path.get("d") or "")]


def test_a_histogram_holds_every_query_and_starts_at_zero() -> None:
    taken = np.array([1.0] * 75 + [2.0] * 25)
    outline = points(shapes(drawings.latency_histogram(taken, {}), "area")[0])
    heights = sorted({round(drawings.BOTTOM - y, 1) for _, y in outline})
    assert heights[0] == 0
    assert heights[2] == pytest.approx(3 * heights[1], abs=0.2)


def test_quantiles_are_marked_at_their_place_with_a_band_where_there_is_an_interval() -> None:
    taken = np.linspace(1.0, 3.0, 101)
    marks = {"p50": Quantile(2.0, 1.5, 2.5), "p99": Quantile(3.0, None, None)}
    drawing = drawings.latency_histogram(taken, marks)
    lines, bands = shapes(drawing, "mark"), shapes(drawing, "interval")
    assert [float(line.get("x1") or 0) for line in lines] == [227, 408]
    assert [(float(b.get("x") or 0), float(b.get("width") or 0)) for b in bands] == [(136.5, 181)]
    assert "p50 2.00" in drawing


def test_equal_latencies_can_be_drawn() -> None:
    taken = np.full(10, 0.02)
    assert shapes(drawings.latency_histogram(taken, {}), "area")
    assert len(shapes(drawings.latency_series(np.zeros(10), taken), "dot")) == 10


def test_the_band_of_a_long_pass_reaches_every_outlier() -> None:
    taken = np.full(10_000, 0.020)
    taken[4321] = 0.070
    drawing = drawings.latency_series(np.linspace(0, 10, 10_000), taken)
    band, median = points(shapes(drawing, "envelope")[0]), points(shapes(drawing, "line")[0])
    assert min(y for _, y in band) == pytest.approx(drawings.TOP, abs=0.1)
    assert len({y for _, y in median}) == 1
    assert "max 70.0" in drawing


def test_single_values_are_seen_in_distributions() -> None:
    edges, counts = [0.0, 1.0, 2.0, 3.0], [100_000, 0, 1]
    area, line = (
        shapes(drawings.value_distributions(edges, counts, counts[::-1]), kind)[0] for kind in ("area", "line")
    )
    third = (drawings.RIGHT - drawings.LEFT) / 3
    middle = [
        (round(drawings.LEFT + third, 1), drawings.BOTTOM),
        (round(drawings.LEFT + 2 * third, 1), drawings.BOTTOM),
    ]
    assert set(middle) <= set(points(area))
    tops = {y for x, y in points(area) if x > 300} - {drawings.BOTTOM}
    assert tops
    assert all(y < drawings.BOTTOM - 3 for y in tops)
    assert points(area) != points(line)


def test_nothing_finite_is_said_and_not_drawn() -> None:
    assert "<svg" not in drawings.value_distributions([], [], [])
    assert "<svg" not in drawings.error_distribution([-1.0, 1.0], [0])


def test_figures_speak_to_those_who_do_not_see_them() -> None:
    root = ElementTree.fromstring(drawings.error_distribution([-1.0, 0.0, 1.0], [3, 4]))
    assert root.get("role") == "img"
    assert [child.tag for child in root][:2] == ["title", "desc"]
    assert "n = 7" in (root.get("aria-label") or "")


def test_a_bar_is_as_long_as_its_share() -> None:
    assert [shapes(drawings.bar(share), "fill")[0].get("width") for share in (0.25, 7.0)] == ["25", "100"]
