"""Tasks of decoders: their moments, the statistics of their caches, and their files. The modules: decoder_nets.py."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import calibrate
import graphs
import numpy as np
import torch
from exporting import Exporter, say, stamp, write
from torch import Tensor, nn

from accelbench.model import Dataset
from accelbench.tensors import TensorSet, stack
from accelbench.zoo import catalogue, feeds, seeded
from accelbench.zoo.seeded import Moments
from families.decoder_nets import SIZES, Decoder, Size

TESTS = Path(__file__).resolve().parents[2] / "tests" / "backend" / "tasks"
LOGITS = 2.5
"""Standard deviation of the logits, as trained models have it."""

BRANCH = 0.3
"""What a branch adds to the residual stream, ÷ the branch's own scale. The stream grows to some two or three over the
depth, as trained ones grow, and the embedding of the last token no longer decides on the next one by itself."""


def exporter(name: str, step: bool) -> Exporter:
    """Of a prefill, or of a ``step`` of decoding."""

    def run(folder: Path) -> None:
        size = SIZES[name]
        place = TESTS / folder.name if name.startswith("tiny") else folder
        place.mkdir(parents=True, exist_ok=True)
        with torch.no_grad():
            decoder = size.decoder()
            moments = moments_of(decoder)
            (place / "task.toml").write_text(task_toml(place.name, size, decoder, step), encoding="utf-8")
            write(place, "moments.json", calibrate.to_json(moments, b""), ("weights", "seeded", "sha256"))
            if step:
                write(place, "cache.json", cache_json(decoder, size, moments), ("dataset", "sha256"))
            inputs = examples(decoder, size, step)
            model = graphs.export_bare(decoder, inputs, output_names(decoder, step), place.name, decoder.prefix)
            digest, changed = graphs.save(model, place / "graph.onnx.gz")
            say(place, f"graph.onnx.gz {'CHANGED' if changed else 'unchanged'}")
            stamp(place, "GRAPH", digest)
            if size.like is None:
                task = catalogue.load(place)
                say(place, finding(decoder, moments, size.seed, batch(TensorSet(feeds.feeds(task, place).path))))

    return run


EXPORTERS: dict[str, Exporter] = {
    "gpt2": exporter("gpt2", step=False),
    **{f"{name}-prefill": exporter(name, step=False) for name in SIZES if name != "gpt2"},
    **{f"{name}-decode": exporter(name, step=True) for name in SIZES if name != "gpt2"},
}


# --- weights -----------------------------------------------------------------------------------------------------


def moments_of(decoder: Decoder) -> calibrate.MomentsOf:
    """Matrices keep their input's scale, but those that end a branch scale it by ``BRANCH``; the matrix that makes
    logits gives them ``LOGITS``; norms are near one and the biases of queries, keys and values not zero, so that
    leaving them out would show."""
    config = decoder.net.config
    width = config.hidden_size
    inner = getattr(config, "intermediate_size", None) or 4 * width
    heads = config.num_attention_heads * (width // config.num_attention_heads)
    unit, branch = Moments("normal", std=_rounded(width**-0.5)), Moments("normal", std=_rounded(BRANCH * heads**-0.5))
    logits = Moments("normal", std=_rounded(LOGITS * width**-0.5))
    special = {
        "*embed_tokens.weight": logits if config.tie_word_embeddings else unit,
        "*lm_head.weight": logits,
        "*.o_proj.weight": branch,
        "*.down_proj.weight": Moments("normal", std=_rounded(BRANCH * inner**-0.5)),
        "*norm.weight": Moments("normal", mean=1.0, std=0.1),
        "*.[qkv]_proj.bias": Moments("normal", std=0.3),
        "*wte.weight": logits,
        "*wpe.weight": Moments("normal", std=0.05),
        "*.ln_[12f].weight": Moments("normal", mean=1.0, std=0.1),
        "*.c_attn.weight": unit,
        "*.c_fc.weight": unit,
        "*.attn.c_proj.weight": branch,
        "*.mlp.c_proj.weight": Moments("normal", std=_rounded(BRANCH * inner**-0.5)),
    }
    moments = calibrate.initialisation(decoder, None, special)
    tied = {"net.lm_head.weight"} if config.tie_word_embeddings else set()
    return {name.removeprefix(decoder.prefix): each for name, each in moments.items() if name not in tied}


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


@contextlib.contextmanager
def drawn(decoder: Decoder, moments: calibrate.MomentsOf, seed: int, dtype: torch.dtype) -> Iterator[None]:
    """While it lasts, each layer's weights are drawn when the layer begins and gone when it ends, so that a model may
    be larger than memory."""
    names: dict[int, str] = {}
    for name, tensor in decoder.state_dict(keep_vars=True).items():
        names.setdefault(id(tensor), name.removeprefix(decoder.prefix))
    hollow: dict[nn.Module, dict[str, nn.Parameter]] = {}

    def begin(module: nn.Module, _inputs: object) -> None:
        hollow[module] = dict(module.named_parameters(recurse=False))
        for leaf, parameter in hollow[module].items():
            full, offset, name = torch.empty(parameter.numel(), dtype=dtype), 0, names[id(parameter)]
            for piece in seeded.chunks(name, parameter.numel(), moments[name], seed):
                full[offset : offset + piece.size] = torch.from_numpy(piece)
                offset += piece.size
            setattr(module, leaf, nn.Parameter(full.view(parameter.shape), requires_grad=False))

    def end(module: nn.Module, _inputs: object, _output: object) -> None:
        for leaf, parameter in hollow.pop(module).items():
            setattr(module, leaf, parameter)

    hooks = []
    for module in decoder.modules():
        if next(module.parameters(recurse=False), None) is not None:
            hooks += [module.register_forward_pre_hook(begin), module.register_forward_hook(end)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


# --- what the network does with its samples ----------------------------------------------------------------------


def batch(samples: Sequence[object]) -> list[Tensor]:
    return [torch.from_numpy(np.array(values)) for values in stack(list(samples)).values()]


def cache_json(decoder: Decoder, size: Size, moments: calibrate.MomentsOf) -> bytes:
    """The standard deviations of keys and values, head by head, that prefill shows: over what all tokens of a text have
    in common, and over the rest. What texts have in common grows with depth and hardly differs from head to head, so
    that of a model too large to be run is the smaller one's at the same share of the depth, the mean over its heads."""
    if size.like is None:
        found = spreads(decoder, size, moments)
    else:
        smaller = SIZES[size.like].decoder()
        layers = spreads(smaller, SIZES[size.like], moments_of(smaller)).mean(-1, keepdim=True)
        depth = decoder.net.config.num_hidden_layers
        chosen = [round(layer * (len(layers) - 1) / (depth - 1)) for layer in range(depth)]
        found = layers[chosen].expand(-1, -1, -1, cache_shape(decoder, 1)[0])
    rows = []
    for name, (shared, own) in zip(past_names(decoder), found.flatten(0, 1), strict=True):
        row = {"shared": [_figure(v) for v in shared], "own": [_figure(v) for v in own]}
        rows.append(f"  {json.dumps(name)}: {json.dumps(row)}")
    return ('{"tensors": {\n' + ",\n".join(rows) + "\n}}\n").encode()


