"""The tier of operators: one table of substructures, from which every file of their tasks is made."""

from __future__ import annotations

import copy
import json
import math
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import calibrate
import exporting
import torch
from torch import Tensor, nn

from accelbench.model import Domain, Task
from accelbench.zoo.samples import operands
from accelbench.zoo.seeded import Moments
from families import op_nets as nets

FLOAT_FORMS = ("tokens", "maps", "shares")
VARIED = {
    "*running_mean": Moments("normal", std=0.3),
    "*running_var": Moments("uniform", low=0.5, high=1.5),
    "weight": Moments("normal", mean=1.0, std=0.2),
    "bias": Moments("normal", std=0.1),
}
"""Of a norm alone, as trained ones are: with its initial ones and zeros it would be half an operator."""


@dataclass(frozen=True)
class Op:
    """A task: ``make()`` takes ``inputs``, texts as the data set ``operands`` reads them, in this order.

    ``special`` are moments by patterns of names, as ``calibrate.initialisation`` takes them, ``std`` its deviation.
    """

    title: str
    domain: Domain
    source: str
    make: Callable[[], nn.Module]
    inputs: Mapping[str, str]
    output: str
    count: int = 8
    std: float | None = None
    special: Mapping[str, Moments] = field(default_factory=dict)


BERT = "Devlin et al. 2018 (arXiv:1810.04805)"
QWEN = "Yang et al. 2024 (arXiv:2407.10671), sizes of Qwen2-0.5B"
LLAMA = "Grattafiori et al. 2024 (arXiv:2407.21783), sizes of Llama 3 8B"
RESNET = "He et al. 2015 (arXiv:1512.03385)"


def encoders() -> Iterator[tuple[str, Op]]:
    for length in (128, 512, 2048):
        yield (
            f"op-encoder-{length}",
            Op(
                f"BERT-base's encoder layer, {length} tokens", "language", BERT,
                lambda: nets.EncoderLayer(768, 12, 3072), {"hidden": f"tokens {length}x768"}, "states",
                8 if length < 2048 else 4,
            ),
        )  # fmt: skip
        yield (
            f"op-decoder-{length}",
            Op(
                f"Qwen2's decoder layer with grouped queries and rotary positions, {length} tokens", "language", QWEN,
                lambda: nets.DecoderLayer(896, 14, 2, 4864),
                {"hidden": f"tokens {length}x896", "positions": f"positions {length}"}, "states",
                8 if length < 2048 else 4,
            ),
        )  # fmt: skip


def attentions() -> Iterator[tuple[str, Op]]:
    """512 tokens of width 1024, 16 heads of 64."""
    variants: list[tuple[str, str, str, Callable[[], nn.Module]]] = [
        ("mha", "Multi-head attention", "Vaswani et al. 2017 (arXiv:1706.03762)", lambda: nets.Attention(1024, 16, 16)),
        (
            "gqa", "Grouped-query attention, 4 of 16 heads have keys", "Ainslie et al. 2023 (arXiv:2305.13245)",
            lambda: nets.Attention(1024, 16, 4),
        ),
        (
            "mqa", "Multi-query attention, one head has keys", "Shazeer 2019 (arXiv:1911.02150)",
            lambda: nets.Attention(1024, 16, 1),
        ),
    ]  # fmt: skip
    hidden = {"hidden": "tokens 512x1024"}
    for name, title, source, make in variants:
        yield f"op-attention-{name}", Op(f"{title}, 512 tokens", "language", source, make, hidden, "mixed")
    yield (
        "op-attention-causal",
        Op(
            "Causal multi-head attention, 512 tokens", "language", "Vaswani et al. 2017 (arXiv:1706.03762)",
            lambda: nets.Attention(1024, 16, 16), {**hidden, "positions": "positions 512"}, "mixed",
        ),
    )  # fmt: skip
    yield (
        "op-attention-sliding",
        Op(
            "Causal grouped-query attention within 256 of 1024 tokens", "language",
            "Jiang et al. 2023 (arXiv:2310.06825)", lambda: nets.Attention(1024, 16, 4, window=256),
            {"hidden": "tokens 1024x1024", "positions": "positions 1024"}, "mixed",
        ),
    )  # fmt: skip
    yield (
        "op-attention-cross",
        Op(
            "Cross attention from 128 tokens to 1500 states", "speech",
            "Radford et al. 2022 (arXiv:2212.04356), places of Whisper's encoder",
            lambda: nets.CrossAttention(1024, 16, 16), {**{"hidden": "tokens 128x1024"}, "memory": "tokens 1500x1024"},
            "mixed",
        ),
    )  # fmt: skip


