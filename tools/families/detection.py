"""Detectors of objects, and the moments of their seeded weights.

YOLOv5s is written from its published description: the layers' table of the model, version 6.0 and later, and the
formulas by which its documentation decodes boxes. Names are those of the published checkpoint's state dict, so
that a safetensors file made of one loads by name.
"""

from __future__ import annotations

import copy
import math

import calibrate
import numpy as np
import safetensors.numpy
import torch
from calibrate import Feeds, MomentsOf
from exporting import Exporter, seeded
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from accelbench.metrics import detection
from accelbench.model import Task
from accelbench.zoo.seeded import Moments, draw

CLASSES = 80
SIDE = 640
STRIDES = (8, 16, 32)
ANCHORS = (
    ((10, 13), (16, 30), (33, 23)),
    ((30, 61), (62, 45), (59, 119)),
    ((116, 90), (156, 198), (373, 326)),
)
"""Widths and heights in pixels, by stride."""

NORM_SCALE, BRANCH_SCALE = 0.2, 0.02
"""Of batch norms, and of those that end a bottleneck. At 1, SiLU after a batch norm makes an error's square grow by
a fifth in every layer, at 0.2 by a fiftieth; and a tenth of it makes bottlenecks small additions to the short paths."""

LOGITS = 1.5
"""Deviation of the head's logits over cells and pictures."""

OBJECTNESS = -4.0
GAP, DEPTH, SILENCE = 0.4, 4, 2.0
SMALLEST = 16.0
"""Pixels: sides of smaller boxes are not far above the error of a centre at 512 … 640, which is 2 in bfloat16."""


class Conv(nn.Module):
    """Convolution without bias, batch norm, SiLU."""

    def __init__(self, channels_in: int, channels: int, kernel: int = 1, stride: int = 1, padding: int | None = None):
        super().__init__()
        padding = kernel // 2 if padding is None else padding
        self.conv = nn.Conv2d(channels_in, channels, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(channels, eps=1e-3, momentum=0.03)
        self.act = nn.SiLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.bn(self.conv(x)))


class Bottleneck(nn.Module):
    """A 1×1 and a 3×3 convolution, added to their input in the backbone."""

    def __init__(self, channels: int, shortcut: bool) -> None:
        super().__init__()
        self.cv1 = Conv(channels, channels)
        self.cv2 = Conv(channels, channels, 3)
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        y = self.cv2(self.cv1(x))
        return x + y if self.shortcut else y


class C3(nn.Module):
    """A cross-stage partial block: one half passes ``depth`` bottlenecks, the other none, a 1×1 joins them."""

    def __init__(self, channels_in: int, channels: int, depth: int, shortcut: bool = True) -> None:
        super().__init__()
        half = channels // 2
        self.cv1 = Conv(channels_in, half)
        self.cv2 = Conv(channels_in, half)
        self.cv3 = Conv(2 * half, channels)
        self.m = nn.Sequential(*(Bottleneck(half, shortcut) for _ in range(depth)))

    def forward(self, x: Tensor) -> Tensor:
        return self.cv3(torch.cat((self.m(self.cv1(x)), self.cv2(x)), 1))


