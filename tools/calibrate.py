"""Moments of seeded weights, and the statistics that are measured once over the feeds and shipped.

A network with random weights is a fair load for a compiler, but a poor subject for accuracy unless its activations and
its decisions behave like a trained network's. What is done for that, and why, is in README.md.
"""

from __future__ import annotations

import copy
import fnmatch
import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict

import numpy as np
import safetensors.numpy
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from accelbench.model import Task
from accelbench.zoo import seeded
from accelbench.zoo.seeded import Moments

STATISTICS = "statistics.safetensors"
BRANCH_SCALE = 0.1
HEAD_CENTRING = 0.75

MomentsOf = dict[str, Moments]
Feeds = dict[str, Tensor]
Calibration = Callable[[nn.Module, Task, Feeds], tuple[MomentsOf, bytes, str]]
"""From a module, its task and the task's feeds to moments, statistics (safetensors) and what bfloat16 does to it."""


def to_json(moments: MomentsOf, statistics: bytes) -> bytes:
    """The text of ``moments.json``: one line per tensor, and the hash of the statistics file where there is one."""
    rows = {name: {k: v for k, v in asdict(m).items() if v != 0.0} for name, m in moments.items()}
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(row)}" for name, row in rows.items())
    digest = f'"{hashlib.sha256(statistics).hexdigest()}"' if statistics else "null"
    return f'{{"statistics_sha256": {digest},\n "tensors": {{\n{lines}\n}}}}\n'.encode()


def seed_of(task: Task) -> int:
    return next(source.seed or 0 for source in task.weights if source.kind == "seeded")


def fill(module: nn.Module, moments: MomentsOf, seed: int) -> None:
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            if name in moments and moments[name].kind != "stored":
                values = seeded.draw(name, tensor.numel(), moments[name], seed)
                tensor.copy_(torch.from_numpy(values).view_as(tensor))


def initialisation(module: nn.Module, std: float | None, special: Mapping[str, Moments]) -> MomentsOf:
    """How every floating-point tensor of the state dict is drawn: ``special`` by patterns of names (the first that
    matches), else by the layer's type: matrices and embeddings normal with ``std`` (None: 1/√inputs, and 1/√width for
    embeddings), convolutions He's normal (fan in), norms 1, biases 0. Raises ValueError for a tensor of no known layer.
    """
    layers = dict(module.named_modules())
    moments: MomentsOf = {}
    for name, tensor in module.state_dict().items():
        if not tensor.is_floating_point():
            continue
        pattern = next((each for each in special if fnmatch.fnmatchcase(name, each)), None)
        owner, _, leaf = name.rpartition(".")
        if pattern is not None:
            moments[name] = special[pattern]
        elif leaf == "bias":
            moments[name] = Moments("constant")
        else:
            moments[name] = _moments_of(layers[owner], name, tensor, std)
    return moments


def _moments_of(layer: nn.Module, name: str, tensor: Tensor, std: float | None) -> Moments:
    if isinstance(layer, (nn.Linear, nn.Embedding)):
        return Moments("normal", std=1 / math.sqrt(tensor.shape[1]) if std is None else std)
    if isinstance(layer, (nn.Conv1d, nn.Conv2d, nn.Conv3d)):
        return Moments("normal", std=math.sqrt(2 / math.prod(tensor.shape[1:])))
    if "norm" in type(layer).__name__.lower():
        return Moments("constant", mean=1.0)
    raise ValueError(f"no moments for {name} of {type(layer).__name__}: name it among the special ones")


def relative_l2(output: Tensor, reference: Tensor) -> float:
    return float((output.double() - reference.double()).norm() / reference.double().norm())


def resnet50(module: nn.Module, task: Task, feeds: Feeds) -> tuple[MomentsOf, bytes, str]:
    """He initialisation (fan out); batch-norm statistics and the head's bias from the task's pictures, as float16."""
    x = feeds["image"]
    moments: MomentsOf = {}
    for name, layer in module.named_modules():
        if isinstance(layer, nn.Conv2d):
            fan_out = layer.out_channels * layer.kernel_size[0] * layer.kernel_size[1]
            moments[f"{name}.weight"] = Moments("normal", std=math.sqrt(2 / fan_out))
        elif isinstance(layer, nn.BatchNorm2d):
            last = name.endswith("layer.2.normalization")
            moments[f"{name}.weight"] = Moments("constant", mean=BRANCH_SCALE if last else 1.0)
            moments[f"{name}.bias"] = Moments("constant")
            moments[f"{name}.running_mean"] = moments[f"{name}.running_var"] = Moments("stored")
        elif isinstance(layer, nn.Linear):
            moments[f"{name}.weight"] = Moments("normal", std=1 / math.sqrt(layer.in_features))
            moments[f"{name}.bias"] = Moments("stored")
    fill(module, moments, seed_of(task))
    with torch.no_grad():
        measure_batch_norms(module, x)
        head = module.classifier[1]
        features = module.resnet(x).pooler_output.flatten(1)
        scale = 2.5 / float((features @ head.weight.T - head.weight @ features.mean(0)).std())
        moments["classifier.1.weight"] = Moments("normal", std=round(scale / math.sqrt(head.in_features), 4))
        fill(module, moments, seed_of(task))
        head.bias.copy_((-HEAD_CENTRING * (head.weight @ features.mean(0))).half())
        finding = _top1_finding(module, x)
    state = module.state_dict()
    stored = {name: state[name].numpy().astype(np.float16) for name, m in moments.items() if m.kind == "stored"}
    return moments, safetensors.numpy.save(stored), finding


