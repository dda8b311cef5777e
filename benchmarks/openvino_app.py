"""Our figures beside those of OpenVINO's own benchmark_app, on the same model, hint, precision and duration.

Usage: openvino_app.py [TASK...] [--seconds S] [--rounds N]; the openvino backend must be installed. Ours and theirs
take turns. Two passes per round: ``latency`` has one query in flight under the latency hint, ``offline`` as many as
OpenVINO asks for under the throughput hint. Prints every pair, its ratios (ours / theirs), and the ratios' medians.

benchmark_app tells the median of the latency that OpenVINO keeps inside, its inputs filled once and its outputs never
read. Ours counts from the feed in NumPy to the outputs in NumPy. What lies between is measured with OpenVINO alone, as
``call``: the time around ``infer()`` less the latency inside. ``net`` is our p50 less the harness's cost and the call.

Passes of processes of their own differ by what the host does meanwhile. So a last line has both loops in one process,
in turns of half a second (``turns.py``), where each driver's own cost is that on a model that does next to nothing.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from accelbench.bench import Bench
from accelbench.envs.install import interpreter
from accelbench.envs.spec import find
from accelbench.envs.worker import Worker
from accelbench.measure import audit, columns, stats
from accelbench.model import Plan, Scenario, Stop, Target
from accelbench.zoo import catalogue
from accelbench.zoo.subject import from_task

PASSES: dict[str, tuple[Scenario, str]] = {
    "latency": ("single_stream", "latency"),
    "offline": ("offline", "throughput"),
}

TURNS = 40

CALL = """
import statistics, sys, time, openvino
hint = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
request = openvino.Core().compile_model(sys.argv[1], "CPU", hint).create_infer_request()
end, around = time.perf_counter() + float(sys.argv[2]), []
while time.perf_counter() < end:
    begun = time.perf_counter_ns()
    request.infer()
    around.append((time.perf_counter_ns() - begun) / 1e3 - request.latency * 1e3)
print(statistics.median(around[len(around) // 5 :]))
"""


@dataclass(frozen=True)
class Figures:
    """Median latency and the harness's part of it in µs, samples per second."""

    p50_us: float
    rate: float
    own_us: float = 0.0


def ours(bench: Bench, scenario: Scenario, seconds: float, folder: Path) -> Figures:
    measured = bench.measure(Plan(scenario, Stop(max_s=seconds)), folder)
    found = stats.summary(columns.read(folder))
    p50, rate = found.quantiles["p50"], found.throughput
    assert p50 is not None
    assert rate is not None
    assert measured.errors == ()
    return Figures(p50.value_s * 1e6, rate, (measured.audit.overhead_ns or 0.0) / 1e3)


def theirs(app: Path, model: Path, hint: str, seconds: float) -> Figures:
    words = [app, "-m", model, "-d", "CPU", "-hint", hint, "-infer_precision", "f32", "-t", round(seconds)]
    done = subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True)
    told = re.search(r"Median:\s+([\d.]+) (us|ms)", done.stdout)
    rate = re.search(r"Throughput:\s+([\d.]+) FPS", done.stdout)
    assert told is not None
    assert rate is not None
    return Figures(float(told[1]) * (1.0 if told[2] == "us" else 1e3), float(rate[1]))


def call_us(python: Path, model: Path, seconds: float) -> float:
    words = [python, "-I", "-c", CALL, model, seconds]
    return float(subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True).stdout)


def host() -> str:
    """The load of the last minute and the time that other guests took since boot."""
    stolen = audit.stolen_ns()
    return f"load {os.getloadavg()[0]:.2f}, stolen {'unknown' if stolen is None else f'{stolen / 1e9:.1f} s'}"


def in_turns(python: Path, model: Path, feeds: Path, turns: int) -> str:
    words = [python, Path(__file__).with_name("turns.py"), model, feeds, turns, 0.5]
    seen = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "src")}
    done = subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True, env=seen)
    mine, other, own, own_theirs, ratio = map(float, done.stdout.split())
    return (
        f"p50 {mine:,.1f} | {other:,.1f} us, own {own:.2f} | {own_theirs:.2f} us, "
        f"median ratio of net p50 {ratio:.3f} of {turns}"
    )


def compare(task: str, seconds: float, rounds: int, write: Callable[[str], object]) -> None:
    subject, spec = from_task(catalogue.find(task), None), find("openvino")
    app = interpreter(spec).with_name("benchmark_app")
    ratios: dict[str, list[float]] = {}
    with TemporaryDirectory() as scratch, Worker(spec, Path(scratch) / "logs") as worker:
        work = Path(scratch)
        bench = Bench(worker, subject, Target("openvino", "cpu", "fp32", {}), work, lambda _text: None)
        bench.check(Plan("single_stream", Stop(max_s=seconds)))
        for turn in range(rounds):
            for name, (scenario, hint) in PASSES.items():
                mine = ours(bench, scenario, seconds, work / f"ours-{name}-{turn}")
                other = theirs(app, subject.model(1).path, hint, seconds)
                pair = {"rate": mine.rate / other.rate}
                if name == "latency":
                    call = call_us(interpreter(spec), subject.model(1).path, seconds / 4)
                    net = mine.p50_us - mine.own_us - call
                    pair |= {"p50": mine.p50_us / other.p50_us, "net p50": net / other.p50_us}
                    write(f"{task} latency: own {mine.own_us:.2f} us, call {call:.2f} us\n")
                for kind, ratio in pair.items():
                    ratios.setdefault(f"{name} {kind}", []).append(ratio)
                write(
                    f"{task} {name}: p50 {mine.p50_us:,.1f} | {other.p50_us:,.1f} us, "
                    f"rate {mine.rate:,.1f} | {other.rate:,.1f} /s, ratios "
                    f"{', '.join(f'{kind} {ratio:.3f}' for kind, ratio in pair.items())}; {host()}\n"
                )
    write(f"{task}, in one process: {in_turns(interpreter(spec), subject.model(1).path, subject.feeds.path, TURNS)}\n")
    for kind, found in ratios.items():
        write(f"{task}, {kind}: median ratio {median(found):.3f} of {len(found)} ({min(found):.3f}–{max(found):.3f})\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", default=["digits-cnn", "resnet50"])
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    for task in asked.tasks:
        compare(task, asked.seconds, asked.rounds, sys.stdout.write)


if __name__ == "__main__":
    main()
