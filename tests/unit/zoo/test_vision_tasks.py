"""Transformers for pictures and texts take published checkpoints by name, and texts as their tokenisers give them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import onnx
import pytest

from accelbench.tensors import TensorSet
from accelbench.zoo import catalogue
from accelbench.zoo.feeds import feeds
from accelbench.zoo.materialise import slots

PUBLISHED: dict[str, dict[str, tuple[int, ...]]] = {
    "swin-large": {
        "swin.embeddings.patch_embeddings.projection.weight": (192, 3, 4, 4),
        "swin.encoder.layers.2.blocks.17.attention.self.relative_position_bias_table": (529, 24),
        "swin.encoder.layers.3.blocks.1.attention.output.dense.weight": (1536, 1536),
        "swin.encoder.layers.0.blocks.0.intermediate.dense.weight": (768, 192),
        "swin.encoder.layers.0.downsample.reduction.weight": (384, 768),
        "classifier.bias": (1000,),
    },
    "vit": {
        "vit.embeddings.position_embeddings": (1, 197, 768),
        "vit.encoder.layer.11.attention.attention.query.weight": (768, 768),
        "vit.encoder.layer.0.attention.output.dense.bias": (768,),
        "vit.encoder.layer.5.output.dense.weight": (768, 3072),
    },
    "siglip": {
        "vision_model.head.attention.in_proj_weight": (2304, 768),
        "vision_model.head.probe": (1, 1, 768),
        "text_model.embeddings.token_embedding.weight": (32000, 768),
        "text_model.head.weight": (768, 768),
        "logit_bias": (1,),
    },
    "videobert": {
        "vision_model.embeddings.class_embedding": (768,),
        "vision_model.pre_layrnorm.weight": (768,),
        "visual_projection.weight": (512, 768),
        "text_projection.weight": (512, 512),
    },
    "clip-text": {
        "text_model.embeddings.position_embedding.weight": (77, 768),
        "text_model.encoder.layers.11.mlp.fc2.weight": (768, 3072),
    },
}
"""Some tensors of microsoft/swin-large-patch4-window12-384, google/vit-base-patch16-224,
google/siglip-base-patch16-224, openai/clip-vit-base-patch32 and the text encoder of Stable Diffusion 1.5."""


@pytest.mark.parametrize("name", PUBLISHED)
def test_weights_have_the_names_of_the_published_checkpoint(name: str) -> None:
    found = {slot.name: slot.shape for slot in slots(catalogue.graph(catalogue.find(name)))}
    assert {key: found.get(key) for key in PUBLISHED[name]} == PUBLISHED[name]


@pytest.mark.parametrize("name", PUBLISHED)
def test_masks_and_indices_are_computed_and_not_stored(name: str) -> None:
    graph = catalogue.graph(catalogue.find(name)).graph
    inline = [tensor for tensor in graph.initializer if tensor.data_location != onnx.TensorProto.EXTERNAL]
    assert max(math.prod(tensor.dims) for tensor in inline) <= 512


@pytest.mark.parametrize(
    ("name", "start", "end"), [("videobert", 49406, 49407), ("clip-text", 49406, 49407), ("siglip", None, 1)]
)
def test_texts_are_framed_and_filled_up(
    name: str, start: int | None, end: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCELBENCH_HOME", str(tmp_path))
    task = catalogue.find(name)
    texts = np.stack([record["input_ids"] for record in TensorSet(feeds(task, catalogue.folder(task)).path)])
    assert texts.shape == (task.dataset.count, task.inputs[-1].shape[-1])
    assert start is None or (texts[:, 0] == start).all()
    assert (texts[:, -1] == end).all()
    used = (texts != end).sum(axis=1)
    assert len(set(used.tolist())) > 1
    assert all((row[count:] == end).all() for row, count in zip(texts, used, strict=True))
