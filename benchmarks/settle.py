"""How long it takes until the median latency of a task is known within 2 %, on each backend that is given.

Usage: settle.py [TASK] [-b BACKEND]... [--runs N]. The pass ends by its own rule, at 120 s at the latest; told are its
seconds, warm-up included, the queries, the median with its 95 % interval, and how many times sooner that is than the
600 s that a run of MLPerf's rules takes whatever it sees.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from accelbench.bench import Bench
from accelbench.envs.spec import find
from accelbench.envs.worker import Worker
from accelbench.measure import columns, efforts, stats
from accelbench.model import Plan, Target
from accelbench.zoo import catalogue
from accelbench.zoo.subject import from_task

FIXED_S = 600.0
"""The length of LoadGen's runs under the MLPerf Inference rules (``min_duration`` of its built-in configuration)."""


def settle(task: str, backend: str, runs: int) -> None:
    write = sys.stdout.write
    subject, spec = from_task(catalogue.find(task), None), find(backend)
    took = []
    with TemporaryDirectory() as scratch, Worker(spec, Path(scratch) / "logs") as worker:
        work = Path(scratch)
        bench = Bench(worker, subject, Target(backend, "cpu", "fp32", {}), work, lambda _text: None)
        plan = Plan("single_stream", efforts.stop("standard", "single_stream"))
        bench.check(plan)
        for run in range(runs):
            measured = bench.measure(plan, work / str(run))
            table = columns.read(work / str(run))
            p50 = stats.summary(table).quantiles["p50"]
            assert p50 is not None
            seconds = measured.warmup_s + float(table.done[-1]) * 1e-9
            took.append(seconds)
            ends = "no interval" if p50.low_s is None else f"{p50.low_s * 1e3:.2f}–{(p50.high_s or 0) * 1e3:.2f}"
            write(
                f"{task}, {backend}: {seconds:.1f} s, {len(table)} queries, p50 {p50.value_s * 1e3:.2f} ms ({ends}), "
                f"ended by {measured.stop_reason}\n"
            )
    write(f"{task}, {backend}: median {median(took):.1f} s, {FIXED_S / median(took):.0f} times sooner than 600 s\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", nargs="?", default="resnet50")
    parser.add_argument("-b", "--backend", action="append")
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    for backend in asked.backend or ["openvino"]:
        settle(asked.task, backend, asked.runs)


if __name__ == "__main__":
    main()
