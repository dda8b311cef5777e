"""Decoders, each as two graphs: prefill of a prompt, and one step of decoding with a cache of keys and values.

Prefill takes ids, attention mask and positions [batch, length] and gives the logits of the last position alone, which
is all that generation reads (those of all positions would be ``length`` times the head's work and, for a vocabulary of
152,000 words, 78 MB per prompt), and every layer's keys and values. A step takes one id, the mask over past and own
token, its position and the past keys and values, and gives logits and the keys and values of the one token, so that
no stack has to copy a cache. Keys are those after the rotation by position. Padding is on the left.

Architectures: GPT-2 (Radford et al. 2019), Llama 3 (Grattafiori et al. 2024, arXiv:2407.21783), SmolLM2, a Llama by
its architecture (Ben Allal et al. 2025, arXiv:2502.02737), Qwen2.5 (Yang et al. 2024, arXiv:2412.15115). The modules
are the transformers library's, so that the hub's safetensors load by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import graphs
import torch
from torch import Tensor, nn
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding
from transformers.models.qwen2.modeling_qwen2 import Qwen2RotaryEmbedding

NEVER = -10000.0
"""Added to the score of a key that must not be seen: exp of it is zero, and float16 can hold it."""


class Kept:
    """What the library's attention layers ask of a cache: it hands out past and new keys and values together, and
    keeps the new ones, [batch, heads, tokens, width] each."""

    def __init__(self, past: Sequence[Tensor]) -> None:
        self.past = past
        self.new: list[Tensor] = []

    def update(self, key: Tensor, value: Tensor, layer: int, *_: object) -> tuple[Tensor, Tensor]:
        self.new += [key, value]
        if not self.past:
            return key, value
        return torch.cat([self.past[2 * layer], key], 2), torch.cat([self.past[2 * layer + 1], value], 2)


class Decoder(nn.Module):
    """A language model of the library: ``input_ids``, ``attention_mask``, ``position_ids`` and, for a step, each
    layer's past key and value, to the logits [batch, vocabulary] and each layer's new key and value."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    @property
    def prefix(self) -> str:
        """What the names of the state dict have before the hub's: its GPT-2 is one without a head."""
        return "net.transformer." if isinstance(self.net, GPT2LMHeadModel) else "net."

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        input_ids, attention_mask, position_ids, *past = tensors
        kept = Kept(past)
        mask = visible(attention_mask, input_ids.shape[1])
        states = self.net.base_model(
            input_ids=input_ids,
            attention_mask=torch.where(mask, 0.0, NEVER),
            position_ids=position_ids,
            past_key_values=kept,
            use_cache=True,
        )
        last = states.last_hidden_state[:, -1]
        return self.net.lm_head(last), *kept.new


def visible(attention_mask: Tensor, queries: int) -> Tensor:
    """Which keys each of the last ``queries`` positions sees: bool [batch, 1, queries, keys]. Every position sees
    itself, padding too, so that no row of scores is empty."""
    places = torch.arange(attention_mask.shape[1])
    own = places[places.shape[0] - queries :, None]
    return (attention_mask.unsqueeze(1).unsqueeze(1).bool() & (places <= own)) | (places == own)


@dataclass(frozen=True)
class Words:
    """The ids of a vocabulary: ``count`` ordinary ones from ``first`` on, the one for padding, and the one that begins
    a text, where there is one."""

    count: int
    first: int
    pad: int
    start: int | None = None


@dataclass(frozen=True)
class Size:
    """One model: what the hub calls it, who described it, how to make it, its vocabulary, the prompt's ``length``, the
    places in the ``past`` of a step, and the samples of a task, its seed and the relative L2 that it tolerates: 0.03
    where thirty layers' bfloat16 alone makes two hundredths of it. ``like`` names the smaller model that stands for one
    which is too large to be run while its tasks are made."""

    title: str
    repo: str
    source: str
    make: Callable[[], nn.Module]
    words: Words
    length: int = 128
    past: int = 255
    count: int = 8
    seed: int = 1
    tolerance: float = 0.02
    like: str | None = None

    def decoder(self) -> Decoder:
        """The model with weights that take no memory."""
        with torch.device("meta"):
            net = self.make()
        for module in net.modules():
            for kind in (LlamaRotaryEmbedding, Qwen2RotaryEmbedding):
                if type(getattr(module, "rotary_emb", None)) is kind:
                    module.rotary_emb = kind(net.config)
        decoder = Decoder(graphs.hollow(net)).eval()
        for parameter in decoder.parameters():
            parameter.requires_grad_(False)
        return decoder


