"""MNN on the CPU: ONNX through its converter, float32, and int8 weights with activations quantised as they come.

Facts relied on. From MNN's documentation: precision ``high`` is float32, ``low`` is half precision where the CPU has
it; ``--weightQuantBits 8`` stores the weights of convolutions and of products with constants in int8;
``--compressionParamsFile`` tells which they are; ``--saveExternalData`` writes weights beside the model, where they are
found again. Seen by running it: the converter returns no status, only a file; weights in int8 are multiplied with
activations in int8, for products of exact weights are then off by what rounding activations to 8 bits costs.
"""

from __future__ import annotations

import json
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import MNN
import numpy as np
from net import PRECISION, Net

from accelbench.backends.protocol import CompileJob, Feed, Outputs, core_share
from accelbench.errors import Unsupported
from accelbench.model import Compiled, DeviceInfo

MODEL = "model.mnn"
WEIGHTS = "model.mnn.weight"
QUANTISED = "quantised.json"
LARGE_BYTES = 1 << 30
"""From here on weights lie beside the model: a flatbuffer holds 2 GB."""

STEP_S = 1500
MEMORY = {"fp32": "normal", "int8": "low"}
DTYPES = ("float32", "float64", "float16", "int64", "int32", "uint8", "bool")
REFUSED = re.compile(r"These Op Not Support:\s*(.+)")
SHAPES = re.compile(r"^shapes: (.*)$", re.MULTILINE)
NOT_RUN = ("Compute Shape Error", "Create execution error", "Can't find output", "call to readMap meet a error")
SAID = re.compile(r"not support|unsupport|can't|cannot|error|failed|invalid", re.IGNORECASE)


class MnnSession:
    """One module; MNN does not take two queries at once."""

    def __init__(self, net: Net, job: CompileJob) -> None:
        self._net = net
        self._inputs = [
            (spec.name, tuple(map(int, spec.shape)), np.dtype(spec.dtype), np.dtype(spec.dtype).num, variable, dtype)
            for spec, variable, dtype in zip(job.inputs, net.variables, net.dtypes)
        ]
        self._outputs = [(spec.name, np.dtype(spec.dtype)) for spec in job.outputs]

    def run(self, feed: Feed) -> Outputs:
        for name, shape, taken, number, variable, dtype in self._inputs:
            value = feed[name]
            if value.shape != shape or value.dtype.num != number:
                raise ValueError(f"input {name} is {value.dtype} {value.shape}, the model takes {taken} {shape}")
            variable.write(np.ascontiguousarray(value, dtype))
        values = self._net.forward()
        if len(values) != len(self._outputs):
            raise RuntimeError(f"MNN gave {len(values)} of {len(self._outputs)} outputs; standard output has its words")
        return {name: value.astype(dtype, copy=False) for (name, dtype), value in zip(self._outputs, values)}

    def close(self) -> None:
        del self._net, self._inputs


def devices() -> Sequence[DeviceInfo]:
    return [DeviceInfo(id="cpu", name=platform.machine(), properties={"mnn": str(MNN.version())})]


def compile(job: CompileJob) -> Compiled:  # noqa: A001
    if job.target.device != "cpu":
        raise Unsupported(f"device {job.target.device}: MNN's package has the cpu only")
    if job.target.precision not in MEMORY:
        raise Unsupported(f"precision {job.target.precision}: this adapter has {', '.join(MEMORY)} on MNN")
    for spec in (*job.inputs, *job.outputs):
        if spec.dtype not in DTYPES:
            raise Unsupported(f"{spec.name} is of type {spec.dtype}, which MNN has no tensors of")
    for spec in job.inputs:
        if any(isinstance(dim, str) for dim in spec.shape):
            raise Unsupported(f"input {spec.name} has the dynamic shape {spec.shape}: this adapter fixes shapes")
    _convert(job)
    _try(job)
    files = tuple(name for name in (MODEL, WEIGHTS) if (job.work / name).is_file())
    quantised = _quantised(job)
    return Compiled(
        files=files,
        format="mnn",
        executed_precision="int8" if quantised else "fp32",
        settings=_settings(job, quantised),
    )


