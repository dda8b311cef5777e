"""The part of the page that one report has: verdict, compilation, accuracy and drift, passes, environment."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from accelbench.model import Artifact, Build, Report, Tolerance
from accelbench.page import units
from accelbench.page.blocks import Fact, facts, folded, grid, mapping
from accelbench.page.entry import Entry
from accelbench.page.markup import Content, Markup, join, tag
from accelbench.page.section_passes import passes_part
from accelbench.page.section_quality import quality_part
from accelbench.page.tuning import tuning_part
from accelbench.page.words import plain, text

SHORT = 12
"""Digits of a hash in running text; the whole hash is in the chain of custody."""


def section(entry: Entry) -> Markup:
    """All facts of one report, as a section with the entry's anchor."""
    report = entry.report
    target = report.target
    heading = f"{target.backend} · {target.device} · {target.precision}"
    passes = "+".join(target.passes)
    label = ", ".join(part for part in (report.task.id, heading, passes) if part)
    return tag(
        "section",
        tag(
            "header",
            tag("h3", report.task.id, " ", tag("small", f"v{report.task.version}", class_="note")),
            tag("span", heading, class_="on"),
            tag("span", text("passes.before", passes=passes), class_="tag") if passes else None,
            tag("span", text("tuned", seconds=f"{target.tune_s:g}"), class_="tag") if target.tune_s else None,
            tag("span", text("indicative"), class_="tag warn") if report.effort == "quick" else None,
        ),
        _strip(entry),
        _facts(report),
        _compilation(report),
        quality_part(entry),
        passes_part(entry),
        _environment(report),
        _reproduction(entry),
        class_="report", id=entry.anchor, data_domain=report.task.domain, aria_label=label,
    )  # fmt: skip


def _strip(entry: Entry) -> Markup:
    reasons = entry.rows[0].reasons
    return tag(
        "div",
        tag("strong", text(f"strip.{entry.outcome}"), class_=f"is {entry.outcome}"),
        tag("ul", [tag("li", reason) for reason in reasons]) if reasons else None,
        tag("p", text("untested"), class_="note") if entry.report.untested else None,
        class_=f"verdict {entry.outcome}",
    )


def _facts(report: Report) -> Markup:
    pairs: list[Fact] = []
    if report.device is not None:
        pairs.append((text("fact.device"), report.device.name, report.device.id))
    if report.builds:
        executed = sorted({build.compiled.executed_precision for build in report.builds})
        pairs.append((text("fact.precision"), f"{report.target.precision} → {', '.join(executed)}", None))
    if report.weights is not None:
        size = text("fact.parameters", count=units.count(report.weights.parameters))
        pairs.append((text("fact.weights"), report.weights.kind, join(report.weights.detail, " · ", size)))
    if report.task.flops is not None:
        pairs.append((text("fact.flops"), units.count(report.task.flops), None))
    task = report.task
    roster = text("fact.roster", roster=task.roster) if task.roster else None
    pairs.append((text("fact.task"), join(task.tier, ", ", text(f"domain.{task.domain}")), roster))
    pairs.append((text("fact.tolerance"), _tolerance(report.tolerance), None))
    return facts(pairs)


def _tolerance(tolerance: Tolerance) -> Content:
    limits = [
        ("L2 ≤ ", tolerance.max_relative_l2, units.tick),
        ("SQNR ≥ ", tolerance.min_sqnr_db, lambda value: f"{units.decibels(value)} dB"),
    ]
    words: list[Content] = [f"{sign}{show(limit)}" for sign, limit, show in limits if limit is not None]
    if tolerance.min_accuracy is not None:
        words.append(join(text("col.accuracy"), f" ≥ {tolerance.min_accuracy:g}"))
    if tolerance.min_agreement is not None:
        words.append(join(text("agreement"), f" ≥ {tolerance.min_agreement:g}"))
    return join(*(join(", " if index else None, word) for index, word in enumerate(words))) or text("fact.none")