def llama(**shape: Any) -> Callable[[], nn.Module]:
    return lambda: LlamaForCausalLM(LlamaConfig(attn_implementation="eager", **shape))


def qwen(**shape: Any) -> Callable[[], nn.Module]:
    return lambda: Qwen2ForCausalLM(Qwen2Config(attn_implementation="eager", use_sliding_window=False, **shape))


def tiny(make: Callable[..., Callable[[], nn.Module]]) -> Callable[[], nn.Module]:
    return make(
        vocab_size=320, hidden_size=64, intermediate_size=160, num_hidden_layers=3, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=64, tie_word_embeddings=True,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
    )  # fmt: skip


LLAMA_3_1 = {
    "rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192,
}  # fmt: skip

SIZES: Mapping[str, Size] = {
    "gpt2": Size(
        "GPT-2, 124 million parameters",
        "openai-community/gpt2",
        "Radford et al. 2019",
        lambda: GPT2LMHeadModel(GPT2Config(attn_implementation="eager")),
        Words(50256, 0, pad=50256),
    ),
    "llama-135m": Size(
        "SmolLM2-135M, a Llama by its architecture",
        "HuggingFaceTB/SmolLM2-135M",
        "Ben Allal et al. 2025 (arXiv:2502.02737)",
        llama(
            vocab_size=49152, hidden_size=576, intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9,
            num_key_value_heads=3, max_position_embeddings=8192, rms_norm_eps=1e-5, tie_word_embeddings=True,
            rope_parameters={"rope_type": "default", "rope_theta": 100000.0},
        ),
        Words(49152 - 17, 17, pad=0),
        seed=3, tolerance=0.03,
    ),
    "qwen-0.5b": Size(
        "Qwen2.5-0.5B",
        "Qwen/Qwen2.5-0.5B",
        "Yang et al. 2024 (arXiv:2412.15115)",
        qwen(
            vocab_size=151936, hidden_size=896, intermediate_size=4864, num_hidden_layers=24, num_attention_heads=14,
            num_key_value_heads=2, max_position_embeddings=32768, rms_norm_eps=1e-6, tie_word_embeddings=True,
            rope_parameters={"rope_type": "default", "rope_theta": 1000000.0},
        ),
        Words(151643, 0, pad=151643),
    ),
    "llama-8b": Size(
        "Llama 3.1, 8 billion parameters",
        "meta-llama/Llama-3.1-8B",
        "Grattafiori et al. 2024 (arXiv:2407.21783)",
        llama(
            vocab_size=128256, hidden_size=4096, intermediate_size=14336, num_hidden_layers=32, num_attention_heads=32,
            num_key_value_heads=8, max_position_embeddings=131072, rms_norm_eps=1e-5, tie_word_embeddings=False,
            rope_parameters=LLAMA_3_1,
        ),
        Words(128000, 0, pad=128004, start=128000),
        length=1024, past=1023, count=4, tolerance=0.03, like="llama-135m",
    ),
    "qwen-7b": Size(
        "Qwen2.5-7B",
        "Qwen/Qwen2.5-7B",
        "Yang et al. 2024 (arXiv:2412.15115)",
        qwen(
            vocab_size=152064, hidden_size=3584, intermediate_size=18944, num_hidden_layers=28, num_attention_heads=28,
            num_key_value_heads=4, max_position_embeddings=131072, rms_norm_eps=1e-6, tie_word_embeddings=False,
            rope_parameters={"rope_type": "default", "rope_theta": 1000000.0},
        ),
        Words(151643, 0, pad=151643),
        length=1024, past=1023, count=4, tolerance=0.03, like="qwen-0.5b",
    ),
    "tiny-llama": Size(
        "A Llama for tests", "", "three layers", tiny(llama), Words(303, 17, pad=0), length=12, past=15, count=4
    ),
    "tiny-qwen": Size(
        "A Qwen for tests", "", "three layers", tiny(qwen), Words(320, 0, pad=0), length=12, past=15, count=4
    ),
}  # fmt: skip
"""The special ids are those of the published tokenisers."""
