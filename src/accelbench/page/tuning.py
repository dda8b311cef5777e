"""What a stack's tuner did, in words and on the page."""

from __future__ import annotations

from collections.abc import Mapping

from accelbench.model import Build, Report, Tuning
from accelbench.page import units
from accelbench.page.blocks import folded, grid
from accelbench.page.markup import Content, Markup, join, tag
from accelbench.page.words import plain, text

UNTUNED = "untuned"


def words(settings: Mapping[str, str]) -> str:
    """``threads=2, spinning=false``; of no settings, that the stack was as it is."""
    return ", ".join(f"{name}={value}" for name, value in settings.items()) or UNTUNED


def changed(tuning: Tuning) -> str:
    """The options that compiling got."""
    return words(tuning.chosen)


def gain(tuning: Tuning) -> str:
    """Seconds per sample of the untuned stack and of what was chosen, by the tuner's clock."""
    if not tuning.chosen or not tuning.compared:
        return units.ABSENT
    return f"{units.seconds(tuning.compared[0].seconds)} → {units.seconds(tuning.compared[-1].seconds)}"


def tuning_part(report: Report) -> Markup | None:
    """A line for each form that was tuned, and all that was compared; nothing where nothing was."""
    done = [(build, build.tuning) for build in report.builds if build.tuning is not None]
    if not done:
        return None
    columns = ("form", "means", "seconds", "trials", "chosen", "gain")
    numeric = ("seconds", "trials", "gain")
    head = [tag("th", text(f"tuning.{c}"), scope="col", class_="n" if c in numeric else None) for c in columns]
    return join(
        tag("h5", text("tuning.title")),
        grid(plain("tuning.title"), head, [_line(build, tuning) for build, tuning in done]),
        tag("p", text("tuning.note"), class_="note"),
        *(folded(join(text("tuning.compared"), " · ", _form(build)), _compared(tuning)) for build, tuning in done),
    )


def _form(build: Build) -> Content:
    return join(text("compile.batch", batch=str(build.batch)), f" · {build.purpose}" if build.purpose else None)


def _line(build: Build, tuning: Tuning) -> Markup:
    over = None if tuning.finished else tag("small", text("tuning.over"))
    return tag(
        "tr",
        tag("th", _form(build), scope="row"),
        tag("td", tuning.means),
        tag("td", units.seconds(build.tune_s), over, class_="n"),
        tag("td", f"{tuning.trials:,}", class_="n"),
        tag("td", tag("code", changed(tuning))),
        tag("td", gain(tuning), class_="n"),
    )


def _compared(tuning: Tuning) -> Markup:
    head = [tag("th", text("tuning.settings"), scope="col"), tag("th", text("tuning.sample"), scope="col", class_="n")]
    lines = [
        tag(
            "tr",
            tag("td", tag("code", words(trial.settings))),
            tag("td", text("tuning.failed") if trial.seconds is None else units.seconds(trial.seconds), class_="n"),
        )
        for trial in tuning.compared
    ]
    return grid(plain("tuning.compared"), head, lines)
