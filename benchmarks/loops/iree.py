"""IREE's own clock: iree.py MODEL.onnx SECONDS prints the median latency in µs for each line of its input, told by
``iree-benchmark-module`` with random inputs; run by the interpreter of the iree environment."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path = [entry for entry in sys.path if Path(entry) != Path(__file__).parent]  # this file is no package

import numpy as np  # noqa: E402
import onnx  # noqa: E402
from iree.compiler.tools.binaries import find_tool  # noqa: E402
from iree.runtime.benchmark import benchmark_exe  # noqa: E402

FLAGS = (
    "--iree-input-type=onnx",
    "--iree-hal-target-device=local",
    "--iree-hal-local-target-device-backends=llvm-cpu",
    "--iree-llvmcpu-target-cpu=host",
    "--iree-opt-level=O3",
    "--iree-llvmcpu-stack-allocation-limit=131072",
    "--iree-stream-resource-memory-model=discrete",
)
STACK = "--task_worker_stack_size=1048576"
TILED, IM2COL = "--iree-opt-data-tiling", "--iree-global-opt-use-im2col-for-convs"
WHOLE_SOFTMAX = "--iree-llvmcpu-use-decompose-softmax-fuse=false"
ATTEMPTS = ((TILED, IM2COL), (TILED, IM2COL, WHOLE_SOFTMAX), (TILED, WHOLE_SOFTMAX), (WHOLE_SOFTMAX,))
REPETITIONS = 9


def compiled(model: Path, room: Path) -> tuple[Path, Path]:
    """The module and its weights, with the first flags that the compiler takes."""
    module, weights, imported = room / "model.vmfb", room / "weights.irpa", room / "model.mlir"
    words = [sys.executable, "-I", "-m", "iree.compiler.tools.import_onnx", str(model), "--opset-version", "17"]
    words += ["--externalize-params", "--save-params-to", str(weights), "-o", str(imported)]
    subprocess.run(words, check=True, capture_output=True)
    for attempt in ATTEMPTS:
        words = [find_tool("iree-compile"), str(imported), *FLAGS, *attempt, "-o", str(module)]
        if subprocess.run(words, check=False, capture_output=True).returncode == 0:
            return module, weights
    raise SystemExit("iree-compile took the model with no flags")


def inputs(model: Path, room: Path) -> list[str]:
    """A flag for each input, its random values in a file."""
    generator = np.random.default_rng(0)
    graph = onnx.load(str(model), load_external_data=False).graph
    known = {tensor.name for tensor in graph.initializer}
    found: list[str] = []
    for port in graph.input:
        if port.name not in known:
            told = port.type.tensor_type
            values = generator.random([dim.dim_value for dim in told.shape.dim]) * 2
            file = room / f"{len(found)}.npy"
            np.save(file, values.astype(onnx.helper.tensor_dtype_to_np_dtype(told.elem_type)))
            found.append(f"--input=@{file}")
    return found


def main() -> None:
    model, seconds = Path(sys.argv[1]), float(sys.argv[2])
    with TemporaryDirectory() as folder:
        module, weights = compiled(model, Path(folder))
        name = re.search(rb"\0([^\0]+)\$async\0", module.read_bytes())
        assert name is not None
        words = [benchmark_exe(), f"--module={module}", f"--function={name[1].decode()}", "--device=local-task", STACK]
        words += [f"--parameters=model={weights}"] if weights.is_file() else []
        words += [f"--benchmark_repetitions={REPETITIONS}", f"--benchmark_min_time={seconds / REPETITIONS:.3f}s"]
        words += ["--benchmark_format=json", *inputs(model, Path(folder))]
        for _ in sys.stdin:
            sys.stdout.write(f"{median_us(words):.1f}\n")


def median_us(words: list[str]) -> float:
    told = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)["benchmarks"]
    median = next(run for run in told if run.get("aggregate_name") == "median")
    return float(median["real_time"]) * {"ns": 1e-3, "us": 1.0, "ms": 1e3, "s": 1e6}[median["time_unit"]]


if __name__ == "__main__":
    main()
