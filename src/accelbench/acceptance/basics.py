"""What every backend promises: the contract's facts, equal answers to equal feeds, threads, memory, reloading."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from accelbench.acceptance import probes
from accelbench.acceptance.stand import SAMPLES, Built, Found, Stand, apart, expected, feeds, same_bits
from accelbench.envs.worker import TrialFacts, Worker
from accelbench.model import DeviceInfo
from accelbench.quality.drift import varies
from accelbench.tensors import TensorSet

THREADS = 4
ROUNDS = 8
RUNS = 1000
RELOADS = 10
BATCH = 4

LEAK_BYTES = 16 << 20
"""Growth over RUNS runs: one output of the probe that is kept each time makes 28 MiB."""

RELOAD_BYTES = 64 << 20
"""Growth over RELOADS loads; allocators keep some of what is given back."""


def contract(stand: Stand) -> Found:
    """Devices, what Compiled says, outputs as declared, and loading in another process than compiled."""
    found = Found()
    records = probes.samples(SAMPLES)
    with stand.worker() as worker:
        devices = worker.devices()
        found.problems += _devices(devices)
        built = stand.built(worker)
        found.problems += _compiled(built, devices)
        if Path(built.job.model).read_bytes() != probes.network(1).SerializeToString():
            found.problems.append("compile changed the model's file: it may write into job.work alone")
        out = stand.room() / "out"
        facts = worker.infer(stand.written(records), out, batch=1, batched=True)
        if facts.unready:
            found.problems.append(f"{facts.unready} outputs changed after they were handed back")
    executed = built.facts.compiled.executed_precision
    problem = apart(expected(stand, records), TensorSet(out), executed)
    if problem is None:
        with stand.worker() as worker:
            worker.load(built.facts.compiled, built.job)
            problem = apart(expected(stand, records), stand.ran(worker, records), executed)
            problem = problem and f"loaded in another process than compiled: {problem}"
    found.problems += [problem] if problem else []
    if not built.facts.compiled.placements:
        found.remarks.append("the stack does not tell where operators are placed")
    return found


def determinism(stand: Stand) -> Found:
    """The same feeds twice, and after loading again, give the same bits; different feeds give different ones."""
    found, records = Found(), probes.samples(SAMPLES)
    with stand.worker() as worker:
        built = stand.built(worker)
        first, second = stand.ran(worker, records), stand.ran(worker, records)
        worker.load(built.facts.compiled, built.job)
        again = stand.ran(worker, records)
        stand.built(worker)
        anew = stand.ran(worker, records)
    if not same_bits(first, second):
        found.problems.append("the same feeds gave other outputs the second time")
    if not same_bits(first, again):
        found.problems.append("the same feeds gave other outputs after loading again")
    if not any(varies(first, name) for name in first.names):
        found.problems.append("outputs do not vary with the feed")
    if not same_bits(first, anew):
        found.remarks.append("compiled again, the outputs differ in some bits")
    return found


def threads(stand: Stand) -> Found:
    """Where it is declared: runs at the same time, and submitted ones, answer as single runs do."""
    abilities = stand.spec.table.abilities
    kinds = [
        kind for kind, declared in (("concurrent", abilities.threads), ("submitted", abilities.submit)) if declared
    ]
    found = Found(nothing=None if kinds else "neither threads nor submit is declared")
    for kind in kinds:
        with stand.worker() as worker:
            stand.built(worker, BATCH)
            facts = _trial(stand, worker, kind, THREADS if kind == "concurrent" else ROUNDS)
        if facts.wrong:
            found.problems.append(f"{kind}: {facts.wrong} of {facts.runs} runs were wrong: {facts.problem}")
        found.remarks.append(f"{facts.runs} {kind} runs")
    return found


def leak(stand: Stand) -> Found:
    """A thousand runs: right to the last, and the memory stays as it is."""
    found = Found()
    with stand.worker() as worker:
        stand.built(worker, BATCH)
        facts = _trial(stand, worker, "repeated", RUNS)
    grown = facts.resident_bytes[-1] - facts.resident_bytes[0]
    told = f"memory grew by {grown / 2**20:.1f} MiB over {facts.runs} runs"
    (found.problems if grown > LEAK_BYTES else found.remarks).append(told)
    if facts.wrong:
        found.problems.append(f"{facts.wrong} of {facts.runs} runs were wrong: {facts.problem}")
    return found


def reload(stand: Stand) -> Found:
    """Loaded and closed ten times: equal answers, and the memory comes back."""
    found, grown = Found(), []
    with stand.worker() as worker:
        built = stand.built(worker, BATCH)
        first = stand.ran(worker, feeds(BATCH, 2), batched=False)
        for time in range(RELOADS):
            worker.unload()
            worker.load(built.facts.compiled, built.job)
            if not same_bits(first, stand.ran(worker, feeds(BATCH, 2), batched=False)):
                found.problems.append(f"other outputs after loading {time + 1} times")
                break
            grown.append(_trial(stand, worker, "repeated", 4).resident_bytes[-1])
    if len(grown) == RELOADS and grown[-1] - grown[1] > RELOAD_BYTES:
        found.problems.append(f"memory grew by {(grown[-1] - grown[1]) / 2**20:.0f} MiB over {RELOADS} loads")
    return found


def _trial(stand: Stand, worker: Worker, kind: str, count: int) -> TrialFacts:
    several = feeds(BATCH, 4)
    outputs = stand.ran(worker, several, batched=False)
    return worker.trial(kind, stand.written(several), outputs.folder, count)


def _devices(devices: tuple[DeviceInfo, ...]) -> Iterator[str]:
    ids = [device.id for device in devices]
    if len(set(ids)) < len(ids):
        yield f"devices() gives an id twice: {', '.join(ids)}"
    if not all(device.id and device.name for device in devices):
        yield "devices() gives a device without an id or a name"


def _compiled(built: Built, devices: tuple[DeviceInfo, ...]) -> Iterator[str]:
    told = built.facts.compiled
    for name in told.files:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts:
            yield f"Compiled.files names {name}, which is not below job.work"
    if not told.format.strip():
        yield "Compiled.format is empty"
    if not told.executed_precision.strip():
        yield "Compiled.executed_precision is empty"
    if told.concurrency < 1:
        yield f"Compiled.concurrency is {told.concurrency}"
    for placement in told.placements:
        if placement.count < 1 or not placement.op or not placement.precision:
            yield f"Compiled.placements: {placement.op or 'an operator without a name'} runs {placement.count} times"
            return
    if told.placements and not {entry.device for entry in told.placements} & {device.id for device in devices}:
        yield "Compiled.placements names no device that devices() gives"
