"""The modules behind the task zoo, written for PyTorch. Their state-dict names are the initializer names of the graphs.

Sources of the architectures: ResNet (He et al. 2015, arXiv:1512.03385; the v1.5 variant strides in the 3×3
convolution), BERT (Devlin et al. 2018, arXiv:1810.04805), Wide & Deep (Cheng et al. 2016, arXiv:1606.07792).
ResNet-50 and BERT are the classes of the transformers library, so that the hub's safetensors load by name.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers import BertConfig, BertForQuestionAnswering, ResNetConfig, ResNetForImageClassification

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


class BertBase(BertForQuestionAnswering):
    """BERT-base with the question answering head: three int64 [batch,384] to two float32 [batch,384]."""

    def __init__(self) -> None:
        super().__init__(BertConfig(attn_implementation="eager"))

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> tuple[Tensor, Tensor]:
        # Masked positions get -10000, as in the original, which float16 can hold; the library's own mask overflows it.
        mask = (1.0 - attention_mask[:, None, None, :].to(self.qa_outputs.weight.dtype)) * -10000.0
        hidden = self.bert(input_ids=input_ids, attention_mask=mask, token_type_ids=token_type_ids)[0]
        logits = self.qa_outputs(hidden)
        return logits[..., 0], logits[..., 1]


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
        looked_up = [table(ids) for table, ids in zip(self.embeddings, columns, strict=True)]
        deep = self.deep(torch.cat([dense, *looked_up], dim=1))
        wide = torch.cat([table(ids) for table, ids in zip(self.wide_sparse, columns, strict=True)], dim=1)
        score = deep + self.wide_dense(dense) + wide.sum(dim=1, keepdim=True)
        return torch.sigmoid(score).squeeze(1)
