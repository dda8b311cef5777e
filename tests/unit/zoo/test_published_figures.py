"""Parameters and FLOPs, counted from the frozen graphs, are those that were published for the networks.

Papers' "FLOPs" are mostly multiply-adds, which we count as two. Parameters are all floating-point initializers, so the
moving statistics of batch norms (two per channel) come on top of a paper's trainable ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from accelbench.zoo import catalogue
from accelbench.zoo.graph_facts import graph_facts

TOLERANCE = 0.02


@dataclass(frozen=True)
class Published:
    """One figure per field, None where none was published for this input and head. ``source`` says where, and
    ``note`` what a published figure includes that the graph has not, or the other way round."""

    task: str
    parameters: float | None
    multiply_adds: float | None
    source: str
    note: str = ""


PER_TOKEN = (
    "Kaplan et al. 2020 (arXiv:2001.08361, section 2.1): a token takes a multiply-add per parameter that is not of the "
    "embedding; to these, per layer, width times context for each of attention's two products"
)
ATTENDED = [
    ("llama-135m-decode", 134_515_008, 30, 576, 256),
    ("qwen-0.5b-decode", 494_032_768, 24, 896, 256),
    ("llama-8b-decode", 8_030_261_248 - 128_256 * 4096, 32, 4096, 1024),
    ("qwen-7b-decode", 7_615_616_512 - 152_064 * 3584, 28, 3584, 1024),
]
"""Steps of decoding: parameters that multiply (a tied embedding is the head's matrix), layers, width, context."""


FIGURES = [
    Published(
        "resnet50",
        25.6e6,
        4.1e9,
        "torchvision.models.resnet50, IMAGENET1K_V1: 25,557,032 parameters, 4.09 GFLOPS; He et al. 2015 "
        "(arXiv:1512.03385, table 1) 3.8e9 with the stride in the 1×1 convolution",
        "v1.5, stride in the 3×3 convolution",
    ),
    Published(
        "bert-base",
        110e6,
        None,
        "Devlin et al. 2018 (arXiv:1810.04805, section 3): total parameters 110M",
        "theirs has the pooler (0.59 M) and not the head of question answering (1,538); neither has the head of masked "
        "language modelling, whose matrix is the embedding's",
    ),
    Published(
        "unet",
        859_520_964,
        None,
        "github.com/Nota-NetsPresso/BK-SDM, issue 53, CompVis/stable-diffusion-v1-4, which has the same form",
        "multiply-adds: see the layers below",
    ),
    Published(
        "vae-encoder",
        34.16e6,
        566.371e9,
        "github.com/ThanatosShinji/onnx-tool, README, VAE_encoder of stable-diffusion-v1-4-onnx, of the same form",
    ),
    Published(
        "vae-decoder",
        49_490_199,
        1273.718e9,
        "github.com/mlcommons/mobile_app_open, pull request 917, vae_decoder of Stable Diffusion 1.5",
    ),
    Published(
        "dit-block",
        675e6 / 28,
        524.6e9 / 28,
        "Peebles and Xie 2022 (arXiv:2212.09748, tables 1 and 4): DiT-XL/2 has 28 blocks, 675 M parameters, and 524.6 "
        "Gflops (multiply-adds) for pictures of 512x512",
        "theirs has embeddings and the last layer besides, under 1 % of both",
    ),
    Published(
        "albert",
        11e6,
        None,
        "huggingface.co/albert/albert-base-v2: 12 repeating layers, 11M parameters",
        "without the pooler (0.59 M), which the head of question answering does not need",
    ),
    Published(
        "roberta",
        125e6,
        None,
        "github.com/facebookresearch/fairseq, examples/roberta: roberta.base, 125M",
        "theirs has the pooler (0.59 M)",
    ),
    Published(
        "deberta",
        100e6 + 50_265 * 768,
        None,
        "github.com/microsoft/DeBERTa, README: Base, backbone parameters 100 M; the rest is the embedding of RoBERTa's "
        "vocabulary, 50 K of width 768",
    ),
    Published(
        "roformer",
        124e6,
        None,
        "github.com/PaddlePaddle/PaddleNLP, docs/model_zoo/transformers.rst: roformer-chinese-base, 124M parameters",
        "ours has the classifier (0.59 M) and the table of rotations (0.1 M)",
    ),
    Published(
        "conformer-encoder",
        30e6,
        None,
        "github.com/NVIDIA/NeMo, examples/asr/conf/conformer/conformer_ctc_bpe.yaml: Medium (30M)",
        "theirs has the linear decoder, ours the moving statistics of the batch norms (9,216)",
    ),
    Published(
        "whisper-encoder",
        23.7e6 - 6 * (2 * 512 * 512 + 512),
        None,
        "huggingface.co/qualcomm/Whisper-Base-En: WhisperEncoder 23.7M",
        "theirs makes the keys and values of the decoder's six layers, which are taken off here",
    ),
    Published("minilm", 22.7e6, None, "huggingface.co/sentence-transformers/all-MiniLM-L6-v2: 22.7M params"),
    Published("gpt2", 124e6, None, "huggingface.co/openai-community/gpt2: 124M parameters"),
    Published("llama-135m-prefill", 135e6, None, "huggingface.co/HuggingFaceTB/SmolLM2-135M: 135M params"),
    Published("qwen-0.5b-prefill", 0.49e9, None, "Yang et al. 2024 (arXiv:2412.15115) and its card: 0.49B"),
    Published("llama-8b-prefill", 8.03e9, None, "huggingface.co/meta-llama/Llama-3.1-8B: 8.03B params"),
    Published("qwen-7b-prefill", 7.62e9, None, "huggingface.co/Qwen/Qwen2.5-7B: 7.62B params"),
    *(
        Published(task, None, parameters + 2 * layers * width * context, PER_TOKEN)
        for task, parameters, layers, width, context in ATTENDED
    ),
    Published(
        "swin-large",
        197e6,
        103.9e9,
        "Liu et al. 2021 (arXiv:2103.14030, table 1): Swin-L, 384x384, 197M parameters, 103.9G",
    ),
    Published(
        "yolov5",
        7.2e6,
        16.5e9 / 2,
        "pytorch.org/hub/ultralytics and github.com/ultralytics/yolov5, README: YOLOv5s, params 7.2 M, FLOPs 16.5 B",
        "that table counts a multiply-add as two",
    ),
    Published(
        "vit",
        86_567_656,
        17.56e9,
        "torchvision.models.vit_b_16, IMAGENET1K_V1: 86,567,656 parameters, 17.56 GFLOPS",
    ),
    Published(
        "videobert",
        151.28e6,
        14.78e9 / 2,
        "github.com/mlfoundations/open_clip, docs/model_profile.csv: ViT-B-32, 151.28 M, 14.78 gflops",
        "that table counts a multiply-add as two",
    ),
    Published(
        "siglip",
        203.16e6,
        46.44e9 / 2,
        "github.com/mlfoundations/open_clip, docs/model_profile.csv: ViT-B-16-SigLIP, 203.16 M, 46.44 gflops",
        "that table counts a multiply-add as two",
    ),
    Published(
        "clip-text",
        123.65e6,
        13.3e9 / 2,
        "github.com/mlfoundations/open_clip, docs/model_profile.csv: ViT-L-14, text, 123.65 M, 13.3 gflops",
        "theirs has the projection (0.59 M) besides; that table counts a multiply-add as two",
    ),
]


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.task)
def test_counted_from_the_graph_as_published(figure: Published) -> None:
    if figure.task not in catalogue.tasks():
        pytest.skip(f"there is no task {figure.task} yet")
    facts = graph_facts(catalogue.graph(catalogue.find(figure.task)))
    assert facts.unknown == ()
    if figure.parameters is not None:
        assert facts.parameters == pytest.approx(figure.parameters, rel=TOLERANCE)
    if figure.multiply_adds is not None:
        assert facts.flops == pytest.approx(2 * figure.multiply_adds, rel=TOLERANCE)


def test_every_row_says_where_its_figures_come_from() -> None:
    assert all(figure.source and (figure.parameters or figure.multiply_adds) for figure in FIGURES)
    assert len({figure.task for figure in FIGURES}) == len(FIGURES)


def test_the_denoisers_layers_are_as_published() -> None:
    """338,749,194,240 multiply-adds in convolutions and linear layers for pictures of 512x512, attention's own products
    not counted: github.com/Nota-NetsPresso/BK-SDM, issue 53, CompVis/stable-diffusion-v1-4."""
    graph = catalogue.graph(catalogue.find("unet"))
    facts = graph_facts(graph)
    held = {tensor.name for tensor in graph.graph.initializer}
    held |= {node.output[0] for node in graph.graph.node if node.op_type == "Transpose" and node.input[0] in held}
    layers = sum(
        facts.by_node[node.name]
        for node in graph.graph.node
        if node.op_type in ("Conv", "MatMul", "Gemm") and node.input[1] in held
    )
    assert layers == pytest.approx(2 * 338_749_194_240, rel=TOLERANCE)
