"""A task of our own that answers questions: a small network, its weights, and a ``[real]`` table."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnx.external_data_helper import set_external_data

LENGTH, WORDS, WIDTH = 128, 128, 16

TASK = """id = "questions"
version = 1
title = "Question answering in small"
tier = "smoke"
domain = "language"
graph = "graph.onnx.gz"
graph_sha256 = "{graph}"
batched = true

[[weights]]
kind = "shipped"
file = "weights.safetensors"
sha256 = "{weights}"

[[weights]]
kind = "seeded"
file = "moments.json"
sha256 = "{moments}"
seed = 1

[[inputs]]
name = "input_ids"
dtype = "int64"
shape = ["batch", {length}]

[[inputs]]
name = "attention_mask"
dtype = "int64"
shape = ["batch", {length}]

[[outputs]]
name = "start_logits"
dtype = "float32"
shape = ["batch", {length}]

[[outputs]]
name = "end_logits"
dtype = "float32"
shape = ["batch", {length}]

[dataset]
kind = "tokens"
count = 4
options = {{ length = {length}, vocabulary = 1500 }}

[metric]
name = "span"
outputs = ["start_logits", "end_logits"]

[tolerance]
max_relative_l2 = 0.02

[real]
loader = "squad"
"""


def weights() -> dict[str, NDArray[np.float32]]:
    """An embedding, a mixing of neighbours, and the two logits, at a trained network's scale."""
    draws = np.random.default_rng(11)

    def normal(*shape: int, scale: float) -> NDArray[np.float32]:
        return (scale * draws.normal(size=shape)).astype(np.float32)

    return {
        "embedding": normal(1500, WIDTH, scale=1.0),
        "mixing": normal(WIDTH, WIDTH, 5, scale=0.15),
        "logits": normal(WIDTH, 2, scale=1.0),
    }


def graph() -> bytes:
    """start_logits and end_logits [batch, tokens] from input_ids and attention_mask, with the data of the weights in
    weights.bin."""
    nodes = [
        helper.make_node("Gather", ["embedding", "input_ids"], ["words"], "gather"),
        helper.make_node("Transpose", ["words"], ["channels"], "channels", perm=[0, 2, 1]),
        helper.make_node("Conv", ["channels", "mixing"], ["mixed"], "mix", pads=[2, 2]),
        helper.make_node("Tanh", ["mixed"], ["active"], "tanh"),
        helper.make_node("Transpose", ["active"], ["places"], "places", perm=[0, 2, 1]),
        helper.make_node("MatMul", ["places", "logits"], ["both"], "logit"),
        helper.make_node("Cast", ["attention_mask"], ["seen"], "cast", to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["seen", "last"], ["column"], "column"),
        helper.make_node("Mul", ["both", "column"], ["masked"], "mask"),
        helper.make_node("Split", ["masked"], ["first", "second"], "split", axis=2, num_outputs=2),
        helper.make_node("Squeeze", ["first", "last"], ["start_logits"], "start"),
        helper.make_node("Squeeze", ["second", "last"], ["end_logits"], "end"),
    ]
    made = helper.make_graph(
        nodes,
        "questions",
        [
            helper.make_tensor_value_info(n, TensorProto.INT64, ["batch", LENGTH])
            for n in ("input_ids", "attention_mask")
        ],
        [
            helper.make_tensor_value_info(n, TensorProto.FLOAT, ["batch", LENGTH])
            for n in ("start_logits", "end_logits")
        ],
        [numpy_helper.from_array(value, name) for name, value in weights().items()],
    )
    offset = 0
    for tensor in made.initializer:
        size = len(tensor.raw_data)
        set_external_data(tensor, "weights.bin", offset, size)
        tensor.ClearField("raw_data")
        offset += -(-size // 64) * 64
    made.initializer.append(numpy_helper.from_array(np.array([2], np.int64), "last"))
    found = helper.make_model(made, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    data: bytes = found.SerializeToString()
    return data


def write(folder: Path) -> Path:
    """The task's folder."""
    folder.mkdir(parents=True)
    plain, trained = graph(), safetensors.numpy.save(weights())
    normal = '{{"kind": "normal", "std": {}}}'
    names = ", ".join(f'"{name}": ' + normal.format(float(value.std())) for name, value in weights().items())
    moments = f'{{"statistics_sha256": null, "tensors": {{{names}}}}}'.encode()
    (folder / "graph.onnx.gz").write_bytes(gzip.compress(plain, mtime=0))
    (folder / "weights.safetensors").write_bytes(trained)
    (folder / "moments.json").write_bytes(moments)
    hashes = {
        name: hashlib.sha256(data).hexdigest()
        for name, data in (("graph", plain), ("weights", trained), ("moments", moments))
    }
    (folder / "task.toml").write_text(TASK.format(length=LENGTH, **hashes))
    return folder
