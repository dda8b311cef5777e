"""``accelbench self-test``: what the harness costs on this host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import click

from accelbench import __version__
from accelbench.cli.output import Say, json_option, listing, print_json, print_table, progress
from accelbench.envs.selftest import harness, loadgen_source
from accelbench.envs.spec import find
from accelbench.model import Harness
from accelbench.report.harness import Kept, keep
from accelbench.report.host import host_facts

Runs = dict[str, tuple[float, ...]]

WITHOUT_LOADGEN = (
    "LoadGen is not measured: it comes with the first `accelbench run --driver loadgen`, "
    "or name an interpreter that has it with --loadgen-python"
)
ROWS = (
    ("single stream, counted per query", "single_stream.counted_ns", "ns"),
    ("single stream, wall per query", "single_stream.wall_ns", "ns"),
    ("server 1,000/s, late by, p50", "server_1000qps.p50_ns", "ns"),
    ("server 1,000/s, late by, p99", "server_1000qps.p99_ns", "ns"),
    ("server 200/s, late by, p50", "server_200qps.p50_ns", "ns"),
    ("server 200/s, late by, p99", "server_200qps.p99_ns", "ns"),
    ("server 20/s, late by, p50", "server_20qps.p50_ns", "ns"),
    ("server 20/s, late by, p99", "server_20qps.p99_ns", "ns"),
    ("server, highest rate", "server_top_qps", "queries/s"),
    ("known latencies, single stream, p50", "known_single_stream.p50_ratio", "measured ÷ true"),
    ("known latencies, single stream, p99", "known_single_stream.p99_ratio", "measured ÷ true"),
    ("known latencies, server, p50", "known_server.p50_ratio", "measured ÷ true"),
    ("known latencies, server, p99", "known_server.p99_ratio", "measured ÷ true"),
)
PRINTED = (*ROWS[:4], ROWS[8])
"""What ``--json`` prints of them."""


@click.command("self-test")
@click.option("--runs", type=click.IntRange(min=3), default=3, show_default=True, help="Runs; figures are medians.")
@click.option(
    "--seconds", type=click.FloatRange(0.05, 60), default=1.0, show_default=True, help="Length of a pass of a run."
)
@click.option(
    "--loadgen-python",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An interpreter that has mlcommons-loadgen.",
)
@json_option
def selftest(runs: int, seconds: float, loadgen_python: Path | None, json_: bool) -> None:
    """Measure the harness on this host, with MLPerf's LoadGen beside it where that is there.

    A session that does nothing, and one whose latencies are known, run through the production loop, all columns
    recorded. The figures are kept and go into every report that is made on this host.
    """
    with progress() as say:
        ours, theirs = _measured(runs, seconds, loadgen_python, say)
    figures = Harness(datetime.now(UTC).isoformat(timespec="seconds"), __version__, ours)
    file = keep(Kept(host_facts(), figures, theirs))
    if json_:
        print_json({"accelbench": _nested(ours), "loadgen": None if theirs is None else _nested(theirs)})
        return
    table = listing("figure", "accelbench", "LoadGen", "ratio", "unit")
    for title, name, unit in ROWS:
        table.add_row(title, *_cells(name, ours, theirs), unit)
    print_table(table)
    click.echo(f"medians of {runs} runs, kept in {file}")


def _measured(runs: int, seconds: float, python: Path | None, say: Say) -> tuple[Runs, Runs | None]:
    """The figures of every run, ours and LoadGen's; the two take turns."""
    spec = find("null")
    source = loadgen_source(spec, python)
    if source is None:
        say(WITHOUT_LOADGEN)
    ours: list[Mapping[str, float]] = []
    theirs: list[Mapping[str, float]] = []
    with harness(spec) as worker:
        for run in range(1, runs + 1):
            say(f"harness, run {run} of {runs}")
            ours.append(worker.figures(seconds))
            if source is not None:
                say(f"LoadGen, run {run} of {runs}")
                theirs.append(source.figures(seconds))
    return _by_name(ours), _by_name(theirs) if theirs else None


def _by_name(found: Sequence[Mapping[str, float]]) -> Runs:
    return {name: tuple(run[name] for run in found) for name in found[0]}


def _nested(runs: Runs) -> dict[str, Any]:
    """Medians, ``a.b`` as ``b`` within ``a``."""
    printed: dict[str, Any] = {}
    for _, name, _ in PRINTED:
        outer, dot, inner = name.partition(".")
        if dot:
            printed.setdefault(outer, {})[inner] = median(runs[name])
        else:
            printed[outer] = median(runs[name])
    return printed


def _cells(name: str, ours: Runs, theirs: Runs | None) -> tuple[str, str, str]:
    """Ours, LoadGen's, and how many times better ours is: a longer time or a lower rate is worse."""
    mine = median(ours[name])
    if theirs is None or name not in theirs:
        return f"{mine:.4f}" if name.endswith("ratio") else f"{mine:,.0f}", "–", "–"
    other = median(theirs[name])
    better = mine / other if name.endswith("qps") else other / mine
    return f"{mine:,.0f}", f"{other:,.0f}", f"{better:.1f}"
