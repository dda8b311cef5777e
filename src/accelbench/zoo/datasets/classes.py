"""The judge of classification: the five most likely classes against the label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelbench.errors import AccelbenchError
from accelbench.metrics.means import mean
from accelbench.model import Score
from accelbench.tensors import Array, Record

BEST = 5


class ClassJudge:
    """``labels`` int64 [items]; ``output`` is the tensor with one value per class (None: the only one)."""

    def __init__(self, labels: NDArray[np.int64], outputs: tuple[str, ...]) -> None:
        self.labels, self.outputs = labels, outputs

    def answer(self, item: int, outputs: Sequence[Record], notes: Sequence[Record]) -> Any:  # noqa: ARG002
        """The classes with the largest values, best first, the lowest of equal ones first; -1 throughout for NaN."""
        (record,) = outputs
        name = self.outputs[0] if self.outputs else next(iter(record))
        values = np.asarray(record[name]).reshape(-1)
        if len(values) <= self.labels.max():
            raise AccelbenchError(f"output {name} has {len(values)} classes, the labels go up to {self.labels.max()}")
        if np.isnan(values).any():
            return np.full(min(BEST, len(values)), -1)
        return np.argsort(-values.astype(np.float64), kind="stable")[:BEST]

    def table(self, answers: Sequence[Any]) -> dict[str, Array]:
        """``label`` [items] and ``top5`` [items, 5], best first."""
        return {"label": self.labels, "top5": np.array(answers)}

    def score(self, table: Mapping[str, Array]) -> tuple[Score, ...]:
        """The share of items whose label is the best class, and the share where it is among the best five."""
        right = table["top5"] == table["label"][:, None]
        return mean("top1", right[:, 0]), mean("top5", right.any(axis=1))
