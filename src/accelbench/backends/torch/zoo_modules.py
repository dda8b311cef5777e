"""The modules behind the zoo's tasks of digits, pictures and clicks: the exporter traces them, this backend runs them.

Names of their state dicts are the names of the graphs' initializers, arguments of ``forward`` those of the inputs.

Sources of the architectures: ResNet (He et al. 2015, arXiv:1512.03385; the v1.5 variant strides in the 3×3
convolution), Wide & Deep (Cheng et al. 2016, arXiv:1606.07792). ResNet-50 is the class of the transformers library, so
that the hub's safetensors load by name.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers import ResNetConfig, ResNetForImageClassification

CRITEO_CARDINALITIES = (
    1460, 583, 10131227, 2202608, 305, 24, 12517, 633, 3, 93145, 5683, 8351593, 3194, 27, 14992, 5461306, 10, 5652,
    2173, 4, 7046547, 18, 15, 286181, 105, 142572,
)  # fmt: skip
"""Distinct values per categorical column of the Criteo Kaggle Display Advertising set, as DLRM's preprocessing counts
them (Naumov et al. 2019, arXiv:1906.00091)."""

CLICK_FIELDS = tuple(min(count, 100_000) for count in CRITEO_CARDINALITIES)


class DigitsCnn(nn.Module):
    """Three convolutions and one linear layer for 8×8 digits: image [batch,1,8,8] to logits [batch,10]."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.classifier = nn.Linear(256, 10)

    def forward(self, image: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.features(image).flatten(1))
        return logits


class Residual(nn.Module):
    """Two 3×3 convolutions with batch norm around a shortcut, projected where the shape changes."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut = nn.Conv2d(channels_in, channels, 1, stride, bias=False) if channels_in != channels else None

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(y + (x if self.shortcut is None else self.shortcut(x)))


class DigitsResnet(nn.Module):
    """ResNet-20 of He et al. 2015 (section 4.2) for 8×8 digits: image [batch,1,8,8] to logits [batch,10]."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU())
        widths = ((16, 16), (16, 16), (16, 16), (16, 32), (32, 32), (32, 32), (32, 64), (64, 64), (64, 64))
        self.blocks = nn.Sequential(*(Residual(a, b, 1 if a == b else 2) for a, b in widths))
        self.classifier = nn.Linear(64, 10)

    def forward(self, image: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.blocks(self.stem(image)).mean((2, 3)))
        return logits


class Resnet50(ResNetForImageClassification):
    """ResNet-50 v1.5, named as in the hub's microsoft/resnet-50: image [batch,3,224,224] to logits [batch,1000]."""

    def __init__(self) -> None:
        super().__init__(ResNetConfig(depths=[3, 4, 6, 3], num_labels=1000))

    def forward(self, image: Tensor) -> Tensor:
        logits: Tensor = super().forward(pixel_values=image).logits
        return logits


class WideDeep(nn.Module):
    """Wide & Deep for click data: dense float32 [batch,13] and sparse int64 [batch,26] to probability [batch]."""

    def __init__(self) -> None:
        super().__init__()
        self.embeddings = nn.ModuleList(nn.Embedding(count, 32) for count in CLICK_FIELDS)
        self.wide_sparse = nn.ModuleList(nn.Embedding(count, 1) for count in CLICK_FIELDS)
        self.wide_dense = nn.Linear(13, 1)
        self.deep = nn.Sequential(
            nn.Linear(13 + 32 * len(CLICK_FIELDS), 1024),
            nn.ReLU(),
            nn.Linear(1024, 512),
            nn.ReLU(),
            nn.Linear(512, 256),
            nn.ReLU(),
            nn.Linear(256, 1),
        )

    def forward(self, dense: Tensor, sparse: Tensor) -> Tensor:
        columns = [sparse[:, field] for field in range(len(CLICK_FIELDS))]
        looked_up = [table(ids) for table, ids in zip(self.embeddings, columns)]
        deep = self.deep(torch.cat([dense, *looked_up], dim=1))
        wide = torch.cat([table(ids) for table, ids in zip(self.wide_sparse, columns)], dim=1)
        score = deep + self.wide_dense(dense) + wide.sum(dim=1, keepdim=True)
        return torch.sigmoid(score).squeeze(1)
