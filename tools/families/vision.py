"""Transformers for pictures, and for pictures with texts: Swin-L, ViT-B/16, SigLIP, CLIP and its text encoder.

The modules are the classes of the transformers library in the published sizes; initializers have the names of the
published checkpoints, so that the hub's safetensors load by name. Sources: Swin (Liu et al. 2021, arXiv:2103.14030),
ViT (Dosovitskiy et al. 2020, arXiv:2010.11929), CLIP (Radford et al. 2021, arXiv:2103.00020), SigLIP (Zhai et al. 2023,
arXiv:2303.15343). Stable Diffusion 1.5's text encoder is that of CLIP ViT-L/14 (Rombach et al. 2021, arXiv:2112.10752).
"""

from __future__ import annotations

import copy
import math
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

import calibrate
import graphs
import numpy as np
import onnx
import onnx_ir
import onnx_ir.passes.common
import safetensors.numpy
import torch
from calibrate import Feeds, Moments, MomentsOf
from exporting import Exporter, say, stamp, write
from torch import Tensor, nn
from transformers import (
    AttentionInterface,
    CLIPConfig,
    CLIPModel,
    CLIPTextConfig,
    CLIPTextModel,
    SiglipConfig,
    SiglipModel,
    SwinConfig,
    SwinForImageClassification,
    ViTConfig,
    ViTForImageClassification,
)
from transformers.models.swin.modeling_swin import SwinRelativePositionBias

from accelbench.model import Task
from accelbench.tensors import TensorSet, stack
from accelbench.zoo import catalogue, feeds, seeded

CENTRING = 0.75
"""Share of the mean over the feeds that a classifier's bias takes off, as in resnet50."""

TOWER_CENTRING = 0.5
"""The same for embeddings, which a trained network does not centre either."""

MASKED = -10000.0
"""Added to the scores of masked positions: float16 can hold it."""


def attention(
    _layer: nn.Module, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, scaling: float, **_: object
) -> tuple[Tensor, None]:
    """The attention of the library, for the interface that it has for others': what it adds to that for export, masks
    that mask nothing and casts to the type that values have, would hide the network."""
    scores = query @ key.transpose(2, 3) * scaling
    if mask is not None:
        scores = scores + mask
    return (scores.softmax(dim=-1) @ value).transpose(1, 2), None


AttentionInterface.register("exported", attention)
EXPORTED = {"attn_implementation": "exported"}


def causal(length: int) -> Tensor:
    """What is added to the scores of a causal layer, [1, 1, length, length]."""
    places = torch.arange(length)
    return (places[None, None, None, :] > places[None, None, :, None]).float() * MASKED


class RelativePositionBias(SwinRelativePositionBias):
    """The library's layer with its index, a constant of 20,736 elements, computed in the graph."""

    @property
    def relative_position_index(self) -> Tensor:
        height, width = self.window_size
        place = torch.arange(height * width)
        row, column = place // width, place % width
        rows = row[:, None] - row[None, :] + height - 1
        columns = column[:, None] - column[None, :] + width - 1
        return (rows * (2 * width - 1) + columns).flatten()


class SwinLarge(SwinForImageClassification):
    """Swin-L, patches of 4, windows of 12: image [batch,3,384,384] to logits [batch,1000]."""

    def __init__(self) -> None:
        sizes = {"embed_dim": 192, "depths": [2, 2, 18, 2], "num_heads": [6, 12, 24, 48], "window_size": 12}
        super().__init__(SwinConfig(image_size=384, num_labels=1000, **sizes, **EXPORTED))
        self.swin.pooler = None
        for layer in self.modules():
            if isinstance(layer, SwinRelativePositionBias):
                del layer.relative_position_index
                layer.__class__ = RelativePositionBias

    def forward(self, image: Tensor) -> Tensor:
        # The mean over all places is what the library's pooling gives; exported, that is a page of index arithmetic.
        logits: Tensor = self.classifier(self.swin(pixel_values=image).last_hidden_state.mean(dim=1))
        return logits


class VitBase(ViTForImageClassification):
    """ViT-B/16: image [batch,3,224,224] to logits [batch,1000]."""

    def __init__(self) -> None:
        super().__init__(ViTConfig(num_labels=1000, **EXPORTED))

    def forward(self, image: Tensor) -> Tensor:
        logits: Tensor = super().forward(pixel_values=image).logits
        return logits


