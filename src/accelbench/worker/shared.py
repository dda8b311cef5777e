"""Arrays in memory that host and worker both see: how feeds and outputs travel when each query is asked for alone.

The host makes the memory (an anonymous file that is gone with its last user) and names it by its path under /proc; the
worker maps it. What lies where follows from the tensors' types and shapes, which both sides know.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from accelbench.errors import UsageError, WorkerError
from accelbench.model import TensorSpec
from accelbench.tensors import Array, Record

ALIGNED_BYTES = 64
"""Each array begins at a multiple of this: a cache line, and what vector instructions want."""


class SharedArrays:
    """The arrays of one feed and of its outputs in shared memory."""

    def __init__(self, descriptor: int, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]) -> None:
        """Map the memory of ``descriptor``, which may be closed afterwards. Raises UsageError for a tensor without a
        fixed shape."""
        size = size_bytes([*inputs, *outputs])
        memory = mmap.mmap(descriptor, size)
        offset = 0
        arrays = []
        for spec in (*inputs, *outputs):
            shape = [int(dim) for dim in spec.shape]
            arrays.append(np.ndarray(shape, dtype=spec.dtype, buffer=memory, offset=offset))
            offset += _room_bytes(spec)
        self.inputs: dict[str, Array] = {spec.name: array for spec, array in zip(inputs, arrays)}
        self.outputs: dict[str, Array] = {spec.name: array for spec, array in zip(outputs, arrays[len(inputs) :])}

    def keep(self, outputs: Record) -> None:
        """Copy a session's outputs into the memory. Raises WorkerError for those that are not as the model's."""
        for name, room in self.outputs.items():
            value = outputs.get(name)
            if value is None or value.dtype != room.dtype or value.shape != room.shape:
                got = "nothing" if value is None else f"{value.dtype.name} {list(value.shape)}"
                raise WorkerError(
                    "protocol", f"output {name} is {got}, the model gives {room.dtype.name} {list(room.shape)}"
                )
            np.copyto(room, value)


def size_bytes(specs: Sequence[TensorSpec]) -> int:
    """What the tensors need together, never zero. Raises UsageError for one without a fixed shape."""
    for spec in specs:
        if not all(isinstance(dim, int) for dim in spec.shape):
            raise UsageError(
                f"{spec.name} has the shape {list(spec.shape)}: only tensors of fixed shapes can be shared with the "
                "environment of a backend; load the model in a process that has the stack itself"
            )
    return max(ALIGNED_BYTES, sum(_room_bytes(spec) for spec in specs))


def opened(path: Path, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]) -> SharedArrays:
    """The worker's view of the memory that the host has made."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        return SharedArrays(descriptor, inputs, outputs)
    finally:
        os.close(descriptor)


def _room_bytes(spec: TensorSpec) -> int:
    size = np.dtype(spec.dtype).itemsize * int(np.prod([int(dim) for dim in spec.shape], dtype=np.int64))
    return -(-size // ALIGNED_BYTES) * ALIGNED_BYTES
