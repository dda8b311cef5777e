"""A converted model on MNN's CPU backend, by MNN's module interface; nothing of accelbench is needed here.

Run as a program, ``net.py MODEL FEED THREADS MEMORY INPUT... -- OUTPUT...``, it runs the model once, on the arrays of
the file FEED in the inputs' order, and prints ``shapes: `` and those of the outputs: MNN says on standard output what
it cannot run, and may crash over it.

Facts relied on, from MNN's documentation and its bindings' source: a runtime manager holds the threads and the
precision; a loaded module tells its inputs' shapes, formats and types, wider integers and booleans being int32;
``Var.read`` gives an array over memory of the variable's, which lives no longer than the variable.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

import MNN.expr
import MNN.nn
import numpy as np

PRECISION = "high"
DTYPES = {MNN.expr.float: "float32", MNN.expr.int: "int32", MNN.expr.uint8: "uint8"}


class Net:
    """``variables`` are the inputs, to be written before ``forward``, and ``dtypes`` what is written to them."""

    def __init__(self, model: str, inputs: Sequence[str], outputs: Sequence[str], threads: int, memory: str) -> None:
        config = {"backend": "CPU", "numThread": threads, "precision": PRECISION, "memory": memory}
        self._runtime = MNN.nn.create_runtime_manager((config,))
        self._module = MNN.nn.load_module_from_file(
            model, list(inputs), list(outputs), runtime_manager=self._runtime, shape_mutable=False
        )
        told = self._module.get_info()["inputs"]
        self.dtypes = [DTYPES[variable.dtype] for variable in told]
        self.variables = [MNN.expr.placeholder(one.shape, one.data_format, one.dtype) for one in told]

    def forward(self) -> list[np.ndarray[Any, np.dtype[Any]]]:
        """The outputs, in arrays of their own."""
        return [np.array(variable.read()) for variable in self._module.onForward(self.variables)]


def main(model: str, feed: str, threads: str, memory: str, *names: str) -> None:
    border = names.index("--")
    net = Net(model, names[:border], names[border + 1 :], int(threads), memory)
    with np.load(feed) as values:
        for place, (variable, dtype) in enumerate(zip(net.variables, net.dtypes)):
            variable.write(np.ascontiguousarray(values[f"arr_{place}"], dtype))
    shapes = [list(output.shape) for output in net.forward()]
    sys.stdout.write(f"\nshapes: {json.dumps(shapes)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
