"""Figures as inline SVG: drawn from stored bins and raw columns, coloured by the page's style, readable without it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelbench.measure.stats import Quantile
from accelbench.page import units
from accelbench.page.axis import Axis, spanning
from accelbench.page.markup import Content, Markup, join, tag
from accelbench.page.words import plain, text

Values = NDArray[np.floating[Any]]
Point = tuple[float, float]

WIDTH, HEIGHT = 420, 210
LEFT, RIGHT, TOP, BOTTOM = 46, 408, 14, 172
MOST_BINS, BUCKETS = 60, 180


def latency_histogram(latencies_s: Values, marks: Mapping[str, Quantile]) -> Markup:
    """Counts of the latencies (s) in bins of equal width on the axis; every query is inside. ``marks`` are named
    quantiles: a line each, and a band for the interval where there is one."""
    across = spanning(float(latencies_s.min()), float(latencies_s.max()), LEFT, RIGHT)
    bins = min(MOST_BINS, max(8, math.isqrt(latencies_s.size)))
    pixels = np.array([across(value) for value in latencies_s])
    counts, edges = np.histogram(pixels, bins=bins, range=(LEFT, RIGHT))
    up = Axis(0, float(counts.max()), BOTTOM, TOP + 44)
    drawn = [
        _band(across, marks),
        tag("path", d=_steps(edges.tolist(), [up(n) for n in counts]) + "Z", class_="area output"),
        _marks(across, marks),
    ]
    summary = ", ".join(f"{name} {units.seconds(mark.value_s)}" for name, mark in marks.items())
    return _figure(
        plain("figure.latency"),
        f"n = {latencies_s.size}; {summary}",
        [*_across(across, units.tick_seconds, "axis.latency"), *_up(up, units.tick, "axis.queries", 2), *drawn],
    )


def latency_series(since_s: Values, latencies_s: Values) -> Markup:
    """Latency (s) over the time since the pass began (s). With many queries each stretch of time shows its median in
    the band from its smallest to its largest latency, so no outlier is lost."""
    across = Axis(0, float(since_s.max()) or 1.0, LEFT, RIGHT)
    low, high = float(latencies_s.min()), float(latencies_s.max())
    up = spanning(low, high, BOTTOM, TOP)
    if not up.log:
        up = Axis(0, high or 1.0, BOTTOM, TOP)
    if since_s.size <= BUCKETS * 2:
        drawn = [
            tag("circle", cx=_px(across(x)), cy=_px(up(y)), r=1.8, class_="dot")
            for x, y in zip(since_s.tolist(), latencies_s.tolist(), strict=True)
        ]
    else:
        drawn = _envelope(across, up, since_s, latencies_s)
    return _figure(
        plain("figure.series"),
        f"n = {latencies_s.size}; min {units.seconds(low)}, max {units.seconds(high)}",
        [*_across(across, units.tick_seconds, "axis.time"), *_up(up, units.tick_seconds, "axis.latency", 4), *drawn],
    )


def value_distributions(edges: Sequence[float], reference: Sequence[int], output: Sequence[int]) -> Markup:
    """The reference's values as an area and the backend's as a line over it; counts by logarithm, so that single
    values in the tails are seen."""
    return _distributions("figure.values", "axis.value", edges, {"reference": reference, "output": output})


def error_distribution(edges: Sequence[float], errors: Sequence[int]) -> Markup:
    """The distribution of the signed error, backend − reference; counts by logarithm."""
    return _distributions("figure.error", "axis.error", edges, {"error": errors})


def bar(share: float) -> Markup:
    """A small bar of ``share`` (0 … 1) of the width, for the cell of a table."""
    return tag(
        "svg",
        tag("rect", width=100, height=4, rx=2, class_="track"),
        tag("rect", width=_px(100 * min(max(share, 0.0), 1.0)), height=4, rx=2, class_="fill"),
        viewBox="0 0 100 4", class_="bar", preserveAspectRatio="none", aria_hidden="true",
    )  # fmt: skip


def _distributions(title: str, label: str, edges: Sequence[float], series: Mapping[str, Sequence[int]]) -> Markup:
    total = sum(max(counts, default=0) for counts in series.values())
    if len(edges) < 2 or not total:
        return tag("p", text("figure.empty"), class_="note")
    across = Axis(edges[0], edges[-1], LEFT, RIGHT)
    highest = max(max(counts) for counts in series.values())
    up = Axis(0.5, max(highest, 10) * 1.5, BOTTOM, TOP, log=True)
    positions = [across(edge) for edge in edges]
    drawn = [
        tag("path", d=_steps(positions, [up(n) if n else BOTTOM for n in counts]) + ("" if name == "output" else "Z"),
            class_=f"{'line' if name == 'output' else 'area'} {name}")
        for name, counts in series.items()
    ]  # fmt: skip
    summary = "; ".join(f"{name}: n = {sum(counts)}" for name, counts in series.items())
    summary += f"; {units.number(edges[0])} … {units.number(edges[-1])}"
    grid = [*_across(across, units.tick, label), *_up(up, units.tick, "axis.count", 3)]
    return _figure(plain(title), summary, [*grid, *drawn])


def _figure(title: str, summary: str, contents: Sequence[Content]) -> Markup:
    return tag(
        "svg",
        tag("title", title),
        tag("desc", summary),
        *contents,
        viewBox=f"0 0 {WIDTH} {HEIGHT}", class_="figure", role="img", aria_label=f"{title}: {summary}",
    )  # fmt: skip


def _across(axis: Axis, show: Callable[[float], str], label: str) -> list[Markup]:
    ticks = [(axis(value), show(value)) for value in axis.ticks()]
    return _foot(ticks, label)


def _foot(ticks: Sequence[tuple[float, str]], label: str) -> list[Markup]:
    parts = [tag("line", x1=LEFT, x2=RIGHT, y1=BOTTOM, y2=BOTTOM, class_="axis")]
    for x, words in ticks:
        parts.append(tag("line", x1=_px(x), x2=_px(x), y1=BOTTOM, y2=BOTTOM + 4, class_="axis"))
        anchor = "end" if x > RIGHT - 16 else "middle"
        parts.append(tag("text", words, x=_px(x), y=BOTTOM + 17, text_anchor=anchor))
    parts.append(
        tag("text", text(label, "tspan"), x=(LEFT + RIGHT) / 2, y=HEIGHT - 4, text_anchor="middle", class_="l")
    )
    return parts


def _up(axis: Axis, show: Callable[[float], str], label: str, wanted: int) -> list[Markup]:
    parts: list[Markup] = []
    for value in axis.ticks(wanted):
        y = _px(axis(value))
        parts.append(tag("line", x1=LEFT, x2=RIGHT, y1=y, y2=y, class_="grid"))
        parts.append(tag("text", show(value), x=LEFT - 5, y=_px(axis(value) + 4), text_anchor="end"))
    parts.append(tag("text", text(label, "tspan"), x=2, y=TOP - 4, class_="l"))
    return parts


def _band(axis: Axis, marks: Mapping[str, Quantile]) -> Markup:
    parts: list[Markup] = []
    for mark in marks.values():
        if mark.low_s is not None and mark.high_s is not None:
            x, width = axis(mark.low_s), max(1.0, axis(mark.high_s) - axis(mark.low_s))
            parts.append(tag("rect", x=_px(x), width=_px(width), y=TOP, height=BOTTOM - TOP, class_="interval"))
    return join(parts)


def _marks(axis: Axis, marks: Mapping[str, Quantile]) -> Markup:
    parts: list[Markup] = []
    for row, (name, mark) in enumerate(marks.items()):
        x, y = axis(mark.value_s), TOP + 10 + 14 * row
        parts.append(tag("line", x1=_px(x), x2=_px(x), y1=y - 9, y2=BOTTOM, class_="mark"))
        left = x > (LEFT + RIGHT) / 2
        parts.append(
            tag("text", f"{name} {units.seconds(mark.value_s)}", x=_px(x - 4 if left else x + 4), y=y,
                text_anchor="end" if left else "start", class_="m")
        )  # fmt: skip
    return join(parts)


def _envelope(across: Axis, up: Axis, since_s: Values, latencies_s: Values) -> list[Markup]:
    bucket = np.minimum((since_s / across.high * BUCKETS).astype(np.int64), BUCKETS - 1)
    order = np.argsort(bucket, kind="stable")
    starts = np.flatnonzero(np.diff(bucket[order], prepend=-1))
    groups = np.split(latencies_s[order], starts[1:])
    x = [across((float(bucket[order][start]) + 0.5) * across.high / BUCKETS) for start in starts]
    top = [(px, up(float(group.max()))) for px, group in zip(x, groups, strict=True)]
    low = [(px, up(float(group.min()))) for px, group in zip(x, groups, strict=True)]
    middle = [(px, up(float(np.median(group)))) for px, group in zip(x, groups, strict=True)]
    return [
        tag("path", d=_polyline([*top, *reversed(low)]) + "Z", class_="envelope"),
        tag("path", d=_polyline(middle), class_="line output"),
    ]


def _polyline(points: Sequence[Point]) -> str:
    return "M" + "L".join(f"{_px(x)} {_px(y)}" for x, y in points)


def _steps(edges: Sequence[float], tops: Sequence[Any]) -> str:
    """The outline of a histogram from the base line over the tops and back to the base line."""
    points = [(edges[0], float(BOTTOM))]
    for (left, right), top in zip(itertools.pairwise(edges), tops, strict=True):
        points += [(left, top), (right, top)]
    return _polyline([*points, (edges[-1], float(BOTTOM))])


def _px(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
