"""Where a backend is put to the test: workers, models and feeds for its parts."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from accelbench.acceptance import probes
from accelbench.envs.spec import BackendSpec
from accelbench.envs.worker import BuildFacts, Worker
from accelbench.model import Target
from accelbench.quality.drift import accumulate, figures
from accelbench.tensors import Array, Record, TensorSet, TensorWriter, stack
from accelbench.worker.jobs import Job

SAMPLES = 16

LOOSE = 0.1
"""A relative L2 that no honest precision reaches on the probe."""

TIGHT = 1e-3
"""And one that float32 does not reach."""


@dataclass
class Found:
    """What a part saw: ``problems`` fail it, ``remarks`` do not; ``nothing`` says why there was nothing to test."""

    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    nothing: str | None = None


@dataclass(frozen=True)
class Built:
    """A compiled form of the probe, and the job that it was made from."""

    facts: BuildFacts
    job: Job


@dataclass(frozen=True)
class Stand:
    """``target`` names a device; ``folder`` is empty at the start, and ``logs`` gets what workers print."""

    spec: BackendSpec
    target: Target
    folder: Path
    logs: Path
    timeout_s: float | None
    say: Callable[[str], None]
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def worker(self) -> Worker:
        return Worker(self.spec, self.logs, timeout_s=self.timeout_s)

    def room(self) -> Path:
        """A new empty folder."""
        folder = self.folder / str(next(self._numbers))
        folder.mkdir()
        return folder

    def written(self, records: Iterable[Record]) -> Path:
        """Records as a tensor set."""
        folder = self.room() / "set"
        with TensorWriter(folder) as writer:
            for record in records:
                writer.append(record)
        return folder

    def job(self, model: bytes | None = None, batch: probes.Dim = 1, precision: str | None = None) -> Job:
        """A job for the probe of this batch, or for other bytes in its place, with a work folder of its own."""
        room = self.room()
        (room / "work").mkdir()
        path = room / "model.onnx"
        path.write_bytes(probes.network(batch).SerializeToString() if model is None else model)
        size = batch if isinstance(batch, int) else 1
        return Job(
            model=str(path),
            inputs=probes.inputs(batch),
            outputs=probes.outputs(batch),
            target=replace(self.target, precision=precision or self.target.precision),
            batch=size,
            batched=True,
            purpose="latency" if self.spec.table.abilities.purpose else None,
            work=str(room / "work"),
            calibration=str(self.written(probes.samples(SAMPLES))) if isinstance(batch, int) else None,
            calibration_count=SAMPLES if isinstance(batch, int) else 0,
        )

    def built(self, worker: Worker, batch: probes.Dim = 1, precision: str | None = None) -> Built:
        """The probe compiled and loaded."""
        job = self.job(batch=batch, precision=precision)
        facts = worker.compile(job)
        worker.load(facts.compiled, job)
        return Built(facts, job)

    def ran(self, worker: Worker, records: Sequence[Record], batch: int = 1, batched: bool = True) -> TensorSet:
        """The outputs of the loaded session for records: samples, or whole feeds unless ``batched``."""
        out = self.room() / "out"
        worker.infer(self.written(records), out, batch=batch, batched=batched)
        return TensorSet(out)


def expected(stand: Stand, records: Sequence[dict[str, Array]]) -> TensorSet:
    """What the probe should answer to samples."""
    return TensorSet(stand.written(probes.expected(list(records))))


def feeds(batch: int, count: int) -> list[Record]:
    """Whole feeds of the probe."""
    records = probes.samples(batch * count)
    return [stack(records[start : start + batch]) for start in range(0, batch * count, batch)]


def apart(reference: TensorSet, outputs: TensorSet, executed: str) -> str | None:
    """How ``outputs`` are not the probe's answers, if so, for the precision that was executed."""
    limit = TIGHT if executed == "fp32" else LOOSE
    for sums in accumulate(reference, outputs):
        found = figures(sums)
        if found.mismatch is not None:
            return f"output {found.output}: {found.mismatch}"
        if found.introduced:
            return f"output {found.output}: {found.introduced} of {sums.count} values are NaN or infinite"
        if found.relative_l2 is None or found.relative_l2 > limit:
            drift = "without a bound" if found.relative_l2 is None else f"{found.relative_l2:.1e}"
            return f"output {found.output} is off: relative L2 {drift}, {executed} stays below {limit:g}"
    return None


def same_bits(one: TensorSet, other: TensorSet) -> bool:
    return one.sha256() == other.sha256()
