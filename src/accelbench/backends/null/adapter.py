"""A stack that does nothing: it hands back zeros of the right shapes, so that only the harness is measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from accelbench.backends.protocol import CompileJob, Feed, Outputs
from accelbench.errors import Unsupported
from accelbench.model import Compiled, DeviceInfo


class NullSession:
    def __init__(self, outputs: Outputs) -> None:
        self._outputs = outputs

    def run(self, feed: Feed) -> Outputs:  # noqa: ARG002
        return self._outputs

    def close(self) -> None:
        pass


def devices() -> Sequence[DeviceInfo]:
    return [DeviceInfo(id="cpu", name="nothing")]


def compile(job: CompileJob) -> Compiled:  # noqa: A001
    if job.target.precision != "fp32":
        raise Unsupported(f"precision {job.target.precision}: null knows fp32 only")
    for spec in job.outputs:
        _shape(spec.name, spec.shape)
    return Compiled(files=(), format="none", executed_precision="fp32")


def load(compiled: Compiled, job: CompileJob) -> NullSession:  # noqa: ARG001
    return NullSession({spec.name: np.zeros(_shape(spec.name, spec.shape), spec.dtype) for spec in job.outputs})


def _shape(name: str, shape: Sequence[int | str]) -> tuple[int, ...]:
    for dim in shape:
        if not isinstance(dim, int):
            raise Unsupported(f"output {name} has the dynamic dimension {dim!r}; give it a size")
    return tuple(int(dim) for dim in shape)
