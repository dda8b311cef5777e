"""A starting point: ONNX Runtime on the CPU. Put your own stack in its place, function by function.

It runs in a process of its own, in the environment that requirements.lock makes. It may import the standard library,
NumPy, the packages of that environment, files beside it, and of accelbench what is imported below.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence

import onnxruntime

from accelbench.backends.protocol import CompileJob, Feed, Outputs
from accelbench.errors import Unsupported
from accelbench.model import Compiled, DeviceInfo

MODEL = "model.onnx"
WEIGHTS = "model.data"
PROVIDER = "CPUExecutionProvider"

REFUSALS = ("is not a registered function/op", "Unsupported model IR version", "official support", "not supported")
"""Words by which this stack says that it cannot take a model, in errors that it raises for other reasons too."""


class Session:
    """A loaded model."""

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session
        self._names = [output.name for output in session.get_outputs()]

    def run(self, feed: Feed) -> Outputs:
        # Blocks until the outputs are NumPy arrays in host memory. A feed of a wrong name, shape or type must raise;
        # ONNX Runtime sees to that here. Never write into the feed.
        return dict(zip(self._names, self._session.run(self._names, dict(feed))))

    def close(self) -> None:
        # Give back what the session holds: device memory, queues, files.
        del self._session


def devices() -> Sequence[DeviceInfo]:
    # Every device that the stack can use here, best first: ask your driver. With none at all, give an empty list.
    return [DeviceInfo(id="cpu", name=platform.machine(), properties={"provider": PROVIDER})]


def compile(job: CompileJob) -> Compiled:  # noqa: A001
    # Read job.model, an ONNX file with fixed shapes and all weights, large ones in files beside it; write what load()
    # needs into job.work.
    if job.target.precision != "fp32":
        raise Unsupported(f"precision {job.target.precision}: this adapter compiles fp32 only")
    options = _options(job)
    options.optimized_model_filepath = str(job.work / MODEL)
    options.add_session_config_entry("session.optimized_model_external_initializers_file_name", WEIGHTS)
    _session(str(job.model), options)
    return Compiled(
        files=tuple(name for name in (MODEL, WEIGHTS) if (job.work / name).is_file()),
        format="onnx (optimised by ONNX Runtime)",
        # The precision that the bulk of the arithmetic really runs in, as your runtime tells it.
        executed_precision="fp32",
        # Which operators run on which device in which precision, where your runtime tells: see model.Placement.
        placements=(),
        settings={"provider": PROVIDER, "threads": job.target.options.get("threads", "the stack chooses")},
    )


def load(compiled: Compiled, job: CompileJob) -> Session:
    # This may be another process than that of compile: all that is needed is in the arguments and in job.work.
    options = _options(job)
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return Session(_session(str(job.work / compiled.files[0]), options))


def _options(job: CompileJob) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = int(job.target.options.get("threads", 0))
    return options


def _session(path: str, options: onnxruntime.SessionOptions) -> onnxruntime.InferenceSession:
    # What the stack cannot take is Unsupported, and named. Every other error passes through unchanged: it is a bug.
    errors = onnxruntime.capi.onnxruntime_pybind11_state
    try:
        return onnxruntime.InferenceSession(path, options, providers=[PROVIDER])
    except (errors.NotImplemented, errors.InvalidGraph) as error:
        raise Unsupported(" ".join(str(error).split())[-500:]) from error
    except errors.Fail as error:
        if any(words in str(error) for words in REFUSALS):
            raise Unsupported(" ".join(str(error).split())[-500:]) from error
        raise
