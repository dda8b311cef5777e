"""PyTorch on the CPU: a task's module, eager or compiled ahead of time by Inductor.

Facts relied on, from PyTorch's documentation: inference mode leaves out what autograd records; convolutions are fastest
in the memory format channels last; ``set_num_threads`` sets the threads within an operator; a dispatch mode sees every
operator that runs, with its tensors; ``torch.profiler`` tells the time that each operator took by itself, but not
that of kernels in an AOTInductor package; Inductor's ``freezing`` packs weights into the code's own layouts;
``aoti_compile_and_package`` writes a program that needs neither module nor Inductor, ``aoti_load_package`` loads it.
"""

from __future__ import annotations

import json
import platform
import threading
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Callable

import numpy as np
import torch
from building import bare, built
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from accelbench.backends.protocol import CompileJob, Feed, Outputs, core_share
from accelbench.errors import Unsupported
from accelbench.model import Compiled, DeviceInfo, OpTime, Placement, TensorSpec
from accelbench.tensors import Array

WEIGHTS, MODULE, PACKAGE = "weights.safetensors", "module.json", "model.pt2"
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
PRECISIONS = {torch.float32: "fp32", torch.bfloat16: "bf16", torch.float16: "fp16", torch.float64: "fp64"}
ARITHMETIC = ("conv", "linear", "mm", "matmul", "attention")
INDUCTOR = {"freezing": True}
NOT_TOLD = "not told"
HELD_BYTES = 1 << 16

warnings.filterwarnings("ignore", "The given NumPy array is not writable")  # and no module writes to its inputs


class Input:
    """An input of the module, for one thread. What is small has a tensor that each query is copied into: making one
    takes longer."""

    def __init__(self, spec: TensorSpec, dtype: torch.dtype) -> None:
        self.name, self.shape, self.dtype = spec.name, tuple(spec.shape), np.dtype(spec.dtype)
        self._number, self._given_as = self.dtype.num, dtype
        first = _given(np.zeros([int(dim) for dim in spec.shape], self.dtype), dtype)
        self._held = first if first.dtype != torch.bfloat16 and first.nbytes <= HELD_BYTES else None
        self._memory = None if self._held is None else self._held.numpy()

    def take(self, value: Array) -> Tensor:
        if value.shape != self.shape or value.dtype.num != self._number:
            raise ValueError(
                f"input {self.name} is {value.dtype} {value.shape}, the model takes {self.dtype} {self.shape}"
            )
        if self._held is None or self._memory is None:
            return _given(value, self._given_as)
        self._memory[...] = value
        return self._held


class TorchSession:
    """A callable that takes a task's inputs by name and gives its outputs in order."""

    def __init__(self, call: Callable[..., Any], job: CompileJob) -> None:
        self._call, self._specs = call, job.inputs
        self._outputs = [spec.name for spec in job.outputs]
        self._dtype = DTYPES[job.target.precision]
        self._own = threading.local()

    def run(self, feed: Feed) -> Outputs:
        try:
            mode, inputs = self._own.prepared
        except AttributeError:
            mode, inputs = self._own.prepared = self._prepared()
        with mode:
            outputs = _listed(self._call(**{each.name: each.take(feed[each.name]) for each in inputs}))
            return {
                name: (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()
                for name, tensor in zip(self._outputs, outputs)
            }

    def close(self) -> None:
        del self._call, self._own

    def _prepared(self) -> tuple[torch.inference_mode, Sequence[Input]]:
        """What the calling thread uses in each of its queries."""
        return torch.inference_mode(), [Input(spec, self._dtype) for spec in self._specs]


class TorchProfiler(TorchSession):
    """A module under PyTorch's own profiler. ``placements`` tell the precision that an operator ran in."""

    def __init__(self, call: Callable[..., Any], job: CompileJob, placements: Sequence[Placement]) -> None:
        super().__init__(call, job)
        self._precisions: dict[str, set[str]] = {}
        for placement in placements:
            self._precisions.setdefault(placement.op.partition(".")[0], set()).add(placement.precision)
        self._profile = torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU])
        self._runs = 0

    def run(self, feed: Feed) -> Outputs:
        self._runs += 1
        return super().run(feed)

    def begin(self) -> None:
        self._runs = 0
        self._profile.start()

    def end(self) -> Sequence[OpTime]:
        self._profile.stop()
        found = []
        for told in self._profile.key_averages():
            op = told.key.replace("aten::", "")
            precision = "/".join(sorted(self._precisions.get(op, ()))) or NOT_TOLD
            ns = told.self_cpu_time_total * 1e3 / self._runs
            found.append(OpTime(op, told.key, "cpu", precision, ns, told.count / self._runs))
        return found


