"""``tool.py KIND MODEL DATA OUT``: a PyTorch exported program (``pt2``) or a transformers model as ONNX.

Runs in the environment of this folder. The export is PyTorch's own with its own settings, as a user would do it.
"""

import sys
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import transformers
from torch import Tensor, nn

ROWS = 2
"""Samples that a model is traced with: of one, an exporter would take the batch for a constant."""


class Named(nn.Module):
    """A transformers model whose inputs are given by position and whose outputs are the tensors among its own."""

    def __init__(self, model: nn.Module, names: Sequence[str]) -> None:
        super().__init__()
        self.model, self.names = model, list(names)

    def forward(self, *values: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.named(*values).values())

    def named(self, *values: Tensor) -> dict[str, Tensor]:
        found = self.model(**dict(zip(self.names, values, strict=True)), return_dict=True)
        return {name: value for name, value in found.items() if isinstance(value, Tensor)}


def transformers_program(model: str, data: str) -> torch.onnx.ONNXProgram:
    """The model's own head, in float32, with attention written out, for any number of samples."""
    with np.load(data, allow_pickle=False) as stored:
        arrays = {name: np.asarray(stored[name]) for name in stored.files if name != "labels"}
    config = transformers.AutoConfig.from_pretrained(model)
    if not config.architectures:
        sys.exit(f"the configuration of {model} names no architecture")
    kind: Any = getattr(transformers, config.architectures[0], None)
    if kind is None:
        sys.exit(f"transformers {transformers.__version__} has no {config.architectures[0]}")
    whole = kind.from_pretrained(model, dtype=torch.float32, attn_implementation="eager").eval()
    whole.config.use_cache = False
    named = Named(whole, list(arrays))
    samples = tuple(torch.from_numpy(np.resize(array[:ROWS], (ROWS, *array.shape[1:]))) for array in arrays.values())
    with torch.no_grad():
        outputs = list(named.named(*samples))
    batch = torch.export.Dim("batch")
    program = torch.onnx.export(
        named,
        samples,
        dynamo=True,
        dynamic_shapes=(tuple({0: batch} for _ in samples),),
        input_names=list(arrays),
        output_names=outputs,
        verbose=False,
    )
    assert program is not None
    return without_prefix(program, "model.")


def without_prefix(program: torch.onnx.ONNXProgram, prefix: str) -> torch.onnx.ONNXProgram:
    """The program with the library's names of weights, which a file of weights has."""
    held = program.model.graph.initializers
    for name in list(held):
        value = held.pop(name)
        value.name = name.removeprefix(prefix)
        held.add(value)
    return program


def exported_program(model: str) -> torch.onnx.ONNXProgram:
    program = torch.onnx.export(torch.export.load(model), dynamo=True, verbose=False)
    assert program is not None
    return program


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    kind, model, data, out = sys.argv[1:]
    program = exported_program(model) if kind == "pt2" else transformers_program(model, data)
    program.save(out, external_data=True)
