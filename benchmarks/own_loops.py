"""Our timed pass beside each stack's own benchmark tool or documented loop, on the same model, in turns.

Usage: own_loops.py [TASK...] [-b BACKEND]... [--seconds S] [--rounds N]; without -b every installed backend that has a
script ``loops/<backend>.py``, which its own interpreter runs: MODEL.onnx SECONDS, printing the median latency in µs.
Ours is the p50 of one query at a time in float32, from the feed in NumPy to the outputs in NumPy. Prints each pair, and
the median of the ratios (ours / theirs). openvino's peer is its benchmark_app.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from accelbench.bench import Bench
from accelbench.envs.install import installed, interpreter
from accelbench.envs.spec import BackendSpec, backends, find
from accelbench.envs.worker import Worker
from accelbench.errors import AccelbenchError
from accelbench.measure import columns, stats
from accelbench.model import Plan, Stop, Target
from accelbench.zoo import catalogue
from accelbench.zoo.subject import Subject, from_task

LOOPS = Path(__file__).with_name("loops")
LIMIT_S = 900.0


def ours_us(bench: Bench, seconds: float, folder: Path) -> float:
    bench.measure(Plan("single_stream", Stop(max_s=seconds)), folder)
    latencies = stats.latencies(columns.read(folder))
    return float(median(latencies.tolist())) / 1e3


def theirs_us(spec: BackendSpec, subject: Subject, seconds: float, work: Path) -> float:
    words = [interpreter(spec), LOOPS / f"{spec.name}.py", subject.model(1).path, seconds]
    seen = {**os.environ, **spec.table.environment.variables}
    done = subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, timeout=LIMIT_S, cwd=work, env=seen, check=False
    )
    if done.returncode:
        raise AccelbenchError(f"the loop of {spec.name} failed: {done.stderr.strip().splitlines()[-1:]}")
    return float(done.stdout)


def compare(task: str, spec: BackendSpec, seconds: float, rounds: int) -> str:
    subject, write = from_task(catalogue.find(task), None), sys.stdout.write
    ratios = []
    with TemporaryDirectory() as scratch, Worker(spec, Path(scratch) / "logs") as worker:
        work = Path(scratch)
        target = Target(spec.name, worker.devices()[0].id, "fp32", spec.options({}))
        bench = Bench(worker, subject, target, work, lambda _text: None)
        bench.check(Plan("single_stream", Stop(max_s=seconds)))
        for turn in range(rounds):
            mine, other = ours_us(bench, seconds, work / str(turn)), theirs_us(spec, subject, seconds, work)
            ratios.append(mine / other)
            write(f"{task}, {spec.name}: p50 {mine:,.1f} | {other:,.1f} us, ratio {ratios[-1]:.3f}\n")
            sys.stdout.flush()
    return f"{task}, {spec.name}: median ratio {median(ratios):.3f} of {rounds} ({min(ratios):.3f}–{max(ratios):.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", default=["digits-cnn", "resnet50"])
    parser.add_argument("-b", "--backend", action="append")
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    there = {path.stem for path in LOOPS.glob("*.py")}
    names = asked.backend or [name for name, spec in backends().items() if name in there and installed(spec)]
    found = []
    for task in asked.tasks:
        for name in names:
            try:
                found.append(compare(task, find(name), asked.seconds, asked.rounds))
            except (AccelbenchError, subprocess.TimeoutExpired) as error:
                found.append(f"{task}, {name}: {error}")
    sys.stdout.write("\n".join(found) + "\n")


if __name__ == "__main__":
    main()
