"""Encoders of speech, and the moments of their seeded weights.

The Conformer (Gulati et al. 2020, arXiv:2005.08100) is written from the paper and from the description of NeMo's
Conformer-CTC, medium size, whose state dict it shares, so that its encoder's weights load by name. Whisper's encoder
(Radford et al. 2022, arXiv:2212.04356) is the class of the transformers library.
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
from transformers import WhisperConfig
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from accelbench.model import Task
from accelbench.zoo.seeded import Moments

BANDS, FRAMES, WHISPER_FRAMES = 80, 1600, 3000
WIDTH, HEADS, LAYERS, KERNEL = 256, 4, 18, 31
MASKED = -10000.0

BRANCH_SCALE = 0.3
"""Of what a residual branch ends with. At 1, eighteen layers make of bfloat16's rounding a relative L2 of 0.15."""

POSITION_STD = 0.3
"""Whisper's positions are sinusoids with an amplitude of 1; drawn ones of that size would hide what was said."""


class Subsampling(nn.Module):
    """Two 3×3 convolutions of stride 2 over time and bands, and a projection: [b, frames, 80] to [b, frames/4, 256]."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(1, WIDTH, 3, 2, 1), nn.ReLU(), nn.Conv2d(WIDTH, WIDTH, 3, 2, 1), nn.ReLU())
        self.out = nn.Linear(WIDTH * BANDS // 4, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x[:, None]).transpose(1, 2).flatten(2)
        return self.out(y)


class FeedForward(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear1 = nn.Linear(WIDTH, 4 * WIDTH)
        self.linear2 = nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear2(nn.functional.silu(self.linear1(x)))


class Convolution(nn.Module):
    """Pointwise convolution with a gated linear unit, depthwise convolution, batch norm, Swish, pointwise again."""

    def __init__(self) -> None:
        super().__init__()
        self.pointwise_conv1 = nn.Conv1d(WIDTH, 2 * WIDTH, 1)
        self.depthwise_conv = nn.Conv1d(WIDTH, WIDTH, KERNEL, padding=KERNEL // 2, groups=WIDTH)
        self.batch_norm = nn.BatchNorm1d(WIDTH)
        self.pointwise_conv2 = nn.Conv1d(WIDTH, WIDTH, 1)

    def forward(self, x: Tensor, used: Tensor) -> Tensor:
        y = nn.functional.glu(self.pointwise_conv1(x.transpose(1, 2)), 1).masked_fill(~used[:, None], 0.0)
        y = nn.functional.silu(self.batch_norm(self.depthwise_conv(y)))
        return self.pointwise_conv2(y).transpose(1, 2)


class Attention(nn.Module):
    """Attention with relative positions (Dai et al. 2019, arXiv:1901.02860)."""

    def __init__(self) -> None:
        super().__init__()
        self.linear_q, self.linear_k, self.linear_v, self.linear_out = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.linear_pos = nn.Linear(WIDTH, WIDTH, bias=False)
        self.pos_bias_u = nn.Parameter(torch.zeros(HEADS, WIDTH // HEADS))
        self.pos_bias_v = nn.Parameter(torch.zeros(HEADS, WIDTH // HEADS))

    def forward(self, x: Tensor, positions: Tensor, hidden: Tensor) -> Tensor:
        length = x.shape[1]
        q, k, v, p = (
            layer(given).unflatten(2, (HEADS, WIDTH // HEADS))
            for layer, given in (
                (self.linear_q, x),
                (self.linear_k, x),
                (self.linear_v, x),
                (self.linear_pos, positions),
            )
        )
        by_content = (q + self.pos_bias_u).transpose(1, 2) @ k.permute(0, 2, 3, 1)
        by_place = _shifted((q + self.pos_bias_v).transpose(1, 2) @ p.permute(0, 2, 3, 1))[..., :length]
        scores = (by_content + by_place) / math.sqrt(WIDTH // HEADS)
        weights = scores.masked_fill(hidden[:, None], MASKED).softmax(3).masked_fill(hidden[:, None], 0.0)
        return self.linear_out((weights @ v.transpose(1, 2)).transpose(1, 2).flatten(2))


def _shifted(x: Tensor) -> Tensor:
    """From scores by distance, [b, heads, t, 2t - 1], to scores by place: row i moves left by t - 1 - i."""
    _, heads, rows, columns = x.shape
    padded = nn.functional.pad(x, (1, 0)).reshape(-1, heads, columns + 1, rows)
    return padded[:, :, 1:].reshape(-1, heads, rows, columns)


class ConformerLayer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm_feed_forward1, self.norm_feed_forward2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.norm_self_att, self.norm_conv, self.norm_out = (nn.LayerNorm(WIDTH) for _ in range(3))
        self.feed_forward1, self.feed_forward2 = FeedForward(), FeedForward()
        self.self_attn, self.conv = Attention(), Convolution()

    def forward(self, x: Tensor, positions: Tensor, used: Tensor, hidden: Tensor) -> Tensor:
        x = x + 0.5 * self.feed_forward1(self.norm_feed_forward1(x))
        x = x + self.self_attn(self.norm_self_att(x), positions, hidden)
        x = x + self.conv(self.norm_conv(x), used)
        x = x + 0.5 * self.feed_forward2(self.norm_feed_forward2(x))
        return self.norm_out(x)


class Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.pre_encode = Subsampling()
        self.layers = nn.ModuleList(ConformerLayer() for _ in range(LAYERS))


class Conformer(nn.Module):
    """Conformer-M's encoder: audio_signal [batch,80,1600] and length [batch] to encoded [batch,256,400], which is 0
    behind the end."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()

    def forward(self, audio_signal: Tensor, length: Tensor) -> Tensor:
        x = self.encoder.pre_encode(audio_signal.transpose(1, 2)) * math.sqrt(WIDTH)
        steps = FRAMES // 4
        used = torch.arange(steps)[None] < ((length + 3) // 4)[:, None]
        hidden = ~(used[:, None] & used[:, :, None])
        positions = _sinusoids(steps).to(x.dtype)
        for layer in self.encoder.layers:
            x = layer(x, positions, used, hidden)
        return x.masked_fill(~used[:, :, None], 0.0).transpose(1, 2)


def _sinusoids(steps: int) -> Tensor:
    """Positions steps - 1 … 1 - steps, [1, 2 steps - 1, 256], sines and cosines in turn."""
    places = torch.arange(steps - 1, -steps, -1, dtype=torch.float32)[:, None]
    angles = places * torch.exp(torch.arange(0, WIDTH, 2, dtype=torch.float32) * (-math.log(10000.0) / WIDTH))
    return torch.stack((angles.sin(), angles.cos()), 2).flatten(1)[None]


class WhisperBaseEncoder(nn.Module):
    """Whisper-base's encoder, named as in the hub's openai/whisper-base: input_features [batch,80,3000] to
    last_hidden_state [batch,1500,512]."""

    def __init__(self) -> None:
        super().__init__()
        config = WhisperConfig(
            d_model=512, encoder_layers=6, encoder_attention_heads=8, encoder_ffn_dim=2048, attn_implementation="eager"
        )
        self.model = nn.ModuleDict({"encoder": WhisperEncoder(config)})

    def forward(self, input_features: Tensor) -> Tensor:
        hidden: Tensor = self.model["encoder"](input_features).last_hidden_state
        return hidden


def conformer(module: nn.Module, task: Task, feeds: Feeds) -> tuple[MomentsOf, bytes, str]:
    """Normal with 1/√inputs, He's for convolutions, BRANCH_SCALE of both where a branch ends; a projection that
    takes the factor √width back which follows it; batch-norm statistics over the task's utterances."""
    stored = Moments("stored")
    projection = 1 / math.sqrt(WIDTH * module.encoder.pre_encode.out.in_features)
    special = {
        "*.running_mean": stored,
        "*.running_var": stored,
        "*.pos_bias_?": Moments("normal", std=0.1),
        "encoder.pre_encode.out.weight": Moments("normal", std=round(projection, 6)),
        "*.linear2.weight": Moments("normal", std=BRANCH_SCALE / math.sqrt(4 * WIDTH)),
        "*.linear_out.weight": Moments("normal", std=BRANCH_SCALE / math.sqrt(WIDTH)),
        "*.pointwise_conv2.weight": Moments("normal", std=BRANCH_SCALE * math.sqrt(2 / WIDTH)),
    }
    moments = calibrate.initialisation(module, None, special)
    calibrate.fill(module, moments, calibrate.seed_of(task))
    with torch.no_grad():
        calibrate.measure_batch_norms(module, feeds["audio_signal"], feeds["length"])
    state = module.state_dict()
    kept = {name: state[name].numpy().astype(np.float16) for name, m in moments.items() if m.kind == "stored"}
    return moments, safetensors.numpy.save(kept), _finding(module, feeds, 2)


def whisper(module: nn.Module, task: Task, feeds: Feeds) -> tuple[MomentsOf, bytes, str]:
    """Normal with 1/√inputs, He's for convolutions."""
    special = {"*.embed_positions.weight": Moments("normal", std=POSITION_STD)}
    moments = calibrate.initialisation(module, None, special)
    calibrate.fill(module, moments, calibrate.seed_of(task))
    return moments, b"", _finding(module, feeds, 1)


def _finding(module: nn.Module, feeds: Feeds, time: int) -> str:
    """What bfloat16 does to the hidden states, and how much these vary: over time, and between utterances."""
    narrow = copy.deepcopy(module).bfloat16()
    rounded = {name: x.bfloat16() if x.is_floating_point() else x for name, x in feeds.items()}
    with torch.no_grad():
        reference = module(**feeds)
        drift = calibrate.relative_l2(narrow(**rounded).float(), reference)
    over_time, between = reference.std(time).mean(), reference.std(0).mean()
    return (
        f"bfloat16: relative L2 {drift:.2e}; hidden states {reference.std():.2f}, over time {over_time:.2f}, between "
        f"utterances {between:.2f}"
    )


EXPORTERS: dict[str, Exporter] = {
    "conformer-encoder": seeded(
        Conformer,
        {"audio_signal": torch.zeros(2, BANDS, FRAMES), "length": torch.tensor([FRAMES, FRAMES // 2])},
        conformer,
        largest=512,
    ),
    "whisper-encoder": seeded(WhisperBaseEncoder, {"input_features": torch.zeros(2, BANDS, WHISPER_FRAMES)}, whisper),
}
