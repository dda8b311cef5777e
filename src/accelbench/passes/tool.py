"""Runs in the environment of the onnxruntime backend: one pass by ONNX Runtime's own tools, ``tool.py JOB`` (JSON)."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import onnx

MODEL, WEIGHTS = "model.onnx", "weights.bin"


def main() -> None:
    job = json.loads(sys.argv[1])
    sys.path += [job["backend"], job["package"]]
    source, work = Path(job["model"]), Path.cwd()
    made = {"fp16": _float16, "int8": _int8, "int8-static": _int8_static}[job["kind"]](job, source, work)
    model = made if isinstance(made, onnx.ModelProto) else onnx.load(str(made))

    from accelbench.passes.tidy import tidy

    # The float16 converter puts casts behind their readers; the static quantiser names every domain that it knows.
    tidy(model)
    target = str(Path(job["folder"]) / MODEL)
    onnx.save_model(model, target, save_as_external_data=True, all_tensors_to_one_file=True, location=WEIGHTS)


def _float16(_job: dict[str, Any], source: Path, _work: Path) -> onnx.ModelProto:
    from onnxruntime.transformers.float16 import convert_float_to_float16

    return convert_float_to_float16(onnx.load(str(source)), keep_io_types=True, disable_shape_infer=False)


def _int8(_job: dict[str, Any], source: Path, work: Path) -> Path:
    import quantise

    return quantise.dynamic(source, work)


def _int8_static(job: dict[str, Any], source: Path, work: Path) -> Path:
    import quantise

    from accelbench.tensors import TensorSet, stack

    samples = TensorSet(Path(job["calibration"]))[: job["count"]]
    feeds = samples
    if job["batched"]:
        starts = range(0, len(samples) - job["batch"] + 1, job["batch"])
        feeds = [stack(samples[start : start + job["batch"]]) for start in starts]
    if not feeds:
        raise SystemExit("there are no samples to calibrate on")
    return quantise.static(source, work, feeds, "minmax")


if __name__ == "__main__":
    main()
