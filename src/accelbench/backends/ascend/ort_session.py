"""Sessions of ONNX Runtime on a device's execution provider, with the CPU provider for what that does not take.

The same text lies in the folder of each backend that uses it: a backend's folder stands alone. Facts relied on, from
ONNX Runtime's documentation: inputs bound with ``bind_cpu_input`` are copied to where the provider wants them, outputs
bound without a device are in host memory when ``run_with_iobinding`` returns; the profile of a run names each kernel,
its provider and the types of its inputs; with ``session.record_ep_graph_assignment_info`` a session of a newer version
tells which provider was given which nodes. A session silently does without a provider that cannot be loaded.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime

from accelbench.backends.protocol import CompileJob, Feed, Outputs, core_share
from accelbench.errors import Unsupported
from accelbench.model import Placement

MODEL = "model.onnx"
WEIGHTS = "model.data"
CPU = "CPUExecutionProvider"
CPU_DEVICE = "cpu"
LARGE_BYTES = 1 << 30
"""From this size on weights lie in WEIGHTS: protobuf holds 2 GB at most."""

PRECISIONS = {"float": "fp32", "float16": "fp16", "bfloat16": "bf16", "double": "fp64", "int8": "int8", "uint8": "int8"}
ARITHMETIC = ("Conv", "MatMul", "Gemm", "Attention", "LSTM", "GRU", "Einsum")
REFUSALS = (
    "is not a registered function/op",
    "Unsupported model IR version",
    "Current official support",
    "not supported",
)
KERNEL = "_kernel_time"

Providers = Sequence[tuple[str, Mapping[str, str]]]


class BoundSession:
    """A session whose inputs and outputs are bound, for each calling thread apart."""

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session
        self._inputs = [value.name for value in session.get_inputs()]
        self._outputs = [value.name for value in session.get_outputs()]
        self._local = threading.local()

    def run(self, feed: Feed) -> Outputs:
        binding = getattr(self._local, "binding", None)
        if binding is None:
            binding = self._local.binding = self._session.io_binding()
        for name in self._inputs:
            binding.bind_cpu_input(name, np.ascontiguousarray(feed[name]))
        for name in self._outputs:
            binding.bind_output(name)
        self._session.run_with_iobinding(binding)
        return dict(zip(self._outputs, binding.copy_outputs_to_cpu()))

    def close(self) -> None:
        self._local = threading.local()
        del self._session


def write(model: onnx.ModelProto, work: Path) -> list[str]:
    """The model in ``work``, its weights beside it where they are large. The names of the files."""
    large = is_large(model)
    onnx.save(model, str(work / MODEL), save_as_external_data=large, location=WEIGHTS if large else None)
    return [name for name in (MODEL, WEIGHTS) if (work / name).is_file()]


def is_large(model: onnx.ModelProto) -> bool:
    return sum(len(tensor.raw_data) for tensor in model.graph.initializer) > LARGE_BYTES


def opened(
    path: Path, providers: Providers, *, profiled: bool = False, optimised: bool = True
) -> onnxruntime.InferenceSession:
    """A session on the first of ``providers``, with the others and the CPU's for what that does not take. What ONNX
    Runtime has no kernel for is Unsupported in its own words; RuntimeError when the first provider was not loaded."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = core_share() or 0
    if not optimised:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    if profiled:
        options.enable_profiling = True
        options.profile_file_prefix = str(path.parent / "profile")
        options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    state = onnxruntime.capi.onnxruntime_pybind11_state
    everything = [(name, dict(settings)) for name, settings in providers] + [(CPU, {})]
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=everything, enable_fallback=False)
    except (state.NotImplemented, state.InvalidGraph, state.Fail) as error:
        text = " ".join(str(error).split())
        if isinstance(error, state.Fail) and not any(sign in text for sign in REFUSALS):
            raise
        raise Unsupported(text.rpartition(" : ")[2]) from error
    session.disable_fallback()
    if providers[0][0] not in session.get_providers():
        raise RuntimeError(f"{providers[0][0]} was not loaded: a library of its SDK is missing, as stderr.txt says")
    return session


def placements(
    session: onnxruntime.InferenceSession, job: CompileJob, original: onnx.ModelProto, opaque: Mapping[str, str]
) -> tuple[Placement, ...]:
    """The kernels of one run of a profiled session, each in the precision of its inputs. A provider that is ``opaque``
    runs whole subgraphs as one kernel, in the precision that it was asked for.

    Nodes that were fused away before any kernel got their name count with the first fused kernel of their provider,
    where the session tells which nodes it was given.
    """
    session.run(None, feed(job))
    profile = Path(session.end_profiling())
    events = json.loads(profile.read_text(encoding="utf-8"))
    profile.unlink()
    names = {node.name for node in original.graph.node if node.name}
    kernels: dict[tuple[str, str, str], list[str]] = {}
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith(KERNEL):
            told = event["args"]
            provider = told["provider"]
            precision = opaque.get(provider) or _precision(told["input_type_shape"])
            kernels.setdefault((provider, told["op_name"], precision), []).append(event["name"][: -len(KERNEL)])
    named = {name for found in kernels.values() for name in found}
    fused = {provider: nodes & names - named for provider, nodes in _assigned(session).items()}
    found = []
    for (provider, op, precision), carried in sorted(kernels.items(), key=lambda item: names.issuperset(item[1])):
        nodes = names.intersection(carried) | fused.pop(provider, set())
        device = CPU_DEVICE if provider == CPU else job.target.device
        found.append(Placement(op, device, precision, len(carried), tuple(sorted(nodes))))
    return tuple(sorted(found, key=lambda each: (each.device, each.op, each.precision)))


def executed(found: Sequence[Placement], job: CompileJob) -> str:
    """The precision of most kernels of arithmetic on the target's device, or of all kernels there, if none is known to
    be one; of all when it runs none."""
    own = [each for each in found if each.device == job.target.device] or list(found)
    counts = Counter[str]()
    for each in [one for one in own if any(kind in one.op for kind in ARITHMETIC)] or own:
        counts[each.precision] += each.count
    common = counts.most_common(1)
    return common[0][0] if common else "fp32"


def feed(job: CompileJob) -> Feed:
    """The first calibration feed, or small numbers: 0 and 1 among integers, below 1 else."""
    if job.calibration:
        return dict(job.calibration[0])
    random = np.random.default_rng(0)
    shapes = {spec.name: [1 if isinstance(dim, str) else dim for dim in spec.shape] for spec in job.inputs}
    return {
        spec.name: random.integers(0, 2, shapes[spec.name]).astype(spec.dtype)
        if np.dtype(spec.dtype).kind in "iub"
        else random.random(shapes[spec.name]).astype(spec.dtype)
        for spec in job.inputs
    }


def _assigned(session: onnxruntime.InferenceSession) -> dict[str, set[str]]:
    """The nodes that each provider was given; empty with a version that does not tell."""
    found: dict[str, set[str]] = {}
    if hasattr(session, "get_provider_graph_assignment_info"):
        for part in session.get_provider_graph_assignment_info():
            found.setdefault(part.ep_name, set()).update(node.name for node in part.get_nodes())
    return found


def _precision(inputs: Sequence[Mapping[str, Any]]) -> str:
    """int8 when any input is quantised, else the type of the first input that is a number of floating point."""
    types = [name for entry in inputs for name in entry]
    if "int8" in types or "uint8" in types:
        return "int8"
    floating = [PRECISIONS[name] for name in types if name in PRECISIONS]
    return floating[0] if floating else (types[0] if types else "none")