def convolutions() -> Iterator[tuple[str, Op]]:
    kinds: list[tuple[str, str, str, Callable[[], nn.Module], str]] = [
        ("3x3", "Convolution 3×3, 128 channels", RESNET, lambda: nn.Conv2d(128, 128, 3, padding=1), "maps 128x28x28"),
        (
            "grouped", "Convolution 3×3 in 32 groups of 4 channels", "Xie et al. 2016 (arXiv:1611.05431)",
            lambda: nn.Conv2d(128, 128, 3, padding=1, groups=32), "maps 128x56x56",
        ),
        (
            "depthwise", "Depthwise convolution 3×3, stride 2, 144 channels", "Sandler et al. 2018 (arXiv:1801.04381)",
            lambda: nn.Conv2d(144, 144, 3, 2, 1, groups=144), "maps 144x56x56",
        ),
        (
            "depthwise-7x7", "Depthwise convolution 7×7, 96 channels", "Liu et al. 2022 (arXiv:2201.03545)",
            lambda: nn.Conv2d(96, 96, 7, padding=3, groups=96), "maps 96x56x56",
        ),
        ("pointwise", "Convolution 1×1, 256 to 512 channels", RESNET, lambda: nn.Conv2d(256, 512, 1), "maps 256x28x28"),
    ]  # fmt: skip
    for name, title, source, make, form in kinds:
        yield f"op-conv-{name}", Op(title, "vision", source, make, {"image": form}, "maps", special={"bias": BIAS})


BIAS = Moments("normal", std=0.1)


def recurrent() -> Iterator[tuple[str, Op]]:
    hochreiter, cho = "Hochreiter and Schmidhuber 1997", "Cho et al. 2014 (arXiv:1406.1078)"
    kinds = [
        ("lstm", "LSTM, 100 steps, 512 units", hochreiter, "LSTM", 512, 1),
        ("lstm-bidirectional", "LSTM in both directions, 100 steps, 320 units", hochreiter, "LSTM", 320, 2),
        ("gru", "GRU, 100 steps, 512 units", cho, "GRU", 512, 1),
    ]
    for name, title, source, op, size, directions in kinds:
        bound = 1 / math.sqrt(size)
        spread = {"*": Moments("uniform", low=-bound, high=bound)}
        make = lambda op=op, size=size, directions=directions: nets.Recurrent(op, 256, size, directions)  # noqa: E731
        yield f"op-{name}", Op(title, "speech", source, make, {"hidden": "tokens 100x256"}, "states", special=spread)


def norms() -> Iterator[tuple[str, Op]]:
    kinds: list[tuple[str, str, str, Callable[[], nn.Module], str]] = [
        ("layer", "Layer norm", "Ba et al. 2016 (arXiv:1607.06450)", lambda: nn.LayerNorm(1024), "tokens 256x1024"),
        (
            "rms", "Norm by the root of mean squares", "Zhang and Sennrich 2019 (arXiv:1910.07467)",
            lambda: nn.RMSNorm(2048, eps=1e-6), "tokens 128x2048",
        ),
        (
            "group", "Group norm, 32 groups of 10 channels", "Wu and He 2018 (arXiv:1803.08494)",
            lambda: nets.GroupNorm(32, 320), "maps 320x16x16",
        ),
        (
            "batch", "Batch norm, 64 channels", "Ioffe and Szegedy 2015 (arXiv:1502.03167)",
            lambda: nn.BatchNorm2d(64), "maps 64x56x56",
        ),
        (
            "instance", "Instance norm, 64 channels", "Ulyanov et al. 2016 (arXiv:1607.08022)",
            lambda: nn.InstanceNorm2d(64, affine=True), "maps 64x64x64",
        ),
    ]  # fmt: skip
    for name, title, source, make, form in kinds:
        domain: Domain = "language" if form.startswith("tokens") else "vision"
        yield f"op-norm-{name}", Op(title, domain, source, make, {"hidden": form}, "normed", special=VARIED)


def products() -> Iterator[tuple[str, Op]]:
    """The matrix products of a language model of 8 G parameters: 512 tokens of a prompt, and one token per sample."""
    shapes = [(4096, 6144, "queries, keys and values"), (4096, 14336, "up"), (14336, 4096, "down")]
    for inputs, outputs, what in shapes:
        make = lambda inputs=inputs, outputs=outputs: nn.Linear(inputs, outputs, bias=False)  # noqa: E731
        for phase, steps, title in (("prefill", 512, "512 tokens"), ("decode", 1, "one token")):
            yield (
                f"op-gemm-{inputs}x{outputs}-{phase}",
                Op(f"Matrix of Llama 3 8B ({what}), {title}", "language", LLAMA, make,
                   {"hidden": f"tokens {steps}x{inputs}"}, "product", 4 if steps > 1 else 8),
            )  # fmt: skip


