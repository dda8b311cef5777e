"""ONNX Runtime on Huawei Ascend NPUs: the CANN execution provider.

Facts relied on, from ONNX Runtime's documentation of it: ``enable_cann_graph`` gives whole subgraphs to CANN's graph
engine, else each operator is a kernel of its own; ``precision_mode`` says in which types the graph engine computes;
``dump_om_model`` writes the compiled model into the working directory, which nothing reads again. The provider does not
tell the precision of what runs within a subgraph. The driver makes a device file /dev/davinciN for each NPU.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import onnx
import onnxruntime
import ort_session
from ort_session import BoundSession, Providers

from accelbench.backends.protocol import CompileJob
from accelbench.errors import Unsupported
from accelbench.model import Compiled, DeviceInfo

CANN = "CANNExecutionProvider"
DEVICE = "npu"
DEVICES = Path("/dev")
MODES = {"fp32": "must_keep_origin_dtype", "fp16": "force_fp16"}


def devices() -> Sequence[DeviceInfo]:
    """The NPUs whose device files are here, if this build of ONNX Runtime has the provider."""
    if CANN not in onnxruntime.get_available_providers():
        return []
    numbers = [re.fullmatch(r"davinci(\d+)", path.name) for path in DEVICES.iterdir()]
    files = sorted(int(found[1]) for found in numbers if found)
    return [
        DeviceInfo(id=f"{DEVICE}{index}", name="Ascend NPU", properties={"file": f"/dev/davinci{number}"})
        for index, number in enumerate(files)
    ]


def compile(job: CompileJob) -> Compiled:  # noqa: A001
    if job.target.precision not in MODES:
        raise Unsupported(f"precision {job.target.precision}: this adapter asks CANN for {', '.join(MODES)}")
    model = onnx.load(str(job.model))
    files = ort_session.write(model, job.work)
    session = _session(job, profiled=True)
    opaque = {CANN: job.target.precision} if job.target.options["graph"] == "true" else {}
    found = ort_session.placements(session, job, model, opaque)
    told = session.get_provider_options().get(CANN, {})
    return Compiled(
        files=tuple(files),
        format="onnx",
        executed_precision=ort_session.executed(found, job),
        placements=found,
        settings={
            "providers": ", ".join(session.get_providers()),
            "executed_precision": "as asked for: CANN does not tell the precision within a subgraph",
            **{name: value for name, value in told.items() if value},
        },
    )


def load(compiled: Compiled, job: CompileJob) -> BoundSession:  # noqa: ARG001
    return BoundSession(_session(job))


def _session(job: CompileJob, *, profiled: bool = False) -> onnxruntime.InferenceSession:
    return ort_session.opened(job.work / ort_session.MODEL, _providers(job), profiled=profiled)


def _providers(job: CompileJob) -> Providers:
    settings = {
        "device_id": job.target.device.removeprefix(DEVICE),
        "enable_cann_graph": "1" if job.target.options["graph"] == "true" else "0",
        "dump_om_model": "0",
        "precision_mode": MODES[job.target.precision],
    }
    if "implementation" in job.target.options:
        settings["op_select_impl_mode"] = job.target.options["implementation"]
    return [(CANN, settings)]