def spreads(decoder: Decoder, size: Size, moments: calibrate.MomentsOf) -> Tensor:
    """Standard deviations [layers, key or value, shared or own, heads] over the model's own prompts."""
    data = Dataset("prompts", size.count, 0, options=prompt_options(size))
    inputs = batch(list(feeds.KINDS["prompts"](data, Path())[0]))
    with drawn(decoder, moments, size.seed, torch.float32):
        _, *cache = decoder(*inputs)
    weight = inputs[1][:, None, :, None].double()  # [batch, 1, tokens, 1]
    used = weight.sum(2)
    found = []
    for tensor in cache:
        values = tensor.double()
        common = (values * weight).sum(2) / used  # [batch, heads, width]
        rest = ((values - common[:, :, None]) ** 2 * weight).sum(2) / (used - 1)
        shared = ((common**2).mean((0, 2)) - (rest / used).mean((0, 2))).clamp(min=0)
        found.append(torch.stack([shared, rest.mean((0, 2))]).sqrt())
    return torch.stack(found).unflatten(0, (-1, 2))


def _figure(value: Tensor) -> float:
    return float(f"{float(value):.3g}")


def finding(decoder: Decoder, moments: calibrate.MomentsOf, seed: int, inputs: list[Tensor]) -> str:
    """How large activations and logits are, how next tokens vary, and what bfloat16 does to them."""
    layers = getattr(decoder.net.base_model, "layers", None) or decoder.net.base_model.h
    used = inputs[1][:, -inputs[0].shape[1] :].bool()
    sizes: list[float] = []
    hooks = [layer.register_forward_hook(lambda _m, _i, y: sizes.append(_rms(y[used]))) for layer in layers]
    with drawn(decoder, moments, seed, torch.float32):
        logits, *cache = decoder(*inputs)
    for hook in hooks:
        hook.remove()
    narrow = [tensor.bfloat16() if tensor.is_floating_point() else tensor for tensor in inputs]
    with drawn(decoder, moments, seed, torch.bfloat16):
        rounded, *rounded_cache = (tensor.float() for tensor in decoder(*narrow))
    worst = max(calibrate.relative_l2(a, b) for a, b in zip(rounded_cache, cache, strict=True))
    top = logits.topk(2).values
    clear = (top[:, 0] - top[:, 1] > math.sqrt(2) * (rounded - logits).std(1)).float().mean()
    first, second = logits.argmax(1), rounded.argmax(1)
    again = (first == inputs[0][:, -1]).float().mean()
    return (
        f"layers' RMS {sizes[0]:.2f} to {sizes[-1]:.2f}; keys and values {min(map(_rms, cache)):.2f} to "
        f"{max(map(_rms, cache)):.2f}; logits {logits.std():.2f}; "
        f"{first.unique().numel()} next tokens of {len(first)}, {again:.0%} the last again; bfloat16: relative L2 "
        f"{calibrate.relative_l2(rounded, logits):.2e}, of keys and values {worst:.2e}, same token on "
        f"{(first == second).float().mean():.0%}, margin above the error on {clear:.0%}"
    )


