"""tinygrad's documented loop: tinygrad.py MODEL.onnx SECONDS prints the median latency in µs for each line of its
input.

The model's ONNX runner under TinyJit, on the CPU; a query is the jitted call and reading the outputs.
"""

import statistics
import sys
import time
from pathlib import Path

sys.path = [entry for entry in sys.path if Path(entry) != Path(__file__).parent]  # this file is no package

import numpy as np  # noqa: E402
from tinygrad import Tensor, TinyJit  # noqa: E402
from tinygrad.dtype import _to_np_dtype, dtypes  # noqa: E402
from tinygrad.nn.onnx import OnnxRunner  # noqa: E402

WARM = 0.2


def main(path: str, seconds: float) -> None:
    runner = OnnxRunner(path)
    jit = TinyJit(lambda **inputs: [value.realize() for value in runner(inputs).values()])
    random = np.random.default_rng(0)
    inputs = {}
    for name, told in runner.graph_inputs.items():
        value = random.random(told.shape) if dtypes.is_float(told.dtype) else random.integers(0, 2, told.shape)
        inputs[name] = Tensor(value.astype(_to_np_dtype(told.dtype))).realize()
    for _ in range(3):
        jit(**inputs)
    for _ in sys.stdin:
        took, begun = [], time.perf_counter()
        while time.perf_counter() < begun + seconds * (1 + WARM):
            at = time.perf_counter_ns()
            for value in jit(**inputs):
                value.numpy()
            if time.perf_counter() > begun + seconds * WARM:
                took.append(time.perf_counter_ns() - at)
        sys.stdout.write(f"{statistics.median(took) / 1e3:.1f}\n")


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