def _compilation(report: Report) -> Markup | None:
    if not report.builds and not report.chain:
        return None
    columns = ("form", "seconds", "load", "executed", "nodes", "flops", "fallbacks")
    numeric = {"seconds", "load", "nodes", "flops"}
    head = [tag("th", text(f"compile.{c}"), scope="col", class_="n" if c in numeric else None) for c in columns]
    artifacts = {artifact.sha256: artifact for build in report.builds for artifact in build.artifacts}
    chain = [*report.chain, *(a for sha, a in artifacts.items() if sha not in {c.sha256 for c in report.chain})]
    settings = {k: v for build in report.builds for k, v in build.compiled.settings.items()}
    builds = grid(plain("compile.title"), head, [_build(build) for build in report.builds])
    return join(
        tag("h4", text("compile.title")),
        builds if report.builds else None,
        tuning_part(report),
        folded(text("compile.settings"), mapping(settings)) if settings else None,
        folded(text("compile.chain"), _chain(chain, report.target.passes)) if chain else None,
    )


def _build(build: Build) -> Markup:
    cover = build.coverage
    fallbacks = ", ".join(cover.fallbacks)
    known = cover.nodes is not None
    cells: list[tuple[Content, bool]] = [
        (units.seconds(build.compile_s), True),
        (units.seconds(build.load_s), True),
        (build.compiled.executed_precision, False),
        (units.percent(cover.nodes), True),
        (units.percent(cover.flops), True),
        (fallbacks or ("0" if known else units.ABSENT), False),
    ]
    form = join(text("compile.batch", batch=str(build.batch)), f" · {build.purpose}" if build.purpose else None)
    return tag("tr", tag("th", form, scope="row"), [tag("td", value, class_="n" if n else None) for value, n in cells])


def _chain(artifacts: Sequence[Artifact], passes: Sequence[str]) -> Markup:
    names = {artifact.sha256: artifact.name for artifact in artifacts}
    head = [
        tag("th", text(f"chain.{key}"), scope="col") for key in ("name", "format", "size", "weights", "maker", "sha")
    ]
    body = [
        tag(
            "tr",
            tag("th", a.name, _parent(a, names), scope="row"),
            tag("td", a.format, tag("small", a.precision) if a.precision else None),
            tag("td", units.count(a.size_bytes, "B"), class_="n"),
            tag("td", _contents(a, passes)),
            tag("td", a.maker, tag("small", units.seconds(a.seconds)) if a.seconds is not None else None),
            tag("td", tag("code", a.sha256), class_="hash"),
        )
        for a in artifacts
    ]
    return grid(plain("compile.chain"), head, body)


def _contents(artifact: Artifact, passes: Sequence[str]) -> Content:
    """What was counted in the file's weights; of a compiled file that cannot be read, what was done before."""
    counted = artifact.contents
    if counted is None:
        opaque = passes and artifact.parent is not None and artifact.format != "onnx"
        return text("chain.claimed", passes=" + ".join(passes)) if opaque else units.ABSENT
    kinds = ", ".join(f"{units.count(count)} {kind}" for kind, count in counted.values.items())
    return join(kinds, tag("small", text("chain.counted", zeros=units.percent(counted.sparsity))))


def _parent(artifact: Artifact, names: dict[str, str]) -> Markup | None:
    if artifact.parent is None:
        return None
    return tag("small", text("chain.parent", parent=names.get(artifact.parent, artifact.parent[:SHORT])))


def _environment(report: Report) -> Markup:
    host, environment = report.host, report.environment
    cpus = text("env.cpus", count=str(host.logical_cpus), memory=units.count(host.memory_bytes, "B"))
    pairs: list[Fact] = [
        (text("env.cpu"), host.cpu, cpus),
        (text("env.host"), f"{host.os} · {host.machine}", f"{host.kernel} · Python {host.python}"),
    ]
    packages: Markup | None = None
    if environment is not None:
        pairs.append((text("env.backend"), environment.kind, f"Python {environment.python}"))
        pairs.append((text("env.adapter"), tag("code", environment.adapter_sha256[:SHORT]), None))
        if environment.lock_sha256 is not None:
            pairs.append((text("env.lock"), tag("code", environment.lock_sha256[:SHORT]), None))
        packages = join(tag("h5", text("env.packages")), mapping(dict(environment.packages)))
    return folded(text("env.title"), facts(pairs), packages)


def _reproduction(entry: Entry) -> Markup:
    report = entry.report
    return join(
        tag("h4", text("reproduce.title")),
        tag("pre", tag("code", shlex.join(report.command)), tabindex=0, aria_label=plain("reproduce.title")),
        facts(
            [
                (text("reproduce.raw"), tag("a", "report.json", href=entry.raw), None),
                (text("reproduce.id"), tag("code", report.id[:SHORT]), report.created),
            ]
        ),
    )
