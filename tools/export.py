"""Regenerate the task zoo: graphs without weights, trained weights, moments and statistics.

``python tools/export.py [TASK…]`` in the environment of ``requirements.txt``; without a task, all of them. Says for
each file whether it changed, and writes the new hashes into ``task.toml``. A changed graph needs a new task version.
"""

from __future__ import annotations

import hashlib
import io
import sys
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

import calibrate
import graphs
import nets
import numpy as np
import safetensors.numpy
import torch
import train_digits
from torch import nn

from accelbench.tensors import TensorSet, stack
from accelbench.zoo import catalogue, feeds

TASKS = Path(__file__).resolve().parent.parent / "src" / "accelbench" / "zoo" / "tasks"


def main(names: list[str]) -> None:
    for name in names or list(EXPORTERS):
        EXPORTERS[name](TASKS / name)


def digits(make: Callable[[], nn.Module], epochs: int) -> Callable[[Path], None]:
    """Exporter of a digits task: train ``make()``, ship its weights and the held-out pictures."""

    def run(folder: Path) -> None:
        data = train_digits.digits()
        torch.manual_seed(0)
        module = make()
        accuracy = train_digits.train(module, data, epochs, seed=0)
        say(folder, f"trained to {accuracy:.4f} on the held-out pictures")
        pictures = io.BytesIO()
        np.savez_compressed(pictures, x=data.test_x, y=data.test_y)
        write(folder, "data.npz", pictures.getvalue(), ("dataset", "sha256"))
        weights = {name: tensor.numpy() for name, tensor in module.state_dict().items() if tensor.dim()}
        write(folder, "weights.safetensors", safetensors.numpy.save(weights), ("weights", "shipped", "sha256"))
        freeze(folder, module, {"image": torch.zeros(2, 1, 8, 8)})

    return run


def seeded(
    make: Callable[[], nn.Module], inputs: Mapping[str, torch.Tensor], calibration: calibrate.Calibration
) -> Callable[[Path], None]:
    """Exporter of a task with seeded weights: calibrate ``make()`` and ship its moments and statistics."""

    def run(folder: Path) -> None:
        task = catalogue.load(folder)
        samples = TensorSet(feeds.feeds(task, folder).path)
        stacked = {name: torch.from_numpy(values) for name, values in stack(samples).items()}
        module = make().eval()
        moments, statistics, finding = calibration(module, task, stacked)
        say(folder, finding)
        if statistics:
            write(folder, calibrate.STATISTICS, statistics, None)
        write(folder, "moments.json", calibrate.to_json(moments, statistics), ("weights", "seeded", "sha256"))
        freeze(folder, module, inputs)

    return run


def freeze(folder: Path, module: nn.Module, inputs: Mapping[str, torch.Tensor]) -> None:
    """Export the graph, take its weights out and write it."""
    task = tomllib.loads((folder / "task.toml").read_text(encoding="utf-8"))
    outputs = [output["name"] for output in task["outputs"]]
    model = graphs.without_weights(graphs.export(module, inputs, outputs, task["id"]), list(module.state_dict()))
    digest, changed = graphs.save(model, folder / "graph.onnx.gz")
    say(folder, f"graph.onnx.gz {'CHANGED' if changed else 'unchanged'}")
    stamp(folder, task["graph_sha256"], digest)


def write(folder: Path, name: str, data: bytes, key: tuple[str, ...] | None) -> None:
    """Write a file of the task and its hash into the field ``key`` of ``task.toml``."""
    path = folder / name
    changed = not path.exists() or path.read_bytes() != data
    path.write_bytes(data)
    say(folder, f"{name} {'CHANGED' if changed else 'unchanged'}, {len(data):,} bytes")
    if key is not None:
        task = tomllib.loads((folder / "task.toml").read_text(encoding="utf-8"))
        table = task[key[0]]
        if isinstance(table, list):
            table = next(source for source in table if source["kind"] == key[1])
        stamp(folder, table[key[-1]], hashlib.sha256(data).hexdigest())


def stamp(folder: Path, old: str, new: str) -> None:
    path = folder / "task.toml"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def say(folder: Path, text: str) -> None:
    sys.stdout.write(f"{folder.name}: {text}\n")
    sys.stdout.flush()


TOKENS = torch.ones(2, 384, dtype=torch.int64)
EXPORTERS: dict[str, Callable[[Path], None]] = {
    "digits-cnn": digits(nets.DigitsCnn, 40),
    "digits-resnet": digits(nets.DigitsResnet, 60),
    "resnet50": seeded(nets.Resnet50, {"image": torch.zeros(2, 3, 224, 224)}, calibrate.resnet50),
    "bert-base": seeded(
        nets.BertBase,
        {"input_ids": TOKENS, "attention_mask": TOKENS.clone(), "token_type_ids": 0 * TOKENS},
        calibrate.bert_base,
    ),
    "widedeep": seeded(
        nets.WideDeep,
        {"dense": torch.zeros(2, 13), "sparse": torch.zeros(2, 26, dtype=torch.int64)},
        calibrate.widedeep,
    ),
}

if __name__ == "__main__":
    main(sys.argv[1:])
