import os
from pathlib import Path

import numpy as np
import pytest

from accelbench.errors import UsageError, WorkerError
from accelbench.model import TensorSpec
from accelbench.worker.shared import ALIGNED_BYTES, SharedArrays, opened, size_bytes

INPUTS = (TensorSpec("ids", "int64", (2, 3)), TensorSpec("none", "float32", (0, 4)), TensorSpec("scalar", "bool", ()))
OUTPUTS = (TensorSpec("y", "float16", (5,)),)


@pytest.fixture
def both() -> tuple[SharedArrays, SharedArrays]:
    """The same memory as two processes see it."""
    descriptor = os.memfd_create("test")
    os.ftruncate(descriptor, size_bytes((*INPUTS, *OUTPUTS)))
    mine = SharedArrays(descriptor, INPUTS, OUTPUTS)
    theirs = opened(Path(f"/proc/self/fd/{descriptor}"), INPUTS, OUTPUTS)
    os.close(descriptor)
    return mine, theirs


def test_what_one_writes_the_other_reads(both: tuple[SharedArrays, SharedArrays]) -> None:
    mine, theirs = both
    mine.inputs["ids"][...] = [[1, 2, 3], [4, 5, 6]]
    mine.inputs["scalar"][...] = True
    theirs.keep({"y": np.arange(5, dtype=np.float16)})
    assert theirs.inputs["ids"].tolist() == [[1, 2, 3], [4, 5, 6]]
    assert theirs.inputs["none"].shape == (0, 4)
    assert bool(theirs.inputs["scalar"])
    assert mine.outputs["y"].tolist() == [0, 1, 2, 3, 4]
    for array in (*mine.inputs.values(), *mine.outputs.values()):
        assert not array.size or array.ctypes.data % ALIGNED_BYTES == 0


def test_outputs_that_are_not_the_models_are_told(both: tuple[SharedArrays, SharedArrays]) -> None:
    _, theirs = both
    with pytest.raises(WorkerError, match="output y is nothing, the model gives float16"):
        theirs.keep({})
    with pytest.raises(WorkerError, match=r"output y is float32 \[5\]"):
        theirs.keep({"y": np.zeros(5, np.float32)})


def test_a_shape_that_is_not_fixed_cannot_be_shared() -> None:
    with pytest.raises(UsageError, match=r"tokens has the shape \['n'\]: only tensors of fixed shapes"):
        size_bytes([TensorSpec("tokens", "int64", ("n",))])