class Sppf(nn.Module):
    """Spatial pyramid pooling by one pool of 5×5, applied three times."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.cv1 = Conv(channels, channels // 2)
        self.cv2 = Conv(2 * channels, channels)
        self.m = nn.MaxPool2d(5, 1, 2)

    def forward(self, x: Tensor) -> Tensor:
        levels = [self.cv1(x)]
        for _ in range(3):
            levels.append(self.m(levels[-1]))
        return self.cv2(torch.cat(levels, 1))


class Detect(nn.Module):
    """Three anchors per cell and stride, each with a box, an objectness and the classes' probabilities, decoded: centre
    x, centre y, width and height in pixels, then probabilities."""

    def __init__(self, channels: tuple[int, ...]) -> None:
        super().__init__()
        self.m = nn.ModuleList(nn.Conv2d(width, 3 * (5 + CLASSES), 1) for width in channels)
        strides = torch.tensor(STRIDES).view(3, 1, 1)
        self.register_buffer("anchors", torch.tensor(ANCHORS, dtype=torch.float32) / strides, persistent=False)

    def forward(self, levels: list[Tensor]) -> Tensor:
        return torch.cat([self._decoded(i, self.m[i](x)) for i, x in enumerate(levels)], 1)

    def _decoded(self, i: int, x: Tensor) -> Tensor:
        side, stride = SIDE // STRIDES[i], STRIDES[i]
        y = x.view(-1, 3, 5 + CLASSES, side, side).permute(0, 1, 3, 4, 2).sigmoid()
        steps = torch.arange(side, dtype=x.dtype)
        rows, columns = torch.meshgrid(steps, steps, indexing="ij")
        centres = (y[..., 0:2] * 2 - 0.5 + torch.stack((columns, rows), 2)) * stride
        sizes = (y[..., 2:4] * 2) ** 2 * (self.anchors[i] * stride).view(1, 3, 1, 1, 2)
        return torch.cat((centres, sizes, y[..., 4:]), 4).reshape(-1, 3 * side * side, 5 + CLASSES)


class Yolov5s(nn.Module):
    """YOLOv5s: image [batch,3,640,640] in 0…1 to predictions [batch,25200,85], of which scores are the product of
    objectness and a class's probability."""

    def __init__(self) -> None:
        super().__init__()
        up = nn.Upsample(scale_factor=2, mode="nearest")
        joint = nn.Identity()  # the checkpoint's numbering counts the concatenations
        self.model = nn.ModuleList([
            Conv(3, 32, 6, 2, 2), Conv(32, 64, 3, 2), C3(64, 64, 1), Conv(64, 128, 3, 2), C3(128, 128, 2),
            Conv(128, 256, 3, 2), C3(256, 256, 3), Conv(256, 512, 3, 2), C3(512, 512, 1), Sppf(512),
            Conv(512, 256), up, joint, C3(512, 256, 1, shortcut=False),
            Conv(256, 128), up, joint, C3(256, 128, 1, shortcut=False),
            Conv(128, 128, 3, 2), joint, C3(256, 256, 1, shortcut=False),
            Conv(256, 256, 3, 2), joint, C3(512, 512, 1, shortcut=False),
            Detect((128, 256, 512)),
        ])  # fmt: skip

    def forward(self, image: Tensor) -> Tensor:
        layers = self.model
        fine = _through(layers[:5], image)
        middle = _through(layers[5:7], fine)
        top = _through(layers[7:11], middle)
        lateral = layers[14](layers[13](torch.cat((layers[11](top), middle), 1)))
        small = layers[17](torch.cat((layers[15](lateral), fine), 1))
        medium = layers[20](torch.cat((layers[18](small), lateral), 1))
        large = layers[23](torch.cat((layers[21](medium), top), 1))
        predictions: Tensor = layers[24]([small, medium, large])
        return predictions


def _through(layers: nn.ModuleList, x: Tensor) -> Tensor:
    for layer in layers:
        x = layer(x)
    return x


def yolov5s(module: nn.Module, task: Task, feeds: Feeds) -> tuple[MomentsOf, bytes, str]:
    """He's normal initialisation (fan in); batch-norm statistics over the task's pictures; a head whose logits have the
    deviation ``LOGITS``, and biases by which its detections stand out."""
    x = feeds["image"]
    stored, scale, end = Moments("stored"), Moments("constant", mean=NORM_SCALE), Moments("constant", mean=BRANCH_SCALE)
    special = dict.fromkeys(("*.running_mean", "*.running_var", "model.24.m.*.bias"), stored)
    special |= {"*.m.*.cv2.bn.weight": end, "*.bn.weight": scale, "*.bn.bias": Moments("constant")}
    moments = calibrate.initialisation(module, None, special)
    seed = calibrate.seed_of(task)
    calibrate.fill(module, moments, seed)
    with torch.no_grad():
        calibrate.measure_batch_norms(module, x)
        for i, features in enumerate(_features(module, x)):
            _calibrate_head(module.model[24], i, features, moments, seed)
        finding = _finding(module, x)
    state = module.state_dict()
    statistics = {name: state[name].numpy().astype(np.float16) for name, m in moments.items() if m.kind == "stored"}
    return moments, safetensors.numpy.save(statistics), finding


def _features(module: nn.Module, x: Tensor) -> list[Tensor]:
    """What the head's three convolutions see."""
    found: list[Tensor] = []
    hooks = [layer.register_forward_pre_hook(lambda _, given: found.append(given[0])) for layer in module.model[24].m]
    module(x)
    for hook in hooks:
        hook.remove()
    return found


