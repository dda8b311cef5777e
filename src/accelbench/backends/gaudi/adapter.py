"""Intel Gaudi accelerators by Habana's PyTorch bridge: an ONNX model as a PyTorch module, replayed as an HPU graph.

The bridge has no reader of ONNX. The package onnx2torch makes a module of an ONNX graph, for the operators that it has
a converter for; a model with another is unsupported here. Facts relied on, from Habana's documentation: the bridge adds
the device ``hpu`` to PyTorch when ``habana_frameworks.torch.core`` is imported; ``wrap_in_hpu_graph`` records the
operations of a module at its first call and replays them after, refuses those that would run on the CPU, and wants
fixed shapes; ``torch.autocast`` on ``hpu`` computes registered operators in bfloat16. The bridge tells no placements.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from accelbench.backends.protocol import CompileJob, Feed, Outputs
from accelbench.errors import Unsupported
from accelbench.model import Compiled, DeviceInfo

MODEL = "model.onnx"
DEVICE = "hpu"
PRECISIONS = ("fp32", "bf16")


class HpuSession:
    """A module on the device. HPU graphs keep their inputs and outputs in fixed places, so queries take turns."""

    def __init__(self, module: Any, job: CompileJob, inputs: Sequence[str], outputs: Sequence[str]) -> None:
        import torch

        self._torch, self._module = torch, module
        self._inputs, self._outputs = inputs, outputs
        self._types = {spec.name: spec.dtype for spec in job.outputs}
        self._autocast = job.target.precision == "bf16"
        self._turn = threading.Lock()

    def run(self, feed: Feed) -> Outputs:
        torch = self._torch
        with self._turn, torch.no_grad():
            given = [torch.tensor(feed[name]).to(DEVICE) for name in self._inputs]
            with torch.autocast(device_type=DEVICE, dtype=torch.bfloat16, enabled=self._autocast):
                found = self._module(*given)
            results = found if isinstance(found, (list, tuple)) else [found]
            host = [result.to("cpu") for result in results]
        return {
            name: (value.float() if value.dtype == torch.bfloat16 else value)
            .numpy()
            .astype(self._types[name], copy=False)
            for name, value in zip(self._outputs, host)
        }

    def close(self) -> None:
        del self._module


def devices() -> Sequence[DeviceInfo]:
    """The first accelerator that a process is given: the bridge holds one for each process."""
    import habana_frameworks.torch.hpu as hpu

    if not hpu.is_available():
        return []
    return [DeviceInfo(id=DEVICE, name=hpu.get_device_name(), properties={"devices": str(hpu.device_count())})]


def compile(job: CompileJob) -> Compiled:  # noqa: A001
    if job.target.precision not in PRECISIONS:
        raise Unsupported(f"precision {job.target.precision}: this adapter has {', '.join(PRECISIONS)}")
    files = _copied(job)
    session = _loaded(job)
    session.run(_feed(job))
    session.close()
    graphs = job.target.options["graphs"] == "true"
    return Compiled(
        files=tuple(files),
        format="onnx, a PyTorch module when loaded",
        executed_precision=job.target.precision,
        settings={
            "hpu_graphs": str(graphs).lower(),
            "bf16": "torch.autocast, which leaves operators of its list in float32" if _bf16(job) else "off",
            "cpu_fallback": "refused while the HPU graph is recorded"
            if graphs
            else "possible; the bridge does not tell",
        },
    )


def load(compiled: Compiled, job: CompileJob) -> HpuSession:  # noqa: ARG001
    session = _loaded(job)
    session.run(_feed(job))
    return session


def _loaded(job: CompileJob) -> HpuSession:
    """The model of ``job.work`` as a module on the device. Unsupported names the operator that has no converter."""
    import habana_frameworks.torch.core  # noqa: F401 - makes the device known to PyTorch
    import habana_frameworks.torch.hpu as hpu
    from onnx2torch import convert

    model = onnx.load(str(job.work / MODEL))
    try:
        module = convert(model).eval().to(DEVICE)
    except NotImplementedError as error:
        raise Unsupported(f"onnx2torch has no converter: {' '.join(str(error).split())}") from error
    if job.target.options["graphs"] == "true":
        module = hpu.wrap_in_hpu_graph(module)
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = [value.name for value in model.graph.input if value.name not in constants]
    return HpuSession(module, job, inputs, [value.name for value in model.graph.output])


def _copied(job: CompileJob) -> list[str]:
    """The model and the files of its weights, copied into the work folder; their names there."""
    model = onnx.load(str(job.model), load_external_data=False)
    tensors = [tensor for tensor in model.graph.initializer if tensor.data_location == onnx.TensorProto.EXTERNAL]
    beside = {entry.value for tensor in tensors for entry in tensor.external_data if entry.key == "location"}
    shutil.copyfile(job.model, job.work / MODEL)
    for name in beside:
        Path(job.work / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(job.model.parent / name, job.work / name)
    return [MODEL, *sorted(beside)]


def _bf16(job: CompileJob) -> bool:
    return job.target.precision == "bf16"


def _feed(job: CompileJob) -> Feed:
    """The first calibration feed, or zeros."""
    if job.calibration:
        return job.calibration[0]
    return {
        spec.name: np.zeros([1 if isinstance(dim, str) else dim for dim in spec.shape], spec.dtype)
        for spec in job.inputs
    }
