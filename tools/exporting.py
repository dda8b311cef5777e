"""What exporters share: from a PyTorch module to the files of a task, with their hashes in ``task.toml``.

A new task starts as a ``task.toml`` written by hand, with any distinct text of its own where a hash will stand.
"""

from __future__ import annotations

import hashlib
import sys
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

import calibrate
import graphs
import torch
from torch import nn

from accelbench.tensors import TensorSet, stack
from accelbench.zoo import catalogue, feeds

Exporter = Callable[[Path], None]
"""Writes the files of the task in a folder."""


def seeded(
    make: Callable[[], nn.Module],
    inputs: Mapping[str, torch.Tensor],
    calibration: calibrate.Calibration,
    largest: int = graphs.LARGEST,
) -> Exporter:
    """Exporter of a task with seeded weights: calibrate ``make()`` and ship its moments and statistics. Constants of
    the graph are folded up to ``largest`` elements."""

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
        freeze(folder, module, inputs, largest)

    return run


def freeze(folder: Path, module: nn.Module, inputs: Mapping[str, torch.Tensor], largest: int = graphs.LARGEST) -> None:
    """Export the graph, take its weights out and write it."""
    task = tomllib.loads((folder / "task.toml").read_text(encoding="utf-8"))
    outputs = [output["name"] for output in task["outputs"]]
    model = graphs.without_weights(
        graphs.export(module, inputs, outputs, task["id"], largest), list(module.state_dict())
    )
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
