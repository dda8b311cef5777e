"""PyTorch's documented loop: torch.py MODEL.onnx SECONDS prints the median latency in µs for each line of its input.

``torch.utils.benchmark.Timer`` around a call of the module in inference mode, in channels last where it convolves. The
module is that which the backend's table has for the graph's name, with the file's weights. ``MODE=inductor`` in the
environment compiles it first, by ``torch.compile`` with frozen weights.
"""

import os
import sys
import tempfile
from pathlib import Path

sys.path = [entry for entry in sys.path if Path(entry) != Path(__file__).parent]  # this file is no package
SOURCE = Path(__file__).parents[2] / "src"
sys.path += [str(SOURCE), str(SOURCE / "accelbench" / "backends" / "torch")]

import onnx  # noqa: E402
import torch  # noqa: E402
import torch.utils.benchmark  # noqa: E402
from building import of_file  # noqa: E402

WARM = 0.2


def main(path: Path, seconds: float) -> None:
    module = of_file(path)[1].eval()
    if any(isinstance(layer, torch.nn.Conv2d) for layer in module.modules()):
        module = module.to(memory_format=torch.channels_last)
    inputs = {
        value.name: drawn(value.type.tensor_type) for value in onnx.load(path, load_external_data=False).graph.input
    }
    if os.environ.get("MODE") == "inductor":
        torch._inductor.config.freezing = True
        module = torch.compile(module)
    timer = torch.utils.benchmark.Timer(
        "module(**inputs)", globals={"module": module, "inputs": inputs}, num_threads=torch.get_num_threads()
    )
    with torch.inference_mode():
        for _ in sys.stdin:
            timer.blocked_autorange(min_run_time=seconds * WARM)
            sys.stdout.write(f"{timer.blocked_autorange(min_run_time=seconds).median * 1e6:.1f}\n")


def drawn(kind: onnx.TypeProto.Tensor) -> torch.Tensor:
    shape = [dim.dim_value for dim in kind.shape.dim]
    if kind.elem_type != onnx.TensorProto.FLOAT:
        return torch.randint(0, 2, shape)
    return torch.rand(shape).to(memory_format=torch.channels_last if len(shape) == 4 else torch.contiguous_format)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as cache:
        os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", cache)
        main(Path(sys.argv[1]), float(sys.argv[2]))