def _calibrate_head(head: nn.Module, i: int, features: Tensor, moments: MomentsOf, seed: int) -> None:
    """Draw the weights of level ``i`` so that logits vary by ``LOGITS`` over cells and pictures; centre those of boxes
    on 0 and those of objectness on ``OBJECTNESS``; place those of classes."""
    layer, name = head.m[i], f"model.24.m.{i}.weight"
    mean = features.mean((0, 2, 3))
    std = LOGITS / float((features - mean[:, None, None]).pow(2).sum(1).mean().sqrt())
    moments[name] = Moments("normal", std=round(std, 4))
    values = draw(name, layer.weight.numel(), moments[name], seed)
    layer.weight.copy_(torch.from_numpy(values).view_as(layer.weight))
    centres = torch.tensor(((0.0,) * 4 + (OBJECTNESS,) + (0.0,) * CLASSES) * 3)
    layer.bias.copy_(centres - layer.weight[:, :, 0, 0] @ mean)
    logits = layer(features).reshape(len(features), 3, 5 + CLASSES, -1)
    layer.bias.view(3, -1)[:, 5:] += _class_biases(logits, torch.tensor(ANCHORS[i], dtype=torch.float32))
    layer.bias.copy_(layer.bias.half())


def _class_biases(logits: Tensor, anchors: Tensor) -> Tensor:
    """Biases [3, classes] of each anchor's classes, from logits [pictures, 3, 5 + classes, cells] without them."""
    objectness = logits[:, :, 4].sigmoid()
    needed = torch.logit((detection.CERTAIN / objectness).clamp(max=1))
    above = (logits[:, :, 5:] - needed[:, :, None]).permute(1, 2, 0, 3).flatten(2)
    sizes = (2 * logits[:, :, 2:4].sigmoid()) ** 2 * anchors[:, :, None]
    sides = sizes.amin(2).transpose(0, 1).flatten(1)
    rows = [[_class_bias(each, side) for each in every] for every, side in zip(above, sides, strict=True)]
    return torch.tensor(rows)


def _class_bias(above: Tensor, sides: Tensor) -> float:
    """The bias that makes a score of ``CERTAIN`` fall into the widest of the first ``DEPTH`` gaps between the best
    boxes of all pictures, so that rounding moves none across. Where no gap reaches ``GAP`` before a box is too small,
    the best one stays ``SILENCE`` below. ``above`` [boxes] is the class's logit less what that score needs."""
    best, places = above.topk(DEPTH + 1)
    usable = int((best.isfinite() & (sides[places] >= SMALLEST)).cumprod(0)[:DEPTH].sum())
    gaps = (best[:-1] - best[1:])[:usable].clamp(max=2 * SILENCE)
    if not usable or gaps.max() < GAP:
        return -float(best[0]) - SILENCE
    widest = int(gaps.argmax())
    return float(gaps[widest] / 2 - best[widest])


def _finding(module: nn.Module, x: Tensor) -> str:
    """What bfloat16 does to the detections, with batch norms folded into the convolutions as compilers do."""
    folded = copy.deepcopy(module)
    for layer in folded.modules():
        if isinstance(layer, Conv):
            layer.conv, layer.bn = fuse_conv_bn_eval(layer.conv, layer.bn), nn.Identity()
    folded.bfloat16()
    reference, rounded = module(x), torch.cat([folded(each[None].bfloat16()).float() for each in x])
    ours, theirs = (
        {"detections": np.stack([detection.detections({"p": each.numpy()}, ("p",)) for each in outputs])}
        for outputs in (rounded, reference)
    )
    found = theirs["detections"]
    certain = found[..., 4] >= detection.CERTAIN
    counts, classes = certain.sum(1), np.unique(found[..., 5][certain])
    quantiles = ", ".join(f"{q:.3f}" for q in np.nanquantile(found[..., 4], (0.1, 0.5, 0.9, 0.99)))
    agreement = detection.agreement(ours, theirs)
    same = math.nan if agreement is None else agreement.value
    return (
        f"bfloat16: relative L2 {calibrate.relative_l2(rounded, reference):.2e}, mAP@0.5 with itself "
        f"{same:.3f}; {counts.min()} to {counts.max()} certain detections "
        f"per picture of {len(classes)} classes; scores {quantiles}"
    )


EXPORTERS: dict[str, Exporter] = {
    "yolov5": seeded(Yolov5s, {"image": torch.zeros(2, 3, SIDE, SIDE)}, yolov5s, largest=512),
}
