"""ONNX Runtime's documented loop with OpenVINO's provider: onnxruntime-openvino.py MODEL.onnx SECONDS prints the median
latency in µs for each line of its input.

OpenVINO's latency hint in float32, ONNX Runtime's own optimisations off; inputs and outputs are bound once.
"""

import json
import statistics
import sys
import time
from pathlib import Path

sys.path = [entry for entry in sys.path if Path(entry) != Path(__file__).parent]  # this file is no package

import numpy as np  # noqa: E402
import onnxruntime  # noqa: E402

DTYPES = {
    "tensor(float)": "float32", "tensor(double)": "float64", "tensor(float16)": "float16", "tensor(int64)": "int64",
    "tensor(int32)": "int32", "tensor(int16)": "int16", "tensor(int8)": "int8", "tensor(uint8)": "uint8",
    "tensor(bool)": "bool",
}  # fmt: skip
WARM = 0.2


def main(path: str, seconds: float) -> None:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    hints = {"CPU": {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}}
    openvino = ("OpenVINOExecutionProvider", {"device_type": "CPU", "load_config": json.dumps(hints)})
    session = onnxruntime.InferenceSession(path, options, providers=[openvino, "CPUExecutionProvider"])
    random = np.random.default_rng(0)
    binding = session.io_binding()
    for told in session.get_inputs():
        dtype = DTYPES[told.type]
        value = random.random(told.shape) if dtype.startswith("float") else random.integers(0, 2, told.shape)
        binding.bind_cpu_input(told.name, value.astype(dtype))
    for told in session.get_outputs():
        binding.bind_output(told.name)
    for _ in sys.stdin:
        took, begun = [], time.perf_counter()
        while time.perf_counter() < begun + seconds * (1 + WARM):
            at = time.perf_counter_ns()
            session.run_with_iobinding(binding)
            if time.perf_counter() > begun + seconds * WARM:
                took.append(time.perf_counter_ns() - at)
        sys.stdout.write(f"{statistics.median(took) / 1e3:.1f}\n")


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
