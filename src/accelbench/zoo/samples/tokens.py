"""Token ids as a reader of questions meets them: Zipf's frequencies, real lengths, masks, two segments."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from accelbench.model import Dataset
from accelbench.zoo.samples.draws import Draws
from accelbench.zoo.samples.source import Source, number

PAD, CLS, SEP = 0, 101, 102
FIRST_WORD = 999
"""Ids below are BERT's special and unused ones (Devlin et al. 2018, the uncased vocabulary)."""

QUESTION = (5, 20)
SHORTEST_CONTEXT = 24


def source(dataset: Dataset, _folder: Path) -> Source:
    """Questions of option ``length`` over ids below option ``vocabulary``."""
    length, vocabulary = number(dataset, "length"), number(dataset, "vocabulary")
    return (tokens(index, length, vocabulary, dataset.seed) for index in range(dataset.count)), None


def tokens(index: int, length: int, vocabulary: int, seed: int) -> dict[str, NDArray[np.int64]]:
    """Sample ``index``: [CLS] question [SEP] context [SEP] and padding, as ``input_ids``, ``attention_mask`` and
    ``token_type_ids``, int64 [length] each.

    Word i of the ranked vocabulary comes with a probability in proportion to 1/(i + 2.7) (Zipf 1935, Mandelbrot 1953),
    ranks being scattered over the ids. Contexts have about 150 words with a deviation of 60, as in SQuAD; one in four
    fills the whole length, which must be at least 5.
    """
    draws = Draws(seed, f"tokens/{length}/{vocabulary}/{index}")
    question = min(int(draws.between(*QUESTION, 1)[0]), (length - 3) // 2)
    room = length - question - 3
    spread = 1 + 0.4 * float(draws.normal(1)[0])
    context = room if int(draws.below(4, 1)[0]) == 0 else int(min(room, max(SHORTEST_CONTEXT, 150 * spread)))
    used = question + context + 3
    words = _words(draws, vocabulary, question + context, seed)
    ids = np.full(length, PAD, np.int64)
    ids[:used] = np.concatenate([[CLS], words[:question], [SEP], words[question:], [SEP]])
    places = np.arange(length)
    return {
        "input_ids": ids,
        "attention_mask": (places < used).astype(np.int64),
        "token_type_ids": ((places > question + 1) & (places < used)).astype(np.int64),
    }


def _words(draws: Draws, vocabulary: int, count: int, seed: int) -> NDArray[np.int64]:
    """Word ids with Zipf's frequencies, by inverting the distribution function."""
    ranks = vocabulary - FIRST_WORD
    share = np.cumsum(1.0 / (np.arange(ranks) + 2.7))
    chosen = np.searchsorted(share, draws.unit(count) * share[-1], side="right")
    scattered = Draws(seed, f"vocabulary/{vocabulary}").permutation(ranks)
    found: NDArray[np.int64] = FIRST_WORD + scattered[np.minimum(chosen, ranks - 1)]
    return found
