"""MNN's documented loop: mnn.py MODEL.onnx SECONDS prints the median latency in µs for each line of its input.

Converted by MNN's own converter, run by its module interface in high precision (float32) with one thread per core, or
as many as ``THREADS`` in the environment says; a query is ``forward`` and reading the outputs. The model lies for the
time in a folder that is removed.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

CONVERT = "import sys, _tools; _tools.mnnconvert(sys.argv)"
WARM = 0.2


def main(path: str, seconds: float, tell: Callable[[float], object]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        target = os.path.join(folder, "model.mnn")  # noqa: PTH118
        words = ["-f", "ONNX", "--modelFile", path, "--MNNModel", target, "--bizCode", "none"]
        subprocess.run([sys.executable, "-c", CONVERT, *words], check=True)
        query = prepared(target)
        for _ in sys.stdin:
            tell(median_us(query, seconds))


def prepared(target: str) -> Callable[[], None]:
    """A query of the model with random inputs."""
    import MNN.expr
    import MNN.nn
    import numpy as np

    threads = int(os.environ.get("THREADS") or len(os.sched_getaffinity(0)))
    config = {"backend": "CPU", "numThread": threads, "precision": "high"}
    runtime = MNN.nn.create_runtime_manager((config,))
    net = MNN.nn.load_module_from_file(target, [], [], runtime_manager=runtime, shape_mutable=False)
    random = np.random.default_rng(0)
    inputs = []
    for told in net.get_info()["inputs"]:
        value = MNN.expr.placeholder(told.shape, told.data_format, told.dtype)
        integer = told.dtype != MNN.expr.float
        value.write(random.integers(0, 2, told.shape, np.int32) if integer else random.random(told.shape, np.float32))
        inputs.append(value)

    def query() -> None:
        for output in net.onForward(inputs):
            output.read()

    return query


def median_us(query: Callable[[], None], seconds: float) -> float:
    took, begun = [], time.perf_counter()
    while time.perf_counter() < begun + seconds * (1 + WARM):
        at = time.perf_counter_ns()
        query()
        if time.perf_counter() > begun + seconds * WARM:
            took.append(time.perf_counter_ns() - at)
    return statistics.median(took) / 1e3


if __name__ == "__main__":
    answer = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what MNN prints is no answer
    main(sys.argv[1], float(sys.argv[2]), lambda median: answer.write(f"{median:.1f}\n"))