def _rms(values: Tensor) -> float:
    return float(values.square().mean().sqrt())


# --- signature and task.toml -------------------------------------------------------------------------------------


def past_names(decoder: Decoder, stem: str = "past_key_values") -> list[str]:
    layers = decoder.net.config.num_hidden_layers
    return [f"{stem}.{layer}.{kind}" for layer in range(layers) for kind in ("key", "value")]


def output_names(decoder: Decoder, step: bool) -> list[str]:
    return ["logits", *past_names(decoder, "new" if step else "present")]


def cache_shape(decoder: Decoder, tokens: int) -> tuple[int, int, int]:
    config = decoder.net.config
    heads = getattr(config, "num_key_value_heads", config.num_attention_heads)
    return heads, tokens, config.hidden_size // config.num_attention_heads


def input_shapes(decoder: Decoder, size: Size, step: bool) -> dict[str, tuple[int, ...]]:
    tokens = 1 if step else size.length
    past = past_names(decoder) if step else []
    return {
        "input_ids": (tokens,),
        "attention_mask": (size.past + 1 if step else tokens,),
        "position_ids": (tokens,),
        **{name: cache_shape(decoder, size.past) for name in past},
    }


def examples(decoder: Decoder, size: Size, step: bool) -> dict[str, Tensor]:
    return {
        name: torch.zeros(2, *shape, dtype=torch.float32 if len(shape) > 1 else torch.int64)
        for name, shape in input_shapes(decoder, size, step).items()
    }


def prompt_options(size: Size) -> dict[str, int]:
    words = size.words
    start = {} if words.start is None else {"start": words.start}
    return {"length": size.length, "first": words.first, "words": words.count, "pad": words.pad, **start}


def task_toml(name: str, size: Size, decoder: Decoder, step: bool) -> str:
    """The text of ``task.toml`` with ``GRAPH``, ``MOMENTS`` and ``CACHE`` where hashes will stand."""
    tokens = 1 if step else size.length
    what = f"one token after up to {size.past}" if step else f"a prompt of {size.length} tokens"
    outputs = {
        key: (decoder.net.config.vocab_size,) if key == "logits" else cache_shape(decoder, tokens)
        for key in output_names(decoder, step)
    }
    width = cache_shape(decoder, 1)[2]
    words = size.words
    options = {"past": size.past, "first": words.first, "words": words.count, "width": width}
    lines = [
        f'id = "{name}"',
        "version = 1",
        f'title = "{size.title}: {what}"',
        'tier = "frontier"',
        'domain = "generative"',
        'graph = "graph.onnx.gz"',
        'graph_sha256 = "GRAPH"',
        "batched = true",
        f'source = "{size.source}; the weights {size.repo or "none"}; exported from transformers by tools/export.py"',
        "inputs = [",
        *(_spec(key, shape, "int64" if len(shape) == 1 else "float32")
          for key, shape in input_shapes(decoder, size, step).items()),
        "]",
        "outputs = [",
        *(_spec(key, shape, "float32") for key, shape in outputs.items()),
        "]",
        "",
        "[[weights]]",
        'kind = "local"',
        "",
        "[[weights]]",
        'kind = "seeded"',
        'file = "moments.json"',
        'sha256 = "MOMENTS"',
        f"seed = {size.seed}",
        "",
        "[dataset]",
        f'kind = "{"decoding" if step else "prompts"}"',
        f"count = {size.count}",
        "seed = 0",
        *(['file = "cache.json"', 'sha256 = "CACHE"'] if step else []),
        f"options = {_inline(options if step else prompt_options(size))}",
        "",
        "[metric]",
        'name = "top1"',
        'outputs = ["logits"]',
        "",
        "[tolerance]",
        f"max_relative_l2 = {size.tolerance}",
        "min_agreement = 0.9",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _spec(name: str, shape: tuple[int, ...], dtype: str) -> str:
    dims = ", ".join(['"batch"', *map(str, shape)])
    return f'    {{ name = "{name}", dtype = "{dtype}", shape = [{dims}] }},'


def _inline(options: dict[str, int]) -> str:
    return "{ " + ", ".join(f"{key} = {value}" for key, value in options.items()) + " }"
