"""Our timed pass beside each stack's own benchmark tool or documented loop, on the same model, in turns.

Usage: own_loops.py [TASK...] [-b BACKEND]... [--seconds S] [--rounds N] [--option BACKEND.NAME=VALUE]...;
without -b every installed backend that has a script ``loops/<backend>.py``, which its own interpreter runs:
MODEL.onnx SECONDS, printing a median latency in µs for each line of its input, and behind it the whole time per query
where its clock leaves a part of a query out. Ours is the p50 of one query at a time in float32, from the feed in NumPy
to the outputs in NumPy; beside a whole time it is one over the throughput. Prints each pair, and the median of the
ratios (ours / theirs). openvino's peer is its benchmark_app. One stack is loaded at a time: others that only wait slow
queries of tens of µs by up to a quarter. An option goes to ours, and in capitals into the loop's environment:
``--option torch.mode=inductor``.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import product
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


Times = tuple[float, float | None]
"""The median latency, and the whole time per query, in µs."""


class Pair:
    """Both sides of one task on one stack, compiled and waiting."""

    def __init__(self, name: str, bench: Bench, loop: subprocess.Popen[str], seconds: float, work: Path) -> None:
        self.name = name
        self._bench, self._loop, self._seconds, self._work = bench, loop, seconds, work
        self._turns = 0

    def ours_us(self) -> Times:
        self._turns += 1
        folder = self._work / str(self._turns)
        self._bench.measure(Plan("single_stream", Stop(max_s=self._seconds)), folder)
        table = columns.read(folder)
        rate = stats.summary(table).throughput
        return float(median(stats.latencies(table).tolist())) / 1e3, 1e6 / rate if rate else None

    def theirs_us(self) -> Times:
        assert self._loop.stdin is not None
        assert self._loop.stdout is not None
        self._loop.stdin.write("\n")
        self._loop.stdin.flush()
        told = self._loop.stdout.readline()
        if not told:
            raise AccelbenchError(f"{self.name}: the stack's own loop ended with {self._loop.wait()}")
        typical, *whole = map(float, told.split())
        return typical, whole[0] if whole else None


@contextmanager
def prepared(task: str, spec: BackendSpec, seconds: float, options: Mapping[str, str]) -> Iterator[Pair]:
    subject = from_task(catalogue.find(task), None)
    with TemporaryDirectory() as scratch, Worker(spec, Path(scratch) / "logs") as worker:
        work = Path(scratch)
        target = Target(spec.name, worker.devices()[0].id, "fp32", spec.options(options))
        bench = Bench(worker, subject, target, work, lambda _text: None)
        bench.check(Plan("single_stream", Stop(max_s=seconds)))
        with started(spec, subject, seconds, work, options) as loop:
            yield Pair(f"{task}, {spec.name}", bench, loop, seconds, work)


@contextmanager
def started(
    spec: BackendSpec, subject: Subject, seconds: float, work: Path, options: Mapping[str, str]
) -> Iterator[subprocess.Popen[str]]:
    words = [interpreter(spec), LOOPS / f"{spec.name}.py", subject.model(1).path, seconds]
    seen = {**os.environ, **spec.table.environment.variables, "PYTHONUNBUFFERED": "1"}
    seen.update({name.upper(): value for name, value in options.items()})
    pipe = subprocess.PIPE
    with subprocess.Popen([str(word) for word in words], stdin=pipe, stdout=pipe, text=True, cwd=work, env=seen) as it:
        try:
            yield it
        finally:
            it.kill()


def compare(pair: Pair, rounds: int) -> str:
    typical, whole = [], []
    pair.theirs_us()  # it has started, and is warm
    for _ in range(rounds):
        mine, other = pair.ours_us(), pair.theirs_us()
        typical.append(mine[0] / other[0])
        said = f"{pair.name}: p50 {mine[0]:,.1f} | {other[0]:,.1f} us, ratio {typical[-1]:.3f}"
        if mine[1] and other[1]:
            whole.append(mine[1] / other[1])
            said += f"; whole {mine[1]:,.1f} | {other[1]:,.1f} us, ratio {whole[-1]:.3f}"
        sys.stdout.write(f"{said}\n")
        sys.stdout.flush()
    found = f"{pair.name}: median ratio {_spread(typical)}"
    return f"{found}, of the whole time per query {_spread(whole)}" if whole else found


def _spread(ratios: Sequence[float]) -> str:
    return f"{median(ratios):.3f} of {len(ratios)} ({min(ratios):.3f}–{max(ratios):.3f})"


def options_of(name: str, words: Sequence[str]) -> Mapping[str, str]:
    given = (word.removeprefix(f"{name}.").partition("=") for word in words if word.startswith(f"{name}."))
    return {option: value for option, _, value in given}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", default=["digits-cnn", "resnet50"])
    parser.add_argument("-b", "--backend", action="append")
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--option", action="append", default=[])
    asked = parser.parse_args()
    there = {path.stem for path in LOOPS.glob("*.py")}
    names = asked.backend or [name for name, spec in backends().items() if name in there and installed(spec)]
    found = []
    for task, name in product(asked.tasks, names):
        try:
            with prepared(task, find(name), asked.seconds, options_of(name, asked.option)) as pair:
                found.append(compare(pair, asked.rounds))
        except AccelbenchError as error:
            found.append(f"{task}, {name}: {error}")
    sys.stdout.write("\n".join(found) + "\n")


if __name__ == "__main__":
    main()
