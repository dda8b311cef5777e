"""What the accuracy pass showed: scores, drift of every output, and its distributions."""

from __future__ import annotations

from accelbench.model import DriftSums, Quality, Score
from accelbench.page import drawings, units
from accelbench.page.blocks import Fact, facts, figure, folded, grid
from accelbench.page.entry import Entry
from accelbench.page.markup import Content, Markup, join, tag
from accelbench.page.section_data import data_facts, stages_part
from accelbench.page.words import plain, text
from accelbench.quality import drift
from accelbench.quality.drift import DriftFigures


def quality_part(entry: Entry) -> Markup | None:
    """Accuracy or agreement, and drift; nothing where there was no accuracy pass."""
    quality = entry.report.quality
    if quality is None:
        return None
    return join(
        tag("h4", text("quality.title")),
        data_facts(entry.report.data),
        _scores(quality),
        _warnings(quality),
        _drift(quality),
        stages_part(entry.rows[0].stages),
    )


def _scores(quality: Quality) -> Markup:
    ours = quality.scores or (quality.accuracy,)
    theirs = quality.reference_scores or (quality.reference_accuracy,)
    scores: list[tuple[str, Score | None]] = [
        *(("quality.accuracy", score) for score in ours),
        *(("quality.reference", score) for score in theirs),
        ("quality.agreement", quality.agreement),
    ]
    pairs: list[Fact] = [
        (text(key, name=score.name), units.fraction(score.value), _error(score))
        for key, score in scores
        if score is not None
    ]
    return facts(pairs or [(text("col.accuracy"), units.ABSENT, None)])


def _error(score: Score) -> Markup:
    if score.standard_error is None:
        return text("quality.samples", count=str(score.samples))
    return text("quality.error", error=units.fraction(score.standard_error), count=str(score.samples))


def _warnings(quality: Quality) -> Markup | None:
    found = [
        text("quality.unready", count=str(quality.unready)) if quality.unready else None,
        text("quality.constant") if quality.constant else None,
    ]
    items = [tag("li", words) for words in found if words]
    return tag("ul", items, class_="warnings") if items else None


def _drift(quality: Quality) -> Markup | None:
    if not quality.drift:
        return None
    columns = ("drift.output", "col.drift", "col.sqnr", "drift.cosine", "drift.max", "drift.ulp", "drift.equal",
               "drift.nonfinite")  # fmt: skip
    head = [tag("th", text(key), scope="col", class_="n" if index else None) for index, key in enumerate(columns)]
    all_figures = [drift.figures(sums) for sums in quality.drift]
    body = [_line(sums, one) for sums, one in zip(quality.drift, all_figures, strict=True)]
    worst = drift.worst(quality).output
    ordered = sorted(quality.drift, key=lambda sums: sums.output != worst)
    return join(
        grid(plain("quality.title"), head, body),
        _pictures(ordered[0]),
        [folded(text("drift.more", output=sums.output), _pictures(sums)) for sums in ordered[1:]],
    )


def _line(sums: DriftSums, one: DriftFigures) -> Markup:
    equal = sums.bit_equal / sums.count if sums.count else None
    cosine = units.ABSENT if one.cosine is None else f"{one.cosine:.7f}"
    compared = sums.mismatch is None
    nonfinite: list[Content] = [f"{one.nan_count} / {one.inf_count}" if compared else units.ABSENT]
    if sums.nan_reference or sums.inf_reference:
        counts = text("drift.of.reference", nan=str(sums.nan_reference), inf=str(sums.inf_reference))
        nonfinite.append(tag("small", counts))
    cells: list[Content] = [
        units.small(one.relative_l2),
        units.sqnr(one.sqnr_db, one.relative_l2),
        cosine,
        units.small(one.max_abs),
        units.ABSENT if one.max_ulp is None else units.count(one.max_ulp),
        units.percent(equal),
        join(*nonfinite),
    ]
    name = tag("th", sums.output, tag("small", sums.mismatch) if sums.mismatch else None, scope="row")
    return tag("tr", name, [tag("td", cell, class_="n") for cell in cells])


def _pictures(sums: DriftSums) -> Markup:
    key = join(
        tag("span", text("key.reference"), class_="key reference"), tag("span", text("key.output"), class_="key output")
    )
    error = (
        drawings.error_distribution(sums.signed_error_edges, sums.signed_error_bins)
        if sums.signed_error_edges
        else tag("p", text("figure.exact" if sums.finite else "figure.empty"), class_="note")
    )
    return tag(
        "div",
        figure(
            join(text("figure.values"), ": ", sums.output), key,
            drawings.value_distributions(sums.value_edges, sums.reference_bins, sums.output_bins),
        ),
        figure(text("figure.error"), text("figure.error.note"), error),
        class_="figures",
    )  # fmt: skip
