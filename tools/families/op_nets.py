"""The substructures of networks that are tasks of their own: modules whose inputs and outputs have a batch axis first.

Sources: the encoder layer of BERT (Devlin et al. 2018, arXiv:1810.04805), the decoder layer of Qwen2 (Yang et al. 2024,
arXiv:2407.10671), multi-query attention (Shazeer 2019, arXiv:1911.02150), grouped-query attention (Ainslie et al. 2023,
arXiv:2305.13245), sliding windows (Jiang et al. 2023, arXiv:2310.06825), rotary positions (Su et al. 2021,
arXiv:2104.09864), SwiGLU (Shazeer 2020, arXiv:2002.05202).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional


class Attention(nn.Module):
    """Projections, scaled dot products, softmax, and the projection of the result: [batch, steps, width] to the same.

    ``kv_heads`` keys and values are shared by the heads. With positions, int64 [batch, steps], a place sees those that
    are not behind it, ``window`` of them at most where one is given; ``theta`` turns queries and keys by position.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        kv_heads: int,
        *,
        qkv_bias: bool = True,
        bias: bool = True,
        window: int | None = None,
        theta: float | None = None,
    ) -> None:
        super().__init__()
        self.heads, self.kv_heads, self.size = heads, kv_heads, width // heads
        self.window, self.theta = window, theta
        self.query = nn.Linear(width, width, bias=qkv_bias)
        self.key = nn.Linear(width, kv_heads * self.size, bias=qkv_bias)
        self.value = nn.Linear(width, kv_heads * self.size, bias=qkv_bias)
        self.output = nn.Linear(width, width, bias=bias)

    def forward(self, hidden: Tensor, positions: Tensor | None = None, memory: Tensor | None = None) -> Tensor:
        source = hidden if memory is None else memory
        query = self._split(self.query(hidden), self.heads)
        key, value = (self._split(layer(source), self.kv_heads) for layer in (self.key, self.value))
        if self.theta is not None and positions is not None:
            query, key = (rotated(x, positions, self.theta) for x in (query, key))
        if self.kv_heads < self.heads:
            key, value = (self._shared(x) for x in (key, value))
        scores = query @ key.transpose(2, 3) / math.sqrt(self.size)
        if positions is not None:
            behind = positions[:, None, None, :] - positions[:, None, :, None]
            hidden_from = behind > 0
            if self.window is not None:
                hidden_from = hidden_from | (behind <= -self.window)
            scores = scores.masked_fill(hidden_from, -10000.0)
        mixed = scores.softmax(-1) @ value
        joined: Tensor = self.output(mixed.transpose(1, 2).flatten(2))
        return joined

    def _split(self, x: Tensor, heads: int) -> Tensor:
        return x.view(x.shape[0], x.shape[1], heads, self.size).transpose(1, 2)

    def _shared(self, x: Tensor) -> Tensor:
        batch, _, steps, size = x.shape
        group = self.heads // self.kv_heads
        return x[:, :, None].expand(batch, self.kv_heads, group, steps, size).reshape(batch, self.heads, steps, size)


