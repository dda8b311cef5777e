"""From the ONNX file of a task to its PyTorch module with the same weights.

The graph of a task of the zoo has the task's id for a name, and its initializers have the names of the module's state
dict. So the file says which module it is, and whether it still is that one: every weight must be there under its name,
in its shape and in float32.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Callable

import numpy as np
import onnx
import torch
import zoo_language
import zoo_modules
from onnx.external_data_helper import load_external_data_for_tensor
from torch import nn

from accelbench.backends.protocol import CompileJob
from accelbench.errors import Unsupported

ATTENTION = "sdpa"
"""PyTorch's own fused kernel, where the library offers it."""

MODULES: Mapping[str, Callable[[], nn.Module]] = {
    "digits-cnn": zoo_modules.DigitsCnn,
    "digits-resnet": zoo_modules.DigitsResnet,
    "resnet50": zoo_modules.Resnet50,
    "widedeep": zoo_modules.WideDeep,
    "bert-base": lambda: zoo_language.BertBase(ATTENTION),
    "albert": lambda: zoo_language.Albert(ATTENTION),
    "roberta": lambda: zoo_language.Roberta(ATTENTION),
    "minilm": lambda: zoo_language.MiniLm(ATTENTION),
    "deberta": zoo_language.Deberta,
    "roformer": zoo_language.Roformer,
}
OWN_WEIGHTS = "prune:"
"""Passes of this kind change values only: the module stays the graph's."""


def built(job: CompileJob) -> tuple[str, nn.Module]:
    """The task and its module with the weights of ``job.model``, in float32. Raises Unsupported for a model that is
    none of the table's, or is no longer."""
    changed = [word for word in job.target.passes if not word.startswith(OWN_WEIGHTS)]
    if changed:
        raise Unsupported(
            f"pass {changed[0]}: it rewrites the graph, and this backend runs the module that it came from"
        )
    name, module = of_file(job.model)
    names = list(inspect.signature(module.forward).parameters)
    if names != [spec.name for spec in job.inputs]:
        raise Unsupported(f"inputs of {name}: the module takes {', '.join(names)}, and the model does not")
    return name, module


def of_file(path: Path) -> tuple[str, nn.Module]:
    """As ``built``, of an ONNX file alone."""
    model = onnx.load(str(path), load_external_data=False)
    name = model.graph.name
    if name not in MODULES:
        raise Unsupported(
            f"model {name or 'without a name'}: this backend runs modules, not ONNX graphs, and has those of "
            f"{', '.join(MODULES)}; use another backend for an ONNX file of your own"
        )
    module = MODULES[name]()
    _fill(name, module, model.graph, path.parent)
    return name, module


def bare(name: str) -> nn.Module:
    """The module of the task ``name``, with weights that mean nothing."""
    return MODULES[name]()


def _fill(name: str, module: nn.Module, graph: onnx.GraphProto, folder: Path) -> None:
    stored = {tensor.name: tensor for tensor in graph.initializer}
    # Batch norms count what they were trained on; no graph has that.
    counters = {key for key, tensor in module.state_dict().items() if tensor.dim() == 0}
    with torch.no_grad():
        for key, tensor in module.state_dict().items():
            if key in stored:
                tensor.copy_(torch.from_numpy(_array(name, stored[key], tuple(tensor.shape), folder)))
            elif key not in counters:
                raise Unsupported(f"model {name}: it has no weight {key}, which the module has")
    extra = [
        key
        for key, tensor in stored.items()
        if key not in module.state_dict() and tensor.data_location == onnx.TensorProto.EXTERNAL
    ]
    if extra:
        raise Unsupported(f"model {name}: the module has no weight {extra[0]}, which the model has")


def _array(
    name: str, tensor: onnx.TensorProto, shape: tuple[int, ...], folder: Path
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    if tensor.data_type != onnx.TensorProto.FLOAT or tuple(tensor.dims) != shape:
        kind = onnx.TensorProto.DataType.Name(tensor.data_type)
        raise Unsupported(
            f"model {name}: weight {tensor.name} is {kind} {list(tensor.dims)}, the module's FLOAT {list(shape)}"
        )
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        load_external_data_for_tensor(tensor, str(folder))
    values = np.array(onnx.numpy_helper.to_array(tensor))
    tensor.ClearField("raw_data")
    return values
