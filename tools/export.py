"""Regenerate the task zoo: graphs without weights, trained weights, moments and statistics.

``python tools/export.py [TASK…]`` in the environment of ``requirements.txt``; without a task, all of them. Says for
each file whether it changed, and writes the new hashes into ``task.toml``. A changed graph needs a new task version.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path

import calibrate
import numpy as np
import safetensors.numpy
import torch
import train_digits
from exporting import Exporter, freeze, say, seeded, write
from families import decoders, detection, generative, language, ops, speech, vision
from torch import nn

from accelbench.backends.torch import zoo_modules
from accelbench.backends.torch.zoo_language import BertBase

TASKS = Path(__file__).resolve().parent.parent / "src" / "accelbench" / "zoo" / "tasks"


def main(names: list[str]) -> None:
    for name in names or list(EXPORTERS):
        EXPORTERS[name](TASKS / name)


def digits(make: Callable[[], nn.Module], epochs: int) -> Exporter:
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


TOKENS = torch.ones(2, 384, dtype=torch.int64)
EXPORTERS: dict[str, Exporter] = {
    "digits-cnn": digits(zoo_modules.DigitsCnn, 40),
    "digits-resnet": digits(zoo_modules.DigitsResnet, 60),
    "resnet50": seeded(zoo_modules.Resnet50, {"image": torch.zeros(2, 3, 224, 224)}, calibrate.resnet50),
    "bert-base": seeded(
        BertBase,
        {"input_ids": TOKENS, "attention_mask": TOKENS.clone(), "token_type_ids": 0 * TOKENS},
        calibrate.bert_base,
    ),
    "widedeep": seeded(
        zoo_modules.WideDeep,
        {"dense": torch.zeros(2, 13), "sparse": torch.zeros(2, 26, dtype=torch.int64)},
        calibrate.widedeep,
    ),
    **decoders.EXPORTERS,
    **detection.EXPORTERS,
    **generative.EXPORTERS,
    **language.EXPORTERS,
    **ops.EXPORTERS,
    **speech.EXPORTERS,
    **vision.EXPORTERS,
}

if __name__ == "__main__":
    main(sys.argv[1:])
