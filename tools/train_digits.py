"""Train the two digits networks on scikit-learn's handwritten digits and split off the test set.

The data is the UCI "Optical Recognition of Handwritten Digits" test set (Alpaydin and Kaynak 1998), 1,797 pictures of
8×8 pixels with 17 grey levels, scaled here to [0, 1]. Everything is drawn from fixed seeds on one thread.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn


@dataclass(frozen=True)
class Digits:
    """Training and held-out pictures float32 [N,1,8,8] and their labels int64 [N]."""

    train_x: NDArray[np.float32]
    train_y: NDArray[np.int64]
    test_x: NDArray[np.float32]
    test_y: NDArray[np.int64]


def digits() -> Digits:
    """The data, 70 % for training and 30 % held out, stratified by label."""
    pictures, labels = load_digits(return_X_y=True)
    pictures = (pictures.reshape(-1, 1, 8, 8) / 16).astype(np.float32)
    train_x, test_x, train_y, test_y = train_test_split(
        pictures, labels.astype(np.int64), test_size=0.3, random_state=0, stratify=labels
    )
    return Digits(train_x, train_y, test_x, test_y)


def train(module: nn.Module, data: Digits, epochs: int, seed: int) -> float:
    """Train in place (AdamW, one-cycle rate, shifts by up to a pixel, label smoothing); return the test accuracy."""
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(seed)
    x, y = torch.from_numpy(data.train_x), torch.from_numpy(data.train_y)
    steps = -(-len(x) // 64)
    optimiser = torch.optim.AdamW(module.parameters(), lr=3e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=epochs * steps)
    loss_of = nn.CrossEntropyLoss(label_smoothing=0.05)
    module.train()
    for _ in range(epochs):
        for chosen in torch.randperm(len(x), generator=generator).split(64):
            loss = loss_of(module(_shifted(x[chosen], generator)), y[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    module.eval()
    with torch.no_grad():
        right = module(torch.from_numpy(data.test_x)).argmax(1) == torch.from_numpy(data.test_y)
    return float(right.double().mean())


def _shifted(pictures: Tensor, generator: torch.Generator) -> Tensor:
    down, right = torch.randint(-1, 2, (2,), generator=generator).tolist()
    return torch.roll(nn.functional.pad(pictures, (1, 1, 1, 1)), (down, right), (2, 3))[:, :, 1:-1, 1:-1]