def others() -> Iterator[tuple[str, Op]]:
    yield (
        "op-mlp-gelu",
        Op("Two matrices with GELU, 512 tokens", "language", BERT, lambda: nets.GeluMlp(768, 3072),
           {"hidden": "tokens 512x768"}, "states"),
    )  # fmt: skip
    yield (
        "op-mlp-swiglu",
        Op("Three matrices with SwiGLU, 256 tokens", "language", "Shazeer 2020 (arXiv:2002.05202)",
           lambda: nets.SwiGlu(1024, 2816), {"hidden": "tokens 256x1024"}, "states"),
    )  # fmt: skip
    yield (
        "op-softmax-vocabulary",
        Op("Head of a language model and softmax over 32,000 words, 8 tokens", "language",
           "Touvron et al. 2023 (arXiv:2302.13971), words of LLaMA", lambda: nets.Vocabulary(1024, 32000),
           {"hidden": "tokens 8x1024"}, "shares"),
    )  # fmt: skip
    yield (
        "op-embedding-bag",
        Op("Weighted sums over bags of up to 32 ids from a table of 500,000 rows", "recommendation",
           "Naumov et al. 2019 (arXiv:1906.00091)", lambda: nets.Bags(500_000, 64),
           {"ids": "ids 64x32 500000", "shares": "shares 64x32"}, "sums"),
    )  # fmt: skip


def table() -> dict[str, Op]:
    """Every task of the tier by its id."""
    families = (encoders, attentions, convolutions, recurrent, norms, products, others)
    return {name: op for family in families for name, op in family()}


def examples(op: Op) -> dict[str, Tensor]:
    """Inputs of the right shapes and types for two samples."""
    made = {}
    for name, text in op.inputs.items():
        form, sizes = operands.parse(name, text)
        shape = (2, *sizes[: 2 if form == "ids" else None])
        made[name] = torch.zeros(shape, dtype=torch.float32 if form in FLOAT_FORMS else torch.int64)
    return made


def exporter(op: Op) -> exporting.Exporter:
    def calibration(module: nn.Module, task: Task, feeds: calibrate.Feeds) -> tuple[calibrate.MomentsOf, bytes, str]:
        moments = calibrate.initialisation(module, op.std, op.special)
        calibrate.fill(module, moments, calibrate.seed_of(task))
        return moments, b"", finding(module, {name: feeds[name] for name in op.inputs})

    def run(folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        path = folder / "task.toml"
        text = toml(folder.name, op, path)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            exporting.say(folder, "task.toml CHANGED")
            path.write_text(text, encoding="utf-8")
        exporting.seeded(op.make, examples(op), calibration)(folder)

    return run


def finding(module: nn.Module, feeds: calibrate.Feeds) -> str:
    """What bfloat16 does to the outputs, and how much they differ between samples."""
    with torch.no_grad():
        reference = module(*feeds.values())
        narrow = [x.bfloat16() if x.is_floating_point() else x for x in feeds.values()]
        rounded = copy.deepcopy(module).bfloat16()(*narrow).float()
    varies = calibrate.relative_l2(reference, reference.mean(0, keepdim=True).expand_as(reference))
    return (
        f"bfloat16: relative L2 {calibrate.relative_l2(rounded, reference):.2e}; outputs: root mean square "
        f"{reference.square().mean().sqrt():.3g}, between feeds {varies:.2f} of their mean"
    )


def toml(name: str, op: Op, path: Path) -> str:
    """The text of ``task.toml``; version and hashes are those of the file that is there."""
    old = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    inputs = examples(op)
    with torch.no_grad():
        shape = op.make().eval()(*inputs.values()).shape
    rows = [("inputs", each, tensor) for each, tensor in inputs.items()] + [("outputs", op.output, torch.empty(shape))]
    moments = old["weights"][1]["sha256"] if old else "hash of the moments"
    options = ", ".join(f"{each} = {json.dumps(text)}" for each, text in op.inputs.items())
    specs = "".join(
        f'\n[[{table}]]\nname = "{each}"\ndtype = "{str(tensor.dtype).removeprefix("torch.")}"\n'
        f"shape = {json.dumps(['batch', *tensor.shape[1:]])}\n"
        for table, each, tensor in rows
    )
    return f"""id = "{name}"
version = {old.get("version", 1)}
title = "{op.title}"
tier = "op"
domain = "{op.domain}"
graph = "graph.onnx.gz"
graph_sha256 = "{old.get("graph_sha256", "hash of the graph")}"
batched = true
source = "{op.source}; generated and exported by tools/families/ops.py"

[[weights]]
kind = "local"

[[weights]]
kind = "seeded"
file = "moments.json"
sha256 = "{moments}"
seed = 0
{specs}
[dataset]
kind = "operands"
count = {op.count}
seed = 0
options = {{ {options} }}

[metric]
name = "none"

[tolerance]
max_relative_l2 = 0.02
"""


EXPORTERS: dict[str, exporting.Exporter] = {name: exporter(op) for name, op in table().items()}
