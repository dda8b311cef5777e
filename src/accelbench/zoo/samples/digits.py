"""The pictures of digits that come with a task."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np

from accelbench.errors import UsageError
from accelbench.model import Dataset
from accelbench.zoo.samples.draws import Draws
from accelbench.zoo.samples.source import Source
from accelbench.zoo.weights import checked


def source(dataset: Dataset, folder: Path) -> Source:
    """The held-out test split; for another seed, the same pictures under noise of a sixteenth of their range."""
    path = folder / str(dataset.file)
    try:
        with np.load(io.BytesIO(checked(path, dataset.sha256))) as stored:
            images, labels = stored["x"][: dataset.count], stored["y"][: dataset.count]
    except (KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise UsageError(f"{path} is no .npz file with the arrays x and y ({error})") from error
    if dataset.seed:
        noise = Draws(dataset.seed, "digits").normal(images.size).reshape(images.shape) / 16
        images = (images + noise * np.ptp(images)).astype(np.float32)
    return ({"image": image} for image in images), labels