def unit(vectors: Tensor) -> Tensor:
    """Vectors [batch, width] of length 1."""
    return vectors / vectors.norm(p=2, dim=-1, keepdim=True)


class Siglip(SiglipModel):
    """SigLIP base, patches of 16: image [batch,3,224,224] and input_ids [batch,64] to how well the two go together,
    logits [batch], and to embeddings of length 1, two [batch,768]. The logit is that of a pair, SigLIP's loss is over
    pairs; the library gives it for every image with every text of a batch, and these are its diagonal."""

    def __init__(self) -> None:
        super().__init__(SiglipConfig(**EXPORTED))

    def forward(self, image: Tensor, input_ids: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        images, texts = unit(self.image_pooled(image)), unit(self.text_pooled(input_ids))
        logits = (images * texts).sum(dim=-1) * self.logit_scale.exp() + self.logit_bias
        return logits, images, texts

    def image_pooled(self, image: Tensor) -> Tensor:
        return self.vision_model(pixel_values=image).pooler_output

    def text_pooled(self, input_ids: Tensor) -> Tensor:
        return self.text_model(input_ids=input_ids).pooler_output


class Clip(CLIPModel):
    """CLIP ViT-B/32: image [batch,3,224,224] and input_ids [batch,77] to embeddings of length 1, two [batch,512].

    A picture's class is the prompt with the nearest embedding. The embeddings of the classes' prompts are computed
    once and stay, so each sample brings a text of its own instead of all of them."""

    def __init__(self) -> None:
        super().__init__(CLIPConfig(text_config={"eos_token_id": 2, **EXPORTED}, vision_config=EXPORTED, **EXPORTED))
        del self.logit_scale  # cosines need none

    def forward(self, image: Tensor, input_ids: Tensor) -> tuple[Tensor, Tensor]:
        images = self.visual_projection(self.image_pooled(image))
        texts = self.text_projection(self.text_pooled(input_ids))
        return unit(images), unit(texts)

    def image_pooled(self, image: Tensor) -> Tensor:
        return self.vision_model(pixel_values=image).pooler_output

    def text_pooled(self, input_ids: Tensor) -> Tensor:
        """The hidden state of the first end, which has the highest of all ids."""
        hidden = self.text_model(input_ids=input_ids, attention_mask=causal(77)).last_hidden_state
        end = input_ids.to(torch.int32).argmax(dim=-1)[:, None, None].expand(-1, 1, hidden.shape[-1])
        return hidden.gather(1, end)[:, 0]


class ClipText(nn.Module):
    """The text encoder of CLIP ViT-L/14 without projection: input_ids [batch,77] to hidden states [batch,77,768]."""

    def __init__(self) -> None:
        super().__init__()
        sizes = {"hidden_size": 768, "intermediate_size": 3072, "num_attention_heads": 12}
        self.text_model = CLIPTextModel(CLIPTextConfig(eos_token_id=2, **sizes, **EXPORTED))

    def forward(self, input_ids: Tensor) -> Tensor:
        hidden: Tensor = self.text_model(input_ids=input_ids, attention_mask=causal(77)).last_hidden_state
        return hidden


PUBLISHED_NAMES = (
    ("vit.layers.", "vit.encoder.layer."),
    (r"^(swin.*\.attention)\.([qkv])_proj\.", r"\1.self.\2_proj."),
    (r"^(vit.*\.attention)\.([qkv])_proj\.", r"\1.attention.\2_proj."),
    (r"\.q_proj\.(?=[^.]*$)", ".query."),
    (r"\.k_proj\.(?=[^.]*$)", ".key."),
    (r"\.v_proj\.(?=[^.]*$)", ".value."),
    (r"\.o_proj\.", ".output.dense."),
    (r"\.relative_position_bias\.relative", ".self.relative"),
    (r"\.mlp\.fc1\.", ".intermediate.dense."),
    (r"\.mlp\.fc2\.", ".output.dense."),
)
"""From the library's present names to those of the checkpoints of Swin and ViT, which it translates on loading."""


def published(name: str) -> str:
    """The name of a tensor in the published checkpoint."""
    if name.startswith(("swin.", "vit.")):
        for pattern, replacement in PUBLISHED_NAMES:
            name = re.sub(pattern, replacement, name)
    return name


Calibration = Callable[[nn.Module, Feeds], "tuple[list[str], str]"]
"""From a module with drawn weights and the feeds: sets biases, and gives their names and what bfloat16 does."""


def exporter(
    make: Callable[[], nn.Module],
    inputs: Mapping[str, Tensor],
    special: Mapping[str, Moments],
    calibration: Calibration,
) -> Exporter:
    """Exporter of a task with seeded weights under published names; ``special`` as ``calibrate.initialisation``."""

    def run(folder: Path) -> None:
        task = catalogue.load(folder)
        samples = stack(TensorSet(feeds.feeds(task, folder).path))
        module = make().eval()
        moments = calibrate.initialisation(module, None, special)
        draw(module, moments, task)
        with torch.no_grad():
            stored, finding = calibration(module, {name: torch.from_numpy(values) for name, values in samples.items()})
        say(folder, finding)
        moments |= {name: Moments("stored") for name in stored}
        state = module.state_dict()
        kept = {published(name): state[name].numpy().astype(np.float16) for name in stored}
        statistics = safetensors.numpy.save(kept) if kept else b""
        if statistics:
            write(folder, calibrate.STATISTICS, statistics, None)
        named = {published(name): each for name, each in moments.items()}
        write(folder, "moments.json", calibrate.to_json(named, statistics), ("weights", "seeded", "sha256"))
        freeze(folder, module, inputs)

    return run


def draw(module: nn.Module, moments: MomentsOf, task: Task) -> None:
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            values = seeded.draw(published(name), tensor.numel(), moments[name], calibrate.seed_of(task))
            tensor.copy_(torch.from_numpy(values).view_as(tensor))


class Positional(nn.Module):
    """A module whose forward takes every input as one of ``*inputs``."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *inputs: Tensor) -> object:
        return self.module(*inputs)


def freeze(folder: Path, module: nn.Module, inputs: Mapping[str, Tensor]) -> None:
    """Write the graph without weights; what several layers compute alike of constants is computed once."""
    task = tomllib.loads((folder / "task.toml").read_text(encoding="utf-8"))
    names = {name: published(name) for name in module.state_dict()}
    outputs = [output["name"] for output in task["outputs"]]
    bare = graphs.export_bare(graphs.hollow(Positional(module)), inputs, outputs, task["id"], "module.")
    share_constants(bare.graph)
    shared = onnx_ir.passes.common.CommonSubexpressionEliminationPass()(onnx_ir.from_proto(bare)).model
    proto = onnx_ir.to_proto(shared)
    for tensor in proto.graph.initializer:
        tensor.name = names.get(tensor.name, tensor.name)
    for node in proto.graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
    digest, changed = graphs.save(proto, folder / "graph.onnx.gz")
    say(folder, f"graph.onnx.gz {'CHANGED' if changed else 'unchanged'}")
    stamp(folder, task["graph_sha256"], digest)


def share_constants(graph: onnx.GraphProto) -> None:
    """Equal initializers with data of their own become one."""
    kept: dict[tuple[object, ...], str] = {}
    same: dict[str, str] = {}
    for tensor in list(graph.initializer):
        if tensor.data_location != onnx.TensorProto.EXTERNAL:
            array = onnx.numpy_helper.to_array(tensor)
            first = kept.setdefault((array.dtype, array.shape, array.tobytes()), tensor.name)
            if first != tensor.name:
                same[tensor.name] = first
                graph.initializer.remove(tensor)
    for node in graph.node:
        node.input[:] = [same.get(name, name) for name in node.input]


def rounded(module: nn.Module) -> nn.Module:
    """A copy that computes in float32, with all weights and what every layer gives rounded to bfloat16."""
    narrow = copy.deepcopy(module)
    for tensor in narrow.parameters():
        tensor.copy_(tensor.bfloat16())
    for layer in narrow.modules():
        if not list(layer.children()):
            layer.register_forward_hook(lambda _layer, _inputs, output: output.bfloat16().float())
    return narrow


def decision_finding(reference: Tensor, narrow: Tensor) -> str:
    """What rounding does to scores [samples, classes] and to the classes that they choose."""
    top = reference.topk(2).values
    clear = (top[:, 0] - top[:, 1] > 2**0.5 * (narrow - reference).std(1)).float().mean()
    agreement = (narrow.argmax(1) == reference.argmax(1)).float().mean()
    return (
        f"same class on {agreement:.0%}, margin above the error on {clear:.0%}, "
        f"{reference.argmax(1).unique().numel()} classes, scores {reference.std():.2f}"
    )


def classifier(module: nn.Module, inputs: Feeds) -> tuple[list[str], str]:
    """Centre the classifier's bias over the feeds."""
    head, logits = module.classifier, module(**inputs)
    head.bias.copy_((-CENTRING * logits.mean(0)).half())
    reference, narrow = logits + head.bias, rounded(module)(**inputs)
    return ["classifier.bias"], (
        f"bfloat16: relative L2 {calibrate.relative_l2(narrow, reference):.2e}, {decision_finding(reference, narrow)}, "
        f"between feeds {(reference - reference.mean(0)).std():.2f}"
    )


def towers(image_bias: str, text_bias: str) -> Calibration:
    """Centre the last bias of either tower, for the embeddings of a random network are much alike."""

    def run(module: nn.Module, inputs: Feeds) -> tuple[list[str], str]:
        image, text = module.image_pooled(inputs["image"]), module.text_pooled(inputs["input_ids"])
        for bias, pooled in ((image_bias, image), (text_bias, text)):
            module.get_parameter(bias).copy_((-TOWER_CENTRING * pooled.mean(0)).half())
        outputs, narrow = module(**inputs), rounded(module)(**inputs)
        drift = ", ".join(f"{calibrate.relative_l2(n, o):.2e}" for n, o in zip(narrow, outputs, strict=True))
        images, texts = outputs[-2:]
        scores = images @ texts.T
        return [image_bias, text_bias], (
            f"bfloat16: relative L2 {drift}; nearest text: {decision_finding(scores, narrow[-2] @ narrow[-1].T)}; "
            f"cosines of pairs {scores.diagonal().mean():.3f} ± {scores.diagonal().std():.3f}, of pictures "
            f"{(images @ images.T).mean():.2f}, of texts {(texts @ texts.T).mean():.2f}"
        )

    return run


def hidden(module: nn.Module, inputs: Feeds) -> tuple[list[str], str]:
    """Nothing to centre: hidden states are all that there is."""
    reference, narrow = module(**inputs), rounded(module)(**inputs)
    between = (reference - reference.mean(0)).norm() / reference.norm()
    return [], f"bfloat16: relative L2 {calibrate.relative_l2(narrow, reference):.2e}; between feeds {between:.2f}"


def normal(std: float) -> Moments:
    return Moments("normal", std=std)


PICTURE, SWIN_PICTURE = torch.zeros(2, 3, 224, 224), torch.zeros(2, 3, 384, 384)
CLIP_TEXT, SIGLIP_TEXT = torch.ones(2, 77, dtype=torch.int64), torch.ones(2, 64, dtype=torch.int64)
TABLES = {"*token_embedding.weight": normal(0.5), "*position_embedding.weight": normal(0.25)}

EXPORTERS: dict[str, Exporter] = {
    "swin-large": exporter(
        SwinLarge, {"image": SWIN_PICTURE}, {"*relative_position_bias_table": normal(0.5)}, classifier
    ),
    "vit": exporter(
        VitBase, {"image": PICTURE}, {"*cls_token": normal(0.5), "*position_embeddings": normal(0.5)}, classifier
    ),
    "siglip": exporter(
        Siglip,
        {"image": PICTURE, "input_ids": SIGLIP_TEXT},
        {
            **TABLES,
            "logit_scale": Moments("constant", mean=math.log(10)),
            "logit_bias": Moments("constant", mean=-10.0),
            "*probe": normal(1.0),
            "*in_proj_weight": normal(1 / math.sqrt(768)),
            "*in_proj_bias": Moments("constant"),
        },
        towers("vision_model.head.mlp.fc2.bias", "text_model.head.bias"),
    ),
    "videobert": exporter(
        Clip,
        {"image": PICTURE, "input_ids": CLIP_TEXT},
        {**TABLES, "*class_embedding": normal(0.5)},
        towers("vision_model.post_layernorm.bias", "text_model.final_layer_norm.bias"),
    ),
    "clip-text": exporter(ClipText, {"input_ids": CLIP_TEXT}, TABLES, hidden),
}
