"""Our figures beside LoadGen's on the same compiled model, interleaved, as ratios.

Usage: cross_check.py [--runs N] [--seconds S] [TASK]... (digits-cnn and resnet50 unless told), on openvino. A run is
one pass of ours and then one of LoadGen per scenario, each in a fresh worker. Where a query takes tens of µs, each
driver's own cost is taken off first, per query: what it counts for the null backend with the same feeds.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from accelbench.bench import ANY_DEVICE, Bench, device_of
from accelbench.envs import overlay
from accelbench.envs.loadgen import under_loadgen
from accelbench.envs.spec import find
from accelbench.envs.worker import Worker
from accelbench.measure import columns, stats
from accelbench.model import LoadGen, Plan, Scenario, Stop, Target
from accelbench.zoo import catalogue
from accelbench.zoo.subject import Subject, from_task

SCENARIOS: tuple[Scenario, ...] = ("single_stream", "offline")
SHORT_S = 1e-3
"""Queries shorter than this have the drivers' own costs taken off."""

P50 = "50.00 percentile latency (ns)"
RATES = ("QPS w/ loadgen overhead", "Samples per second")


@dataclass(frozen=True)
class Figures:
    """Median latency (s; None for ``offline``, whose latencies mean different things) and queries per second."""

    p50_s: float | None
    rate: float


Pair = tuple[Figures, Figures]


def of_loadgen(run: LoadGen) -> Figures:
    if run.reasons:
        raise SystemExit(f"LoadGen: {run.reasons}")
    rate = next(run.figures[name] for name in RATES if name in run.figures)
    return Figures(run.figures[P50] * 1e-9 if run.plan.scenario == "single_stream" else None, rate)


def pairs(subject: Subject, backend: str, plan: Plan, runs: int) -> Iterator[Pair]:
    """``runs`` times ours and LoadGen's figures of one plan on one compiled form; every second time LoadGen goes
    first."""
    spec = find(backend)
    with tempfile.TemporaryDirectory() as scratch, Worker(spec, Path(scratch) / "logs") as worker:
        work = Path(scratch)
        device = device_of(worker.devices(), Target(backend, ANY_DEVICE, "fp32"))
        bench = Bench(worker, subject, Target(backend, device.id, "fp32", spec.options({})), work, quiet)
        bench.check(plan)

        def ours(run: int) -> Figures:
            bench.measure(plan, work / f"columns-{run}")
            found = stats.summary(columns.read(work / f"columns-{run}"))
            p50 = found.quantiles["p50"] if plan.scenario == "single_stream" else None
            return Figures(p50.value_s if p50 else None, found.throughput or math.nan)

        def theirs(run: int) -> Figures:
            build, job = bench.release(plan)
            folder = overlay.install(overlay.LOADGEN, spec, quiet)
            places = {"feeds": subject.feeds.path, "scratch": work / f"raw-{run}", "logs": work / f"logs-{run}"}
            return of_loadgen(under_loadgen(spec, folder, job, build.compiled, plan, **places, timeout_s=None))

        for run in range(runs):
            if run % 2:
                other = theirs(run)
                yield ours(run), other
            else:
                yield ours(run), theirs(run)


def quiet(_step: str) -> None:
    """Progress that nobody reads."""


def without(figures: Figures, null: Figures) -> Figures:
    """``figures`` without what the driver itself takes, as its pass over the null backend shows it."""
    p50 = figures.p50_s - null.p50_s if figures.p50_s is not None and null.p50_s is not None else None
    return Figures(p50, 1 / (1 / figures.rate - 1 / null.rate))


def medians(runs: Sequence[Figures]) -> Figures:
    latencies = [run.p50_s for run in runs if run.p50_s is not None]
    return Figures(median(latencies) if latencies else None, median(run.rate for run in runs))


def show(title: str, found: Sequence[Pair]) -> None:
    """Medians of either side, and the median of the ratios within the pairs."""
    ours, theirs = (medians([each[side] for each in found]) for side in (0, 1))
    line = f"{title:40}"
    if ours.p50_s is not None and theirs.p50_s is not None:
        ratio = median((mine.p50_s or 0.0) / (other.p50_s or 1.0) for mine, other in found)
        line += f"{ours.p50_s * 1e6:>11,.2f} µs {theirs.p50_s * 1e6:>11,.2f} µs  ratio {ratio:.3f}"
    ratio = median(mine.rate / other.rate for mine, other in found)
    sys.stdout.write(f"{line}{ours.rate:>15,.1f}/s {theirs.rate:>12,.1f}/s  ratio {ratio:.3f}\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", nargs="*", default=["digits-cnn", "resnet50"])
    parser.add_argument("--backend", default="openvino")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    asked = parser.parse_args()
    sys.stdout.write("each line: ours, LoadGen's, ours ÷ LoadGen's\n")
    for task in asked.tasks:
        subject = from_task(catalogue.find(task), None)
        for scenario in SCENARIOS:
            plan = Plan(scenario, Stop(max_s=asked.seconds))
            found = list(pairs(subject, asked.backend, plan, asked.runs))
            for run, each in enumerate(found):
                show(f"{task}, {scenario}, run {run + 1}", [each])
            show(f"{task}, {scenario}", found)
            if 1 / median(mine.rate for mine, _ in found) < SHORT_S:
                null = list(pairs(subject, "null", plan, asked.runs))
                show(f"null, {scenario}", null)
                own, its = (medians([each[side] for each in null]) for side in (0, 1))
                show("the drivers' own taken off", [(without(a, own), without(b, its)) for a, b in found])


if __name__ == "__main__":
    main()
