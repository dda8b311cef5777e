"""Prompts for a decoder, and the state in which a decoder meets its next token: Zipf's frequencies, real lengths.

Texts of a batch end together, so a shorter one begins later: padding is on the left, as servers of decoders have it,
and the next token's logits are always those of the last position.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from accelbench.errors import UsageError
from accelbench.model import Dataset
from accelbench.tensors import Array
from accelbench.zoo import seeded
from accelbench.zoo.samples.draws import Draws
from accelbench.zoo.samples.source import Source, number
from accelbench.zoo.weights import checked

UNIT = seeded.Moments("normal", std=1.0)


def source(dataset: Dataset, _folder: Path) -> Source:
    """Prompts of at most option ``length`` tokens, whose words are the ``words`` ids from ``first`` on; before them
    padding with id ``pad``, and with option ``start`` the id that begins every text."""
    length, first, words, pad = (number(dataset, name) for name in ("length", "first", "words", "pad"))
    start = number(dataset, "start") if "start" in dataset.options else None

    def prompts() -> Iterator[Mapping[str, Array]]:
        for index in range(dataset.count):
            draws = Draws(dataset.seed, f"prompts/{length}/{first}/{words}/{index}")
            used = _used(draws, length)
            ids = np.full(length, pad, np.int64)
            ids[length - used :] = text(draws, used, first, words, dataset.seed)
            if start is not None:
                ids[length - used] = start
            places = np.arange(length)
            yield {
                "input_ids": ids,
                "attention_mask": (places >= length - used).astype(np.int64),
                "position_ids": np.maximum(places - (length - used), 0),
            }

    return prompts(), None


def decoding(dataset: Dataset, folder: Path) -> Source:
    """The next token of texts of which up to option ``past`` tokens are in the cache: keys and values of them have the
    moments in the data set's file, and heads of option ``width``.

    The file lists tensors by their names; for each head of each, ``shared`` is the standard deviation over what is
    common to all of a text's tokens, ``own`` that over the rest. Places before the text are zero, as in a fresh cache.
    Raises UsageError when the file is not of that form.
    """
    past, first, words, width = (number(dataset, name) for name in ("past", "first", "words", "width"))
    path = folder / str(dataset.file)
    try:
        tensors = json.loads(checked(path, dataset.sha256))["tensors"]
        moments = {name: (_column(row["shared"]), _column(row["own"])) for name, row in tensors.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} holds no moments of keys and values ({error}): reinstall accelbench") from error

    def states() -> Iterator[Mapping[str, Array]]:
        for index in range(dataset.count):
            label = f"decoding/{past}/{first}/{words}/{index}"
            draws = Draws(dataset.seed, label)
            used = _used(draws, past)
            record: dict[str, Array] = {
                "input_ids": text(draws, 1, first, words, dataset.seed),
                "attention_mask": (np.arange(past + 1) >= past - used).astype(np.int64),
                "position_ids": np.array([used], np.int64),
            }
            for name, (shared, own) in moments.items():
                heads = len(own)
                common = seeded.draw(f"{label}/{name}/shared", heads * width, UNIT, dataset.seed)
                values = seeded.draw(f"{label}/{name}/own", heads * past * width, UNIT, dataset.seed)
                whole = values.reshape(heads, past, width) * own + common.reshape(heads, 1, width) * shared
                whole[:, : past - used] = 0.0
                record[name] = whole
            yield record

    return states(), None


def text(draws: Draws, count: int, first: int, words: int, seed: int) -> NDArray[np.int64]:
    """``count`` ids in [first, first + words): word i of the ranked vocabulary with a probability in proportion to
    1/(i + 2.7) (Zipf 1935, Mandelbrot 1953), ranks being scattered over the ids."""
    share, scattered = _vocabulary(words, seed)
    chosen = np.searchsorted(share, draws.unit(count) * share[-1], side="right")
    found: NDArray[np.int64] = first + scattered[np.minimum(chosen, words - 1)]
    return found


@cache
def _vocabulary(words: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    return np.cumsum(1.0 / (np.arange(words) + 2.7)), Draws(seed, f"vocabulary/{words}").permutation(words)


def _used(draws: Draws, length: int) -> int:
    """How many tokens a text has: one in four fills the length, the others a quarter of it or more."""
    whole, part = int(draws.below(4, 1)[0]) == 0, int(draws.between(max(1, length // 4), length, 1)[0])
    return length if whole else part


def _column(values: Sequence[float]) -> NDArray[np.float32]:
    return np.array(values, np.float32).reshape(-1, 1, 1)