def load(compiled: Compiled, job: CompileJob) -> MnnSession:
    inputs, outputs = _names(job)
    return MnnSession(
        Net(str(job.work / compiled.files[0]), inputs, outputs, _threads(job), MEMORY[job.target.precision]), job
    )


def _convert(job: CompileJob) -> None:
    """``MODEL`` in the work folder; Unsupported with the operators that the converter names."""
    large = sum(path.stat().st_size for path in job.model.parent.iterdir()) > LARGE_BYTES
    words = ["-f", "ONNX", "--modelFile", str(job.model), "--MNNModel", str(job.work / MODEL), "--bizCode", "none"]
    if large:
        words.append("--saveExternalData")
    if job.target.precision == "int8":
        words += ["--weightQuantBits", "8", "--compressionParamsFile", str(job.work / QUANTISED)]
    told = _step("convert.py", words)
    named = REFUSED.search(told)
    if named:
        raise Unsupported(f"operators that MNN's converter does not take: {' '.join(named[1].split())}")
    if not (job.work / MODEL).is_file():
        raise RuntimeError(f"MNN's converter wrote no model: {_reason(told)}")


def _try(job: CompileJob) -> None:
    """Run the model once, on real data if there are; Unsupported, in MNN's words, when it gives other outputs than the
    source's."""
    inputs, outputs = _names(job)
    feed = job.calibration[0] if job.calibration else _zeros(job)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "feed.npz"
        np.savez(path, *(feed[name] for name in inputs))
        words = [str(job.work / MODEL), str(path), str(_threads(job)), MEMORY[job.target.precision]]
        told = _step("net.py", [*words, *inputs, "--", *outputs])
    found = SHAPES.search(told)
    shapes = json.loads(found[1]) if found else []
    if len(shapes) != len(outputs):
        raise Unsupported(f"MNN converted the model and cannot run it: {_reason(told)}")
    for spec, shape in zip(job.outputs, shapes):
        wanted = list(spec.shape)
        if all(isinstance(dim, int) for dim in wanted) and shape != wanted:
            raise Unsupported(f"shape of output {spec.name}: MNN's is {shape}, the model's {wanted}")


def _step(program: str, words: Sequence[str]) -> str:
    """What a program of this folder says. Its model may end it by a signal; that is an error with its last words."""
    command = [sys.executable, "-I", str(Path(__file__).with_name(program)), *words]
    done = subprocess.run(
        command, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace", timeout=STEP_S,
    )  # fmt: skip
    sys.stdout.write(done.stdout)
    if done.returncode > 0 and any(sign in done.stdout for sign in NOT_RUN):
        raise Unsupported(f"MNN converted the model and cannot run it: {_reason(done.stdout)}")
    if done.returncode != 0:
        how = signal.strsignal(-done.returncode) if done.returncode < 0 else f"exit code {done.returncode}"
        raise RuntimeError(f"{program} ended with {how}: {_reason(done.stdout)}")
    return done.stdout


def _reason(told: str) -> str:
    lines = [line.strip() for line in told.splitlines() if SAID.search(line)]
    return " / ".join(lines[-3:]) if lines else "MNN gave no reason"


def _quantised(job: CompileJob) -> int:
    """How many layers the converter quantised."""
    listed = job.work / QUANTISED
    if not listed.is_file():
        return 0
    algorithms = json.loads(listed.read_text(encoding="utf-8")).get("algo", ())
    return sum(len(algorithm["quantParams"].get("layer", ())) for algorithm in algorithms)


def _settings(job: CompileJob, quantised: int) -> Mapping[str, str]:
    settings = {
        "backend": "CPU",
        "threads": str(_threads(job)),
        "precision": PRECISION,
        "memory": MEMORY[job.target.precision],
        "shape_mutable": "false",
    }
    if job.target.precision == "int8":
        settings.update({"weight_quant_bits": "8", "quantised_layers": str(quantised)})
    return settings


def _threads(job: CompileJob) -> int:
    cores = core_share() or (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    return int(job.target.options.get("threads", cores))


def _zeros(job: CompileJob) -> Feed:
    return {spec.name: np.zeros([int(dim) for dim in spec.shape], spec.dtype) for spec in job.inputs}


def _names(job: CompileJob) -> tuple[list[str], list[str]]:
    return [spec.name for spec in job.inputs], [spec.name for spec in job.outputs]
