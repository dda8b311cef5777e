"""The networks of image generation, and a mixture of experts. Their state-dict names are the published checkpoints'.

Stable Diffusion 1.5 (Rombach et al. 2022, arXiv:2112.10752) by the diffusers library, its autoencoder's attention under
the names that its checkpoint has; a block of DiT-XL/2 (Peebles and Xie 2022, arXiv:2212.09748) as in facebookresearch/
DiT; a block of JetMoE-8B (Shen et al. 2024, arXiv:2404.07413) as in the transformers library.
"""

from __future__ import annotations

import math

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor, nn
from torch.nn import functional

CHANNELS = (128, 256, 512, 512)
DIT_WIDTH, DIT_HEADS = 1152, 16
MOE_WIDTH, MOE_INNER, EXPERTS, CHOSEN = 2048, 5632, 8, 2


class Unet(nn.Module):
    """The denoiser: sample [batch,4,64,64], timestep int64 [batch] and encoder_hidden_states [batch,77,768] to noise
    [batch,4,64,64]."""

    prefix = "net."

    def __init__(self) -> None:
        super().__init__()
        self.net = UNet2DConditionModel(sample_size=64, cross_attention_dim=768)

    def forward(self, *feeds: Tensor) -> Tensor:
        noise: Tensor = self.net(*feeds, return_dict=False)[0]
        return noise


class PixelAttention(nn.Module):
    """Attention between the places of a map [batch,channels,height,width], with one head."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.group_norm = nn.GroupNorm(32, channels, eps=1e-6)
        self.query, self.key, self.value, self.proj_attn = (nn.Linear(channels, channels) for _ in range(4))

    def forward(self, x: Tensor, **_temb: None) -> Tensor:
        places = self.group_norm(x).flatten(2).transpose(1, 2)
        query, key, value = self.query(places), self.key(places), self.value(places)
        weights = torch.softmax(query @ key.transpose(1, 2) / math.sqrt(x.shape[1]), dim=-1)
        return x + self.proj_attn(weights @ value).transpose(1, 2).unflatten(2, x.shape[2:])


def autoencoder() -> AutoencoderKL:
    net = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=CHANNELS,
        layers_per_block=2,
        sample_size=512,
    )
    for part in (net.encoder, net.decoder):
        part.mid_block.attentions[0] = PixelAttention(CHANNELS[-1])
    return net


class VaeEncoder(nn.Module):
    """image [batch,3,512,512] in −1 … 1 to the moments of its latent [batch,8,64,64]: means, then logarithms of
    variances."""

    prefix = "net."

    def __init__(self) -> None:
        super().__init__()
        self.net = autoencoder()
        del self.net.decoder, self.net.post_quant_conv

    def forward(self, *feeds: Tensor) -> Tensor:
        moments: Tensor = self.net.quant_conv(self.net.encoder(feeds[0]))
        return moments


class VaeDecoder(nn.Module):
    """latent [batch,4,64,64] to image [batch,3,512,512]."""

    prefix = "net."

    def __init__(self) -> None:
        super().__init__()
        self.net = autoencoder()
        del self.net.encoder, self.net.quant_conv

    def forward(self, *feeds: Tensor) -> Tensor:
        image: Tensor = self.net.decoder(self.net.post_quant_conv(feeds[0]))
        return image


class DitAttention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(DIT_WIDTH, 3 * DIT_WIDTH)
        self.proj = nn.Linear(DIT_WIDTH, DIT_WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = self.qkv(x).unflatten(2, (3, DIT_HEADS, -1)).permute(2, 0, 3, 1, 4).unbind(0)
        weights = torch.softmax(query @ key.transpose(2, 3) / math.sqrt(DIT_WIDTH // DIT_HEADS), dim=-1)
        attended: Tensor = self.proj((weights @ value).transpose(1, 2).flatten(2))
        return attended


class DitMlp(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(DIT_WIDTH, 4 * DIT_WIDTH)
        self.fc2 = nn.Linear(4 * DIT_WIDTH, DIT_WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.fc2(functional.gelu(self.fc1(x), approximate="tanh"))
        return out


class DitBlock(nn.Module):
    """A diffusion transformer's block whose conditioning makes shift, scale and gate of both branches."""

    def __init__(self) -> None:
        super().__init__()
        self.attn = DitAttention()
        self.mlp = DitMlp()
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(DIT_WIDTH, 6 * DIT_WIDTH))

    def forward(self, x: Tensor, conditioning: Tensor) -> Tensor:
        shift, scale, gate, shift_mlp, scale_mlp, gate_mlp = self.adaLN_modulation(conditioning).chunk(6, dim=2)
        x = x + gate * self.attn(_norm(x) * (1 + scale) + shift)
        return x + gate_mlp * self.mlp(_norm(x) * (1 + scale_mlp) + shift_mlp)


def _norm(x: Tensor) -> Tensor:
    return functional.layer_norm(x, (DIT_WIDTH,), eps=1e-6)


class Dit(nn.Module):
    """The first block: hidden_states [batch,1024,1152] and conditioning [batch,1,1152] to output [batch,1024,1152]."""

    prefix = ""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([DitBlock()])

    def forward(self, *feeds: Tensor) -> Tensor:
        output: Tensor = self.blocks[0](*feeds)
        return output


class Matrices(nn.Module):
    """One matrix per expert: weight [experts, outputs, inputs]."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(EXPERTS, outputs, inputs))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight.transpose(1, 2)


class Router(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(MOE_WIDTH, EXPERTS, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """The weight of each expert, [batch, tokens, experts]: zero but for the chosen ones."""
        logits = self.layer(x)
        top, chosen = logits.topk(CHOSEN, dim=-1)
        return torch.zeros_like(logits).scatter(-1, chosen, torch.softmax(top, dim=-1))


class Experts(nn.Module):
    """The experts' mixture, written densely: every expert sees every token, and the router's zeros take off what was
    not chosen. Sending each expert its own tokens needs shapes that depend on the data, which ahead-of-time compilers
    do not take; a capacity per expert would drop tokens, which this network does not."""

    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.empty(MOE_WIDTH))
        self.input_linear = Matrices(MOE_WIDTH, 2 * MOE_INNER)
        self.output_linear = Matrices(MOE_INNER, MOE_WIDTH)
        self.router = Router()

    def forward(self, x: Tensor) -> Tensor:
        gate, linear = self.input_linear(x.unsqueeze(1)).chunk(2, dim=-1)
        outputs = self.output_linear(functional.silu(gate) * linear)
        weights = self.router(x).transpose(1, 2).unsqueeze(3)
        return (outputs * weights).sum(1) + self.bias


class RmsNorm(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(width))

    def forward(self, x: Tensor) -> Tensor:
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6))


class MoeLayer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.mlp = Experts()
        self.post_attention_layernorm = RmsNorm(MOE_WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.mlp(self.post_attention_layernorm(x))


class Moe(nn.Module):
    """The first layer's second half: hidden_states [batch,256,2048] to output [batch,256,2048]."""

    prefix = ""

    def __init__(self) -> None:
        super().__init__()
        self.model = nn.ModuleDict({"layers": nn.ModuleList([MoeLayer()])})

    def forward(self, *feeds: Tensor) -> Tensor:
        output: Tensor = self.model["layers"][0](feeds[0])
        return output
