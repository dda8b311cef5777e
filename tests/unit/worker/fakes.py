"""Sessions and tensor sets for the tests of this room."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from accelbench.tensors import Record, TensorSet, TensorWriter


class FakeSession:
    """Computes ``function``, and remembers the feeds that it got."""

    def __init__(self, function: Callable[[Record], Record]) -> None:
        self.function = function
        self.feeds: list[Record] = []
        self.closed = False

    def run(self, feed: Record) -> Record:
        self.feeds.append(feed)
        return self.function(feed)

    def close(self) -> None:
        self.closed = True


def doubled(feed: Record) -> Record:
    return {"y": 2 * feed["x"], "sum": feed["x"].sum(axis=1)}


def written(folder: Path, records: Sequence[Record]) -> TensorSet:
    with TensorWriter(folder) as writer:
        for record in records:
            writer.append(record)
    return TensorSet(folder)


def samples(count: int) -> list[Record]:
    """Sample i is [i, i + 1, i + 2] as float32, distinct for each i."""
    return [{"x": np.arange(i, i + 3, dtype=np.float32)} for i in range(count)]
