"""Tasks of image generation and mixtures of experts: their moments and their files. The modules: generative_nets.py."""

from __future__ import annotations

import fnmatch
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import calibrate
import graphs
import torch
from exporting import Exporter, say, stamp, write
from torch import Tensor, nn

from accelbench.tensors import TensorSet
from accelbench.zoo import catalogue, feeds, seeded
from accelbench.zoo.seeded import Moments
from families.generative_nets import MOE_INNER, MOE_WIDTH, Dit, Moe, Unet, VaeDecoder, VaeEncoder

BLOCKS = ("ResnetBlock2D", "Transformer2DModel", "PixelAttention", "DitBlock", "MoeLayer")
BRANCH = 0.5
"""What a residual branch adds, ÷ the branch's own scale; the published code starts many of them at zero."""

LINEAR = 0.5**0.5
"""He's normal is for rectified inputs; a convolution that reads the stream itself keeps its scale with this much."""

COMMON = {
    "*norm*.weight": Moments("normal", mean=1.0, std=0.1),
    "*.bias": Moments("normal", std=0.05),
}
CONVOLUTIONAL = {
    "*.conv2.weight": BRANCH,
    "*.conv_shortcut.weight": LINEAR,
    "*samplers.0.conv.weight": LINEAR,
    "*conv_in.weight": LINEAR,
}
UNET = {
    **CONVOLUTIONAL,
    "*.time_embedding.linear_1.weight": 2.0,
    "*.time_embedding.linear_2.weight": 2.0,
    "*.time_emb_proj.weight": 1.0,
    "*.attn?.to_[qk].weight": 1.5,
    "*.attn?.to_out.0.weight": BRANCH,
    "*.ff.net.2.weight": BRANCH,
    "*.proj_in.weight": LINEAR,
    "*.proj_out.weight": BRANCH * LINEAR,
}
VAE = {
    **CONVOLUTIONAL,
    "*.proj_attn.weight": BRANCH,
    "*.post_quant_conv.weight": 0.18 * LINEAR,
    "*.quant_conv.weight": 6.0 * LINEAR,
    "net.decoder.conv_out.weight": 0.7,
}
DIT = {
    "blocks.0.adaLN_modulation.1.weight": 0.8,
    "blocks.0.attn.qkv.weight": 1.3,
}
EXPERTS = {
    "*.router.layer.weight": Moments("normal", std=round(1.5 * MOE_WIDTH**-0.5, 5)),
    "*.input_linear.weight": Moments("normal", std=round(MOE_WIDTH**-0.5, 5)),
    "*.output_linear.weight": Moments("normal", std=round(MOE_INNER**-0.5, 5)),
    "*.mlp.bias": Moments("normal", std=0.05),
    **COMMON,
}


def exporter(make: Callable[[], nn.Module], scales: Mapping[str, float], special: Mapping[str, Moments]) -> Exporter:
    """Of the network that ``make`` builds, its moments being the framework's but for ``special`` ones, and scaled."""

    def run(folder: Path) -> None:
        with torch.device("meta"):
            module = make().eval()
        moments = moments_of(module, scales, special)
        write(folder, "moments.json", calibrate.to_json(moments, b""), ("weights", "seeded", "sha256"))
        task = catalogue.load(folder)
        samples = TensorSet(feeds.feeds(task, folder).path)
        rows = [{spec.name: torch.from_numpy(row[spec.name].copy())[None] for spec in task.inputs} for row in samples]
        examples = {name: torch.cat([value, value]) for name, value in rows[0].items()}
        model = graphs.export_bare(
            graphs.hollow(module), examples, [output.name for output in task.outputs], task.id, module.prefix
        )
        digest, changed = graphs.save(model, folder / "graph.onnx.gz")
        say(folder, f"graph.onnx.gz {'CHANGED' if changed else 'unchanged'}")
        stamp(folder, task.graph_sha256, digest)
        say(folder, finding(make, moments, calibrate.seed_of(task), rows))

    return run


def moments_of(module: nn.Module, scales: Mapping[str, float], special: Mapping[str, Moments]) -> calibrate.MomentsOf:
    """By the names that the task has. ``scales`` multiply the deviation of the tensors whose names match."""
    moments = calibrate.initialisation(module, None, special)
    for name, pattern in itertools.product(moments, scales):
        if fnmatch.fnmatchcase(name, pattern):
            moments[name] = replace(moments[name], std=moments[name].std * scales[pattern])
    return {
        name.removeprefix(module.prefix): replace(each, std=float(f"{each.std:.4g}")) for name, each in moments.items()
    }


@torch.no_grad()
def finding(
    make: Callable[[], nn.Module], moments: calibrate.MomentsOf, seed: int, rows: Sequence[Mapping[str, Tensor]]
) -> str:
    """What bfloat16 does to the network, what its output depends on, and the scale of its activations."""
    with torch.device("meta"):
        module = make().eval()
    module.to_empty(device="cpu")
    for name, tensor in module.state_dict().items():
        short = name.removeprefix(module.prefix)
        tensor.copy_(torch.from_numpy(seeded.draw(short, tensor.numel(), moments[short], seed)).view(tensor.shape))
    scales: list[float] = []
    hooks = [
        layer.register_forward_hook(lambda _layer, _inputs, output: scales.append(_rms(output)))
        for layer in module.modules()
        if type(layer).__name__ in BLOCKS
    ]
    reference = [module(*row.values()) for row in rows]
    for hook in hooks:
        hook.remove()
    depends = {"sample": calibrate.relative_l2(reference[1], reference[0])}
    if len(rows[0]) > 1:
        depends = {
            name: calibrate.relative_l2(module(*(rows[0] | {name: rows[1][name]}).values()), reference[0])
            for name in rows[0]
        }
    narrow(module)
    rounded = [module(*row.values()) for row in rows]
    drift = [calibrate.relative_l2(ours, theirs) for ours, theirs in zip(rounded, reference, strict=True)]
    return (
        f"bfloat16: relative L2 {min(drift):.2e} to {max(drift):.2e}; outputs {_rms(torch.stack(reference)):.2f}; "
        f"blocks {', '.join(f'{scale:.1f}' for scale in scales[: len(scales) // len(rows)])}; with another "
        f"{', '.join(f'{name} {change:.2f}' for name, change in depends.items())}"
    )


def narrow(module: nn.Module) -> None:
    """Round all weights to bfloat16, and from now on what each layer gives; arithmetic stays float32, as where products
    are accumulated."""
    for tensor in module.state_dict().values():
        tensor.copy_(tensor.bfloat16())
    for layer in module.modules():
        if next(layer.children(), None) is None:
            layer.register_forward_hook(lambda _layer, _inputs, output: output.bfloat16().float())


def _rms(output: Tensor | tuple[Tensor, ...]) -> float:
    values = output if isinstance(output, Tensor) else output[0]
    return float(values.double().pow(2).mean().sqrt())


NETWORKS: dict[str, tuple[Callable[[], nn.Module], Mapping[str, float], Mapping[str, Moments]]] = {
    "unet": (Unet, UNET, COMMON),
    "vae-encoder": (VaeEncoder, VAE, COMMON),
    "vae-decoder": (VaeDecoder, VAE, COMMON),
    "dit-block": (Dit, DIT, COMMON),
    "moe-block": (Moe, {}, EXPERTS),
}
EXPORTERS: dict[str, Exporter] = {name: exporter(*network) for name, network in NETWORKS.items()}
