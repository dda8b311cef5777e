"""Sessions of ONNX Runtime whose inputs and outputs are bound once for each calling thread.

The same text lies in the folder of each backend that uses it: a backend's folder stands alone. Fact relied on, from
ONNX Runtime's documentation: what is bound is read from and written to the memory that was given, query by query.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnxruntime

from accelbench.backends.protocol import CompileJob, Feed, Outputs
from accelbench.model import TensorSpec
from accelbench.tensors import Array

DTYPES = ("float32", "float64", "float16", "int64", "int32", "int16", "int8", "uint8", "bool")
"""What NumPy and ONNX Runtime both have."""


class OrtSession:
    """A loaded session. Where a shape is open, a tensor is too large to be copied or the model has outputs that the job
    does not name, runs take the feed as it is and give fresh arrays."""

    def __init__(self, session: onnxruntime.InferenceSession, job: CompileJob, largest_bytes: float = math.inf) -> None:
        self._session, self._specs = session, (job.inputs, job.outputs)
        self._outputs = [output.name for output in session.get_outputs()]
        named = len(self._outputs) == len(job.outputs)
        self._bind = named and all(_fits(spec, largest_bytes) for spec in (*job.inputs, *job.outputs))
        self._own = threading.local()

    def run(self, feed: Feed) -> Outputs:
        if not self._bind:
            return dict(zip(self._outputs, self._session.run(self._outputs, feed)))
        outputs: Mapping[str, Array]
        try:
            inputs, outputs, binding = self._own.bound
        except AttributeError:
            inputs, outputs, binding = self._own.bound = self._bound()
        for name, own, shape, dtype in inputs:
            value = feed[name]
            if value.shape != shape or value.dtype.num != dtype:
                raise ValueError(f"input {name} is {value.dtype} {value.shape}, the model takes {own.dtype} {shape}")
            own[...] = value
        self._session.run_with_iobinding(binding)
        return outputs

    def close(self) -> None:
        del self._session, self._own

    def _bound(self) -> tuple[list[tuple[str, Array, tuple[int, ...], int]], Mapping[str, Array], Any]:
        inputs, outputs = ({spec.name: _empty(spec) for spec in specs} for specs in self._specs)
        binding = self._session.io_binding()
        for name, own in inputs.items():
            binding.bind_cpu_input(name, own)
        for name, own in outputs.items():
            binding.bind_output(name, "cpu", 0, own.dtype, own.shape, own.ctypes.data)
        return [(name, own, own.shape, own.dtype.num) for name, own in inputs.items()], outputs, binding


def _fits(spec: TensorSpec, largest_bytes: float) -> bool:
    if spec.dtype not in DTYPES or any(isinstance(dim, str) for dim in spec.shape):
        return False
    return math.prod(map(int, spec.shape)) * np.dtype(spec.dtype).itemsize <= largest_bytes


def _empty(spec: TensorSpec) -> Array:
    return np.empty([int(dim) for dim in spec.shape], spec.dtype)
