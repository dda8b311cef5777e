"""TVM's own clock: tvm.py MODEL.onnx SECONDS prints the median latency in µs for each line of its input, told by the
virtual machine's ``time_evaluator`` with random inputs; run by the interpreter of the tvm environment."""

from __future__ import annotations

import os
import statistics
import sys
from pathlib import Path

sys.path = [entry for entry in sys.path if Path(entry) != Path(__file__).parent]  # this file is no package
sys.path.append(str(Path(__file__).parents[2] / "src" / "accelbench" / "backends" / "tvm"))
os.environ["TVM_NUM_THREADS"] = str(len(os.sched_getaffinity(0)))

import numpy as np  # noqa: E402
import onnx  # noqa: E402
import tvm  # noqa: E402
from folding import fold_shapes  # noqa: E402
from host_target import built, laid_out  # noqa: E402
from tvm import relax  # noqa: E402
from tvm.relax.frontend.onnx import from_onnx  # noqa: E402

FEWEST = 3


def random_inputs(model: onnx.ModelProto) -> list[tvm.runtime.Tensor]:
    generator = np.random.default_rng(0)
    weights = {tensor.name for tensor in model.graph.initializer}
    found = []
    for port in model.graph.input:
        if port.name not in weights:
            told = port.type.tensor_type
            shape = [dim.dim_value for dim in told.shape.dim]
            values = generator.random(shape) * 2
            found.append(tvm.runtime.tensor(values.astype(onnx.helper.tensor_dtype_to_np_dtype(told.elem_type))))
    return found


def main() -> None:
    model = onnx.load(sys.argv[1])
    inputs = random_inputs(model)
    fold_shapes(model)
    module, _ = laid_out(from_onnx(model, keep_params_in_input=False))
    executable, _ = built(module)
    machine = relax.VirtualMachine(executable, tvm.cpu())
    machine.set_input("main", *inputs)

    def times(repeat: int) -> list[float]:
        return list(machine.time_evaluator("invoke_stateful", tvm.cpu(), number=1, repeat=repeat)("main").results)

    for _ in sys.stdin:
        repeat = max(FEWEST, int(float(sys.argv[2]) / min(times(FEWEST))))
        sys.stdout.write(f"{statistics.median(times(repeat)) * 1e6:.1f}\n")


if __name__ == "__main__":
    main()
