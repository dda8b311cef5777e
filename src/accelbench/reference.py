"""The reference: float32 outputs of ONNX Runtime on the CPU, against which drift and agreement are measured.

They are kept under the hashes of model, feeds, and the reference's own environment, so that they are made once.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from accelbench import paths
from accelbench.envs.spec import find
from accelbench.envs.worker import Job, Worker
from accelbench.errors import Unsupported, WorkerError
from accelbench.model import Target
from accelbench.tensors import TensorSet
from accelbench.zoo.subject import Subject

BACKEND = "onnxruntime"
PRECISION = "fp32"


@dataclass(frozen=True)
class Reference:
    """The outputs for every sample of a subject, or why there are none."""

    outputs: TensorSet | None
    problem: str | None = None


def reference(subject: Subject, timeout_s: float | None = None) -> Reference:
    """The reference outputs of ``subject``, from the cache or computed now.

    A model that the reference runtime cannot run has none: the problem says why. Raises UsageError when the
    reference's backend is not installed.
    """
    model, spec = subject.model(1), find(BACKEND)
    parts = [model.source.sha256, subject.feeds.sha256, spec.lock_sha256, spec.adapter_sha256]
    folder = paths.home() / "references" / hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
    if not folder.is_dir():
        try:
            with paths.building(folder) as building, paths.scratch() as work, _worker(building, timeout_s) as worker:
                device = worker.devices()[0].id
                job = Job(
                    model=str(model.path),
                    inputs=model.inputs,
                    outputs=model.outputs,
                    target=Target(BACKEND, device, PRECISION, spec.options({})),
                    batch=1,
                    batched=subject.task.batched,
                    purpose=None,
                    work=str(work),
                )
                worker.load(worker.compile(job).compiled, job)
                worker.infer(subject.feeds.path, building / "outputs", batch=1, batched=subject.task.batched)
        except (Unsupported, WorkerError) as error:
            return Reference(None, f"no float32 reference: {BACKEND}: {error}")
    return Reference(TensorSet(folder / "outputs"))


def _worker(folder: Path, timeout_s: float | None) -> Worker:
    return Worker(find(BACKEND), folder / "logs", timeout_s=timeout_s)
