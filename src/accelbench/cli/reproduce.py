"""``accelbench reproduce``: a report's evaluation done again on this machine, and judged figure by figure."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click

from accelbench import paths
from accelbench.bundle import keys, signature
from accelbench.bundle.read import Bundle
from accelbench.bundle.verify import verify
from accelbench.cli.choice import Choice, wanted
from accelbench.cli.compare import plan_words, target_words
from accelbench.cli.data import data_options
from accelbench.cli.output import json_option, listing, print_json, print_table, progress
from accelbench.cli.parsing import RATIO
from accelbench.cli.subjects import Given, make, source_options
from accelbench.envs import install
from accelbench.errors import AccelbenchError
from accelbench.evaluate import Setting
from accelbench.figures.figures import UNITS
from accelbench.library.reproductions import REPRODUCTIONS, put
from accelbench.model import Judged, Report, Reproduction
from accelbench.page import units
from accelbench.report.store import RunDirectory, open_report
from accelbench.reproduce.again import Original, backend, check_subject
from accelbench.reproduce.again import reproduce as again
from accelbench.reproduce.judge import LOOKS
from accelbench.zoo.real import Asked
from accelbench.zoo.subject import KINDS, Subject

ADAPTER = "adapter"


@click.command(no_args_is_help=True)
@click.argument("source", metavar="BUNDLE|REPORT", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--task", "word", metavar="TASK|FOLDER|MODEL.onnx", help="What was evaluated, where it is no task of the zoo."
)
@source_options
@data_options
@click.option(
    "--margin", type=RATIO, help="The difference that does not matter, for all figures. Default: 3 %, of p99 10 %."
)
@click.option("--runs", type=click.IntRange(min=1), default=LOOKS[-1], show_default=True, help="Runs again, at most.")
@click.option("--trust-adapter", is_flag=True, help="Run the bundle's own adapter, where this machine has another.")
@click.option("--key", help="Sign the answer with this key of yours.")
@click.option("--timeout", type=click.FloatRange(min=1), help="Seconds that a worker's step may take.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A new folder for the answer and the reports.")
@json_option
def reproduce(
    source: Path,
    word: str | None,
    given: Given,
    data: Asked | None,
    stages: bool,
    margin: float | None,
    runs: int,
    trust_adapter: bool,
    key: str | None,
    timeout: float | None,
    output: Path | None,
    json_: bool,
) -> int:
    """Rebuild the environment of a report from its lock, compile and run again as it did, and judge each figure:
    reproduced, not reproduced, ambiguous, or not comparable (another machine).

    Runs are repeated while a figure is ambiguous. Exit code 0: nothing is not reproduced. 1: something is not, or a run
    failed. 2: bad usage, or the bundle is not what it was when it was packed.
    """
    private = keys.private(key, keys.keyring()) if key else None
    with _opened(source) as (report, folder):
        spec = backend(report, _adapter(folder), trust_adapter)
        original = Original.read(report, folder)
        with progress() as say:
            install.install(spec, say)
            subject = _subject(report, folder, word, given, data, say)
            check_subject(subject, report)
            run = RunDirectory.create(output)
            told = ("accelbench", *sys.argv[1:])
            setting = Setting(report.effort, (), None, told, timeout, say, stages=stages)
            found = again(original, subject, spec, run, setting, margin=margin, most=runs)
        made = put(run.path, found, signature.sign(private, {"reproduction": found.id}) if private else None)
    if json_:
        print_json({**json.loads(REPRODUCTIONS.encode(found)), "path": str(made)})
    else:
        _print(report, found, made)
    return int(any(each.outcome == "not_reproduced" for each in found.figures))


@contextmanager
def _opened(source: Path) -> Iterator[tuple[Report, Path]]:
    """The report and its folder: that of a bundle is unpacked for as long as it is needed, once nothing is wrong with
    the bundle."""
    if source.is_dir() or source.name.endswith(".json"):
        yield open_report(source)
        return
    bundle = Bundle.open(source)
    faults = verify(bundle)
    if faults:
        raise AccelbenchError(
            f"{source} is not what was packed: {faults[0].path}: {faults[0].problem}"
            + (f" (and {len(faults) - 1} more; see 'accelbench report verify')" if len(faults) > 1 else "")
        )
    with paths.scratch() as room:
        yield open_report(bundle.unpack(room / "bundle"))


def _adapter(folder: Path) -> Path | None:
    return folder / ADAPTER if (folder / ADAPTER).is_dir() else None


def _subject(
    report: Report, folder: Path, word: str | None, given: Given, data: Asked | None, say: Callable[[str], None]
) -> Subject:
    """What the report was about: the task of the zoo with its kind of weights, the bundle's own task, or what is
    named."""
    carried = folder.parent / "task"
    if word is None:
        word = str(carried) if (carried / "task.toml").is_file() else report.task.id
    (chosen,) = wanted((word,), Choice((), (), None))
    if report.weights and given.weights is None and not isinstance(chosen, Path):
        given = replace(given, weights=report.weights.kind if report.weights.kind in KINDS else None)
    if report.weights and isinstance(chosen, Path):
        given = replace(given, seed_weights=report.weights.kind == "seeded")
    return make(chosen, given=given, data=data, say=say)


def _print(report: Report, found: Reproduction, made: Path) -> None:
    click.echo(
        f"{report.task.id} on {target_words(report.target)}: report {report.id[:12]}, run {len(found.by)}× again"
    )
    table = listing("figure", "pass", "first", "again", "ratio", "interval", "margin", "outcome")
    for each in found.figures:
        plan = "" if each.measurement is None else plan_words(report.measurements[each.measurement].plan)
        ratio = units.ABSENT if each.ratio is None else f"{each.ratio:.3f}"
        interval = units.ABSENT if each.low is None else f"{each.low:.3f} to {each.high:.3f}"
        spread = " … ".join(dict.fromkeys(_value(each.name, end) for end in _ends(each)))
        row = (each.name, plan, _value(each.name, each.first), spread, ratio, interval, f"{each.margin:.0%}")
        table.add_row(*row, each.outcome.replace("_", " "))
    print_table(table)
    counts = Counter(each.outcome for each in found.figures)
    click.echo(", ".join(f"{count} {outcome.replace('_', ' ')}" for outcome, count in counts.items()) or "no figures")
    apart = "" if found.outputs_relative_l2 is None else f" (at most {found.outputs_relative_l2:.2g} apart)"
    click.echo(f"Outputs: {found.outputs.replace('_', ' ')}{apart}")
    for line in found.elsewhere:
        click.echo(f"Another machine: {line}")
    for line in dict.fromkeys(reason for each in found.figures for reason in each.reasons if not found.elsewhere):
        click.echo(f"Note: {line}")
    for line in found.differences:
        click.echo(f"Differs: {line}")
    click.echo(f"\nAnswer: {made}")


def _ends(figure: Judged) -> tuple[float, ...]:
    return (min(figure.again), max(figure.again)) if figure.again else ()


def _value(name: str, value: float) -> str:
    if UNITS[name] == "s":
        return units.seconds(value)
    return units.rate(value) if name == "throughput" else f"{value:.4g}"