def rotated(x: Tensor, positions: Tensor, theta: float) -> Tensor:
    """Rotary positions: halves of the last axis of [batch, heads, steps, size] are the two coordinates. Written as the
    transformers library does; OpenVINO 2026.4 fuses the form with separate halves to something that is off by 5 %."""
    size = x.shape[-1]
    frequencies = theta ** (-torch.arange(0, size, 2, dtype=torch.float32) / size)
    angles = positions[:, None, :, None].float() * frequencies
    angles = torch.cat([angles, angles], -1)
    turned = torch.cat([-x[..., size // 2 :], x[..., : size // 2]], -1)
    return x * angles.cos().to(x.dtype) + turned * angles.sin().to(x.dtype)


class CrossAttention(Attention):
    """Attention from one sequence to another: [batch, steps, width] and [batch, places, width]."""

    def forward(self, hidden: Tensor, memory: Tensor) -> Tensor:  # type: ignore[override]
        return super().forward(hidden, memory=memory)


class EncoderLayer(nn.Module):
    """BERT's layer: attention and two matrices with GELU, each with a shortcut and a norm behind it."""

    def __init__(self, width: int, heads: int, inner: int) -> None:
        super().__init__()
        self.attention = Attention(width, heads, heads)
        self.attention_norm = nn.LayerNorm(width, eps=1e-12)
        self.up, self.down = nn.Linear(width, inner), nn.Linear(inner, width)
        self.norm = nn.LayerNorm(width, eps=1e-12)

    def forward(self, hidden: Tensor) -> Tensor:
        hidden = self.attention_norm(hidden + self.attention(hidden))
        result: Tensor = self.norm(hidden + self.down(functional.gelu(self.up(hidden))))
        return result


class SwiGlu(nn.Module):
    """Three matrices, one of which gates: [..., width] to the same."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.gate = nn.Linear(width, inner, bias=False)
        self.up = nn.Linear(width, inner, bias=False)
        self.down = nn.Linear(inner, width, bias=False)

    def forward(self, hidden: Tensor) -> Tensor:
        result: Tensor = self.down(functional.silu(self.gate(hidden)) * self.up(hidden))
        return result


class DecoderLayer(nn.Module):
    """Qwen2's layer: norms in front, grouped queries with rotary positions, causal, SwiGLU."""

    def __init__(self, width: int, heads: int, kv_heads: int, inner: int) -> None:
        super().__init__()
        self.attention_norm = nn.RMSNorm(width, eps=1e-6)
        self.attention = Attention(width, heads, kv_heads, bias=False, theta=1e6)
        self.norm = nn.RMSNorm(width, eps=1e-6)
        self.mlp = SwiGlu(width, inner)

    def forward(self, hidden: Tensor, positions: Tensor) -> Tensor:
        hidden = hidden + self.attention(self.attention_norm(hidden), positions)
        result: Tensor = hidden + self.mlp(self.norm(hidden))
        return result


class GroupNorm(nn.Module):
    """Group norm of [batch, channels, height, width], whose weights have the shape that they are multiplied in:
    PyTorch's exporter reshapes those of its own module, and folds that."""

    def __init__(self, groups: int, channels: int) -> None:
        super().__init__()
        self.groups = groups
        self.weight = nn.Parameter(torch.ones(channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, maps: Tensor) -> Tensor:
        groups = maps.view(maps.shape[0], self.groups, -1)
        return functional.instance_norm(groups).view_as(maps) * self.weight + self.bias


class GeluMlp(nn.Sequential):
    """Two matrices and GELU: [batch, steps, width] to the same."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__(nn.Linear(width, inner), nn.GELU(), nn.Linear(inner, width))


class Vocabulary(nn.Module):
    """The head of a language model: [batch, steps, width] to shares of words [batch, steps, words]."""

    def __init__(self, width: int, words: int) -> None:
        super().__init__()
        self.head = nn.Linear(width, words, bias=False)

    def forward(self, hidden: Tensor) -> Tensor:
        result: Tensor = self.head(hidden).softmax(-1)
        return result


class Bags(nn.Module):
    """Weighted sums of a table's rows: ids and shares [batch, bags, places] to [batch, bags, width]."""

    def __init__(self, rows: int, width: int) -> None:
        super().__init__()
        self.table = nn.Embedding(rows, width)

    def forward(self, ids: Tensor, shares: Tensor) -> Tensor:
        result: Tensor = (self.table(ids) * shares[..., None]).sum(2)
        return result


class Recurrent(nn.Module):
    """ONNX's own LSTM or GRU over [batch, steps, width], to [batch, steps, directions × size].

    The weights have the operator's layout, so that its initializers are the state dict's; PyTorch's have another order
    of gates, and its exporter writes what rearranges them into the graph. Weights are drawn, so no order is better.
    """

    def __init__(self, op: str, width: int, size: int, directions: int = 1) -> None:
        super().__init__()
        self.op, self.size, self.directions = op, size, directions
        self.gates = {"LSTM": 4, "GRU": 3}[op]
        self.input = nn.Parameter(torch.zeros(directions, self.gates * size, width))
        self.recurrence = nn.Parameter(torch.zeros(directions, self.gates * size, size))
        self.bias = nn.Parameter(torch.zeros(directions, 2 * self.gates * size))

    def forward(self, hidden: Tensor) -> Tensor:
        steps = hidden.transpose(0, 1)
        if not torch.compiler.is_exporting():
            return self._computed(steps).transpose(0, 1)
        attributes: dict[str, int | str] = {"hidden_size": self.size}
        attributes["direction"] = "bidirectional" if self.directions == 2 else "forward"
        if self.op == "GRU":
            attributes["linear_before_reset"] = 1
        length, batch, _ = steps.shape
        states: Tensor = torch.onnx.ops.symbolic(
            self.op,
            (steps, self.input, self.recurrence, self.bias),
            attributes,
            dtype=hidden.dtype,
            shape=(length, self.directions, batch, self.size),
            version=20,
        )
        return states.permute(2, 0, 1, 3).flatten(2)

    def _computed(self, steps: Tensor) -> Tensor:
        """The same by PyTorch: its gates are ifgo and rzn, ONNX's iofc and zrn."""
        order = {"LSTM": (0, 2, 3, 1), "GRU": (1, 0, 2)}[self.op]
        layer = {"LSTM": nn.LSTM, "GRU": nn.GRU}[self.op](
            self.input.shape[2], self.size, bidirectional=self.directions == 2, dtype=steps.dtype
        )

        def by_gate(rows: Tensor) -> Tensor:
            return torch.cat([rows.chunk(self.gates)[gate] for gate in order])

        for direction, suffix in zip(range(self.directions), ("", "_reverse"), strict=False):
            biases = self.bias[direction].chunk(2)
            values = (self.input[direction], self.recurrence[direction], *biases)
            for name, value in zip(("weight_ih", "weight_hh", "bias_ih", "bias_hh"), values, strict=True):
                getattr(layer, f"{name}_l0{suffix}").data.copy_(by_gate(value))
        return layer(steps)[0]
