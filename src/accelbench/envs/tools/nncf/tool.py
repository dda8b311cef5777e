"""``tool.py JOB`` (JSON): an ONNX file quantised to int8 by NNCF, its ranges taken from calibration samples.

Facts relied on, from NNCF's documentation: ``quantize`` inserts ``QuantizeLinear`` and ``DequantizeLinear`` with scales
that suit the hardware's kernels, and corrects biases; models with attention want ``model_type`` TRANSFORMER.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import nncf
import onnx

MODEL, WEIGHTS = "model.onnx", "weights.bin"


def main() -> None:
    job = json.loads(sys.argv[1])
    sys.path.append(job["package"])
    feeds = _feeds(job)
    model = onnx.load(job["model"])
    made = nncf.quantize(
        model,
        nncf.Dataset(feeds, dict),
        subset_size=len(feeds),
        model_type=nncf.ModelType.TRANSFORMER if _attends(model.graph) else None,
    )
    target = str(Path(job["folder"]) / MODEL)
    onnx.save_model(made, target, save_as_external_data=True, all_tensors_to_one_file=True, location=WEIGHTS)


def _feeds(job: dict) -> list:
    from accelbench.tensors import TensorSet, stack

    samples = TensorSet(Path(job["calibration"]))[: job["count"]]
    if not job["batched"]:
        feeds = samples
    else:
        starts = range(0, len(samples) - job["batch"] + 1, job["batch"])
        feeds = [stack(samples[start : start + job["batch"]]) for start in starts]
    if not feeds:
        raise SystemExit("there are no samples to calibrate on")
    return feeds


def _attends(graph: onnx.GraphProto) -> bool:
    """Whether two activations are multiplied with each other as matrices."""
    stored = {tensor.name for tensor in graph.initializer}
    constant = stored | {name for node in graph.node if node.op_type == "Constant" for name in node.output}
    fixed = {name for node in graph.node if all(each in constant for each in node.input) for name in node.output}
    return any(node.op_type == "MatMul" and not {*node.input} & (constant | fixed) for node in graph.node)


if __name__ == "__main__":
    main()