def measure_batch_norms(module: nn.Module, *inputs: Tensor) -> None:
    """Give every batch norm the statistics of its input when ``module`` sees ``inputs``, as float16 can hold them."""
    norms = [layer for layer in module.modules() if isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d))]
    for norm in norms:
        norm.momentum = 1.0
        norm.train()
    module(*inputs)
    for norm in norms:
        norm.eval()
        norm.running_mean.copy_(norm.running_mean.half())
        norm.running_var.copy_(norm.running_var.half())


def _top1_finding(module: nn.Module, x: Tensor) -> str:
    """What bfloat16 does to the logits, with batch norms folded into the convolutions as compilers do."""
    logits = module(x)
    folded = copy.deepcopy(module)
    for layer in folded.modules():
        if hasattr(layer, "convolution") and hasattr(layer, "normalization"):
            layer.convolution = fuse_conv_bn_eval(layer.convolution, layer.normalization)
            layer.normalization = nn.Identity()
    rounded = folded.bfloat16()(x.bfloat16()).float()
    top = logits.topk(2).values
    clear = (top[:, 0] - top[:, 1] > math.sqrt(2) * (rounded - logits).std(1)).float().mean()
    agreement = (rounded.argmax(1) == logits.argmax(1)).float().mean()
    return (
        f"bfloat16: relative L2 {relative_l2(rounded, logits):.2e}, same top-1 on {agreement:.0%}, margin above the "
        f"error on {clear:.0%}; {logits.argmax(1).unique().numel()} classes; logits {logits.std():.2f}"
    )


def bert_base(module: nn.Module, task: Task, feeds: Feeds) -> tuple[MomentsOf, bytes, str]:
    """The library's initialisation: normal with 0.02 for matrices and embeddings, zero biases, unit layer norms; a
    head ten times as wide, so that the logits have a trained network's spread."""
    moments: MomentsOf = {}
    for name, layer in module.named_modules():
        if isinstance(layer, (nn.Linear, nn.Embedding)):
            moments[f"{name}.weight"] = Moments("normal", std=0.2 if name == "qa_outputs" else 0.02)
        if isinstance(layer, nn.Linear):
            moments[f"{name}.bias"] = Moments("constant")
        if isinstance(layer, nn.LayerNorm):
            moments[f"{name}.weight"] = Moments("constant", mean=1.0)
            moments[f"{name}.bias"] = Moments("constant")
    fill(module, moments, seed_of(task))
    return moments, b"", span_finding(module, feeds)


def span_finding(module: nn.Module, feeds: Feeds) -> str:
    """What bfloat16 does to start and end logits."""
    with torch.no_grad():
        reference = torch.stack(module(**feeds))
        rounded = torch.stack(copy.deepcopy(module).bfloat16()(**feeds)).float()
    keep = feeds["attention_mask"].bool().expand_as(reference)
    first, second = reference.masked_fill(~keep, -1e9), rounded.masked_fill(~keep, -1e9)
    agreement = (first.argmax(2) == second.argmax(2)).all(0).float().mean()
    top = first.topk(2).values
    clear = (top[..., 0] - top[..., 1] > math.sqrt(2) * (rounded - reference).std()).all(0).float().mean()
    return (
        f"bfloat16: relative L2 {relative_l2(rounded, reference):.2e}, same start and end on {agreement:.0%}, margin "
        f"above the error on {clear:.0%}; logits {reference.std():.2f}, between feeds {reference.std(1).mean():.2f}"
    )


def widedeep(module: nn.Module, task: Task, feeds: Feeds) -> tuple[MomentsOf, bytes, str]:
    """He's uniform initialisation for the rectified layers, 1/√dim for embeddings, a bias for a click rate near
    one tenth."""
    moments: MomentsOf = {}
    for name, layer in module.named_modules():
        if isinstance(layer, nn.Embedding):
            std = 1 / math.sqrt(layer.embedding_dim) if layer.embedding_dim > 1 else 0.1
            moments[f"{name}.weight"] = Moments("normal", std=std)
        elif isinstance(layer, nn.Linear):
            bound = math.sqrt((6 if layer.out_features > 1 else 3) / layer.in_features)
            moments[f"{name}.weight"] = Moments("uniform", low=-bound, high=bound)
            moments[f"{name}.bias"] = Moments("constant")
    moments["wide_dense.weight"] = Moments("normal", std=0.1)
    moments["wide_dense.bias"] = Moments("constant", mean=-1.0)
    fill(module, moments, seed_of(task))
    with torch.no_grad():
        reference = module(**feeds)
        narrow = copy.deepcopy(module).bfloat16()
        rounded = narrow(feeds["dense"].bfloat16(), feeds["sparse"]).float()
    finding = (
        f"bfloat16: relative L2 {relative_l2(rounded, reference):.2e}; probabilities "
        f"{', '.join(f'{q:.3f}' for q in reference.quantile(torch.tensor([0.0, 0.1, 0.5, 0.9, 1.0])))}"
    )
    return moments, b"", finding
