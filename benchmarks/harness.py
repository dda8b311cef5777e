"""What the harness costs on this host, beside LoadGen in the same minutes.

Usage: harness.py [--loadgen PYTHON] [--runs N] [--seconds S]; PYTHON is an interpreter that has mlcommons-loadgen, else
it is looked for beside the null backend. Runs of both alternate. The table has the medians, the aims, and how many
times better ours are; below it stand every run's figures.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from pathlib import Path
from statistics import median

from accelbench.envs.selftest import harness, loadgen_source
from accelbench.envs.spec import find
from accelbench.measure import audit

AIMS = {
    "single_stream.counted_ns": 150.0,
    "single_stream.wall_ns": 450.0,
    "server_1000qps.p50_ns": 5e3,
    "server_1000qps.p99_ns": 2e5,
    "server_200qps.p50_ns": 1e4,
    "server_200qps.p99_ns": None,
    "server_20qps.p50_ns": 1e4,
    "server_20qps.p99_ns": None,
    "server_top_qps": None,
    "known_single_stream.p50_ratio": None,
    "known_single_stream.p99_ratio": None,
    "known_server.p50_ratio": None,
    "known_server.p99_ratio": None,
}
"""That of the highest rate is three times LoadGen's; a ratio, measured ÷ true, should be 1."""


def load() -> str:
    """The load of the last minute and the time stolen by other guests since boot, as the host tells them."""
    stolen = audit.stolen_ns()
    return f"load {os.getloadavg()[0]:.2f}, stolen {'unknown' if stolen is None else f'{stolen / 1e9:.2f} s'}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loadgen", metavar="PYTHON", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0)
    asked = parser.parse_args()
    write = sys.stdout.write
    spec = find("null")
    source = loadgen_source(spec, asked.loadgen)
    mine: list[dict[str, float]] = []
    theirs: list[dict[str, float]] = []
    write(f"{platform.machine()}, {os.cpu_count()} CPUs; {load()}\n")
    with harness(spec) as worker:
        for _ in range(asked.runs):
            mine.append(worker.figures(asked.seconds))
            if source is not None:
                theirs.append(source.figures(asked.seconds))
            write(f"after run {len(mine)}: {load()}\n")
    write(f"{'':30}{'accelbench':>12}{'aim':>10}{'LoadGen':>12}{'ratio':>8}\n")
    for name, aim in AIMS.items():
        here = median(run[name] for run in mine)
        shown = f"{here:.4f}" if name.endswith("ratio") else f"{here:,.0f}"
        line = f"{name:30}{shown:>12}{'–' if aim is None else f'{aim:,.0f}':>10}"
        if theirs and name in theirs[0]:
            there = median(run[name] for run in theirs)
            line += f"{there:>12,.0f}{(here / there if name.endswith('qps') else there / here):>8.1f}"
        write(f"{line}\n")
    for title, runs in (("accelbench", mine), ("LoadGen", theirs)):
        for name in runs[0] if runs else ():
            write(f"{title} {name}: {', '.join(f'{run[name]:,.4g}' for run in runs)}\n")


if __name__ == "__main__":
    main()