class Seen(TorchDispatchMode):
    """Counts the operators that run and compute, by the type of their first floating-point tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.operators = Counter[tuple[str, str]]()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        name = str(func.overloadpacket).replace("aten.", "")
        if not func.is_view and not name.startswith("empty"):
            tensors = [each for each in torch.utils._pytree.tree_leaves((args, result)) if isinstance(each, Tensor)]
            floating = [each.dtype for each in tensors if each.is_floating_point()]
            dtype = (floating or [tensors[0].dtype if tensors else torch.float32])[0]
            self.operators[name, PRECISIONS.get(dtype, str(dtype).replace("torch.", ""))] += 1
        return result


def devices() -> Sequence[DeviceInfo]:
    told = {"capability": torch.backends.cpu.get_cpu_capability(), "onednn": str(torch.backends.mkldnn.is_available())}
    return [DeviceInfo(id="cpu", name=platform.machine(), properties=told)]


def compile(job: CompileJob) -> Compiled:  # noqa: A001
    if job.target.device != "cpu":
        raise Unsupported(f"device {job.target.device}: this adapter runs PyTorch on cpu only")
    if job.target.precision not in DTYPES:
        raise Unsupported(f"precision {job.target.precision}: this adapter has {', '.join(DTYPES)} on PyTorch")
    _set_threads(job)
    name, module = built(job)
    module = _prepared(module, job)
    example = _example(job)
    operators = _tried(module, example, job)
    inductor = job.target.options["mode"] == "inductor"
    if inductor:
        _package(module, example, job)
        files: tuple[str, ...] = (PACKAGE,)
    else:
        state = {key: tensor.contiguous() for key, tensor in module.state_dict().items()}
        save_file(state, job.work / WEIGHTS)
        (job.work / MODULE).write_text(json.dumps({"module": name}) + "\n", encoding="utf-8")
        files = (WEIGHTS, MODULE)
    arithmetic = Counter[str]()
    for (operator, precision), count in operators.items():
        if any(word in operator for word in ARITHMETIC):
            arithmetic[precision] += count
    return Compiled(
        files=files,
        format="AOTInductor package" if inductor else "safetensors",
        executed_precision=arithmetic.most_common(1)[0][0] if arithmetic else job.target.precision,
        placements=()
        if inductor
        else tuple(
            Placement(operator, "cpu", precision, count) for (operator, precision), count in sorted(operators.items())
        ),
        settings=_settings(module, job),
    )


def load(compiled: Compiled, job: CompileJob) -> TorchSession:
    _set_threads(job)
    if compiled.files == (PACKAGE,):
        return TorchSession(torch._inductor.aoti_load_package(str(job.work / PACKAGE)), job)
    return TorchSession(_loaded(job), job)


def profiler(compiled: Compiled, job: CompileJob) -> TorchProfiler:
    if compiled.files == (PACKAGE,):
        raise Unsupported("mode inductor: a package does not tell the time of its kernels; torch.mode=eager does")
    _set_threads(job)
    return TorchProfiler(_loaded(job), job, compiled.placements)


def _loaded(job: CompileJob) -> nn.Module:
    module = bare(json.loads((job.work / MODULE).read_text(encoding="utf-8"))["module"])
    module.load_state_dict(load_file(job.work / WEIGHTS))
    return _prepared(module, job)


def _set_threads(job: CompileJob) -> None:
    threads = job.target.options.get("threads") or core_share()
    if threads is not None:
        torch.set_num_threads(int(threads))


def _prepared(module: nn.Module, job: CompileJob) -> nn.Module:
    module = module.eval().requires_grad_(False).to(DTYPES[job.target.precision])
    return module.to(memory_format=torch.channels_last) if _convolves(module) else module


def _convolves(module: nn.Module) -> bool:
    return any(isinstance(layer, nn.Conv2d) for layer in module.modules())


def _given(value: np.ndarray[Any, np.dtype[Any]], dtype: torch.dtype) -> Tensor:
    """An input in memory that is the feed's where that is possible; images in channels last."""
    tensor = torch.from_numpy(np.ascontiguousarray(value))
    if tensor.is_floating_point():
        layout = torch.channels_last if tensor.dim() == 4 else torch.contiguous_format
        if tensor.dtype != dtype or not tensor.is_contiguous(memory_format=layout):
            return tensor.to(dtype, memory_format=layout)
    return tensor


def _listed(outputs: Any) -> Sequence[Tensor]:
    return [outputs] if isinstance(outputs, Tensor) else outputs


def _example(job: CompileJob) -> Mapping[str, Tensor]:
    feed = (
        job.calibration[0]
        if job.calibration
        else {spec.name: np.zeros([int(dim) for dim in spec.shape], spec.dtype) for spec in job.inputs}
    )
    return {spec.name: _given(feed[spec.name], DTYPES[job.target.precision]) for spec in job.inputs}


def _tried(module: nn.Module, example: Mapping[str, Tensor], job: CompileJob) -> Counter[tuple[str, str]]:
    """The operators of one run, whose outputs must be of the shapes that the model's are."""
    seen = Seen()
    with torch.no_grad(), seen:
        shapes = [tuple(tensor.shape) for tensor in _listed(module(**example))]
    wanted = [tuple(spec.shape) for spec in job.outputs]
    if shapes != wanted:
        raise Unsupported(f"shapes of outputs: the module's are {shapes}, the model's {wanted}")
    return seen.operators


def _package(module: nn.Module, example: Mapping[str, Tensor], job: CompileJob) -> None:
    """Write ``PACKAGE``. Unsupported where there is no C++ compiler."""
    from torch._inductor.cpp_builder import get_cpp_compiler
    from torch._inductor.exc import InvalidCxxCompiler

    try:
        get_cpp_compiler()
    except InvalidCxxCompiler as error:
        raise Unsupported("mode inductor: no C++ compiler was found; install g++, or name one in CXX") from error
    with torch.no_grad():
        program = torch.export.export(module, (), dict(example))
        torch._inductor.aoti_compile_and_package(
            program, package_path=str(job.work / PACKAGE), inductor_configs=dict(INDUCTOR)
        )


def _settings(module: nn.Module, job: CompileJob) -> Mapping[str, str]:
    settings = {
        "mode": job.target.options["mode"],
        "threads": str(torch.get_num_threads()),
        "memory_format": "channels last" if _convolves(module) else "contiguous",
        "onednn": str(torch.backends.mkldnn.is_available()).lower(),
    }
    config: Any = getattr(module, "config", None)
    if hasattr(config, "num_attention_heads"):
        settings["attention"] = str(config._attn_implementation)
    if job.target.precision == "bf16":
        settings["bf16"] = "weights and activations: the whole module is cast"
    if settings["mode"] == "inductor":
        settings["inductor"] = " ".join(f"{key}={value}" for key, value in INDUCTOR.items())
    return settings
