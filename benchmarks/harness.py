"""What the harness costs on this host, beside LoadGen in the same minutes.

Usage: harness.py [--loadgen PYTHON] [--runs N] [--seconds S]; PYTHON is an interpreter that has mlcommons-loadgen and
NumPy. Runs of both alternate; the table has the medians, and below it every run's figure.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
from pathlib import Path
from statistics import median

from accelbench.measure import selftest

CHILD = Path(__file__).with_name("loadgen_null.py")
AIMS = {
    "single_stream counted": (150.0, "ns"),
    "single_stream wall": (450.0, "ns"),
    "server 1000/s p50": (5e3, "ns"),
    "server 1000/s p99": (2e5, "ns"),
    "server 200/s p50": (1e4, "ns"),
    "server 20/s p50": (1e4, "ns"),
    "server top rate": (math.nan, "queries/s"),
}


def ours(seconds: float) -> dict[str, float]:
    found = selftest.figures(1, seconds)
    servers = {
        f"server {rate:g}/s {name}": value
        for rate, pair in found.lag_ns.items()
        for name, value in zip(("p50", "p99"), pair, strict=True)
    }
    return {
        "single_stream counted": found.counted_ns,
        "single_stream wall": found.wall_ns,
        **servers,
        "server top rate": found.top_qps,
    }


def loadgen(python: str, seconds: float) -> dict[str, float]:
    single = child(python, "single_stream", 0.0, seconds)
    found = {"single_stream counted": single["mean_ns"], "single_stream wall": single["wall_ns"]}
    for rate in selftest.RATES:
        figures = child(python, "server", rate, seconds if rate >= 100 else 4 * seconds)
        found[f"server {rate:g}/s p50"], found[f"server {rate:g}/s p99"] = figures["p50_ns"], figures["p99_ns"]
    low, high = 5_000.0, 2_000_000.0
    while high > 1.1 * low:
        middle = math.sqrt(low * high)
        if child(python, "server", middle, 0.2 * seconds)["p50_ns"] < selftest.TOP_LAG_NS:
            low = middle
        else:
            high = middle
    return {**found, "server top rate": low}


def child(python: str, scenario: str, rate: float, seconds: float) -> dict[str, float]:
    argv = [python, str(CHILD), scenario, str(rate), str(seconds)]
    done = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=120)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loadgen", metavar="PYTHON")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0)
    asked = parser.parse_args()
    mine, theirs = [], []
    for _ in range(asked.runs):
        mine.append(ours(asked.seconds))
        if asked.loadgen:
            theirs.append(loadgen(asked.loadgen, asked.seconds))
    write = sys.stdout.write
    write(f"{'':24}{'accelbench':>14}{'aim':>12}{'LoadGen':>14}{'ratio':>8}\n")
    for name, (aim, unit) in AIMS.items():
        here = median(run[name] for run in mine)
        line = f"{name:24}{here:>14,.0f}{aim:>12,.0f}"
        if theirs:
            there = median(run[name] for run in theirs)
            line += f"{there:>14,.0f}{(here / there if 'rate' in name else there / here):>8.1f}"
        write(f"{line}  {unit}\n")
    for title, runs in (("accelbench", mine), ("LoadGen", theirs)):
        for name in AIMS if runs else ():
            write(f"{title}, {name}: {', '.join(f'{run[name]:,.0f}' for run in runs)}\n")


if __name__ == "__main__":
    main()
