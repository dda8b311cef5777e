"""What a deployable's call costs in the backend's own environment: shared memory and two messages, with the null
backend, which computes nothing.

Usage: remote_call.py [--calls N]; the null and onnxruntime backends must be installed. Prints the p50 and p99 of a call
with small tensors, and with 5 MB in and 5 MB out, beside the aim: 0.2 ms and 1 ms for each 10 MB.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from onnx import TensorProto, helper

import accelbench

AIM_S, AIM_S_PER_BYTE = 0.2e-3, 1e-3 / 10e6


def model(path: Path, values: int) -> None:
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, values]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "relu", [x], [y])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)


def measure(values: int, calls: int, work: Path) -> str:
    source, made = work / f"{values}.onnx", work / f"deployed-{values}"
    model(source, values)
    words = ["convert", str(source), "-b", "null", "--force", "-o", str(made)]
    command = Path(sys.executable).with_name("accelbench")
    subprocess.run([command, *words], check=True, capture_output=True)
    took = []
    with accelbench.load(made, where="environment") as loaded:
        feed = {"x": np.ones((1, values), np.float32)}
        for _ in range(calls + calls // 10):
            begun = time.perf_counter()
            loaded(feed)
            took.append(time.perf_counter() - begun)
    p50, p99 = np.quantile(took[calls // 10 :], (0.5, 0.99)) * 1e3
    aim = (AIM_S + AIM_S_PER_BYTE * 2 * feed["x"].nbytes) * 1e3
    return f"{2 * feed['x'].nbytes / 1e6:.3f} MB in and out: p50 {p50:.3f} ms, p99 {p99:.3f} ms (aim {aim:.3f} ms)\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=1000)
    asked = parser.parse_args()
    with TemporaryDirectory() as scratch:
        for values in (64, 1_250_000):
            sys.stdout.write(measure(values, asked.calls, Path(scratch)))


if __name__ == "__main__":
    main()
