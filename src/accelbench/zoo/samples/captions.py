"""Captions as tokenisers of image-and-text models give them, and pictures with their captions.

Ids follow the tokenisers' own order: byte pair merges, and the pieces of a unigram vocabulary, are numbered from the
most frequent on, so Zipf's law holds over the ids themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from accelbench.model import Dataset
from accelbench.zoo.samples.draws import Draws
from accelbench.zoo.samples.pictures import NORMALISATIONS, pictures
from accelbench.zoo.samples.source import Source, choice, number


@dataclass(frozen=True)
class Tokenizer:
    """Ids of a vocabulary: what a text starts with, what ends it and fills it up, and the first and the last word."""

    start: tuple[int, ...]
    end: int
    first: int
    last: int


TOKENIZERS: Mapping[str, Tokenizer] = {
    "clip": Tokenizer(start=(49406,), end=49407, first=256, last=49405),
    "siglip": Tokenizer(start=(), end=1, first=3, last=31999),
}
"""CLIP's byte pairs (Radford et al. 2021): ids from 256 on are the last, or the only, piece of a word or longer parts.
SigLIP's sentencepieces of the English C4 (Zhai et al. 2023). Both fill a text up with the id that ends it, and neither
has a mask."""

CLASS_PROMPT = (320, 1125, 539, 320), (269,)
"""CLIP's ids of "a photo of a" and of ".", between which a class's name stands (Radford et al. 2021, section 3.1.4)."""

SHORTEST, LONGEST, WHOLE = 4, 24, 8


def source(dataset: Dataset, _folder: Path) -> Source:
    """Captions of option ``length`` by option ``tokenizer`` (one of ``TOKENIZERS``; ``clip``, if not given)."""
    length, tokenizer = number(dataset, "length"), choice(dataset, "tokenizer", TOKENIZERS, "clip")
    drawn = (caption(index, length, tokenizer, dataset.seed) for index in range(dataset.count))
    return ({"input_ids": ids} for ids in drawn), None


def captioned_pictures(dataset: Dataset, _folder: Path) -> Source:
    """A picture (options ``size`` and ``normalisation``) and a caption (``length`` and ``tokenizer``) each. With option
    ``classes`` the texts are those of zero-shot classification: sample i has the prompt of class i modulo that many."""
    size, normalisation = number(dataset, "size"), choice(dataset, "normalisation", NORMALISATIONS, "imagenet")
    length, tokenizer = number(dataset, "length"), choice(dataset, "tokenizer", TOKENIZERS, "clip")
    classes = number(dataset, "classes") if "classes" in dataset.options else None

    def text(index: int) -> NDArray[np.int64]:
        if classes is None:
            return caption(index, length, tokenizer, dataset.seed)
        return class_prompt(index % classes, length, dataset.seed)

    return (
        {"image": pictures(1, size, dataset.seed, index, normalisation)[0], "input_ids": text(index)}
        for index in range(dataset.count)
    ), None


def caption(index: int, length: int, tokenizer: str, seed: int) -> NDArray[np.int64]:
    """The ids of caption ``index``, int64 [length]; ``length`` is at least 4.

    Captions have 4 to 24 tokens, mostly some 14; one in eight is longer than the length and cut, as long prompts are.
    """
    draws = Draws(seed, f"caption/{tokenizer}/{length}/{index}")
    pieces = TOKENIZERS[tokenizer]
    room = length - len(pieces.start) - 1
    words = int(draws.between(SHORTEST // 2, LONGEST // 2, 2).sum())
    count = room if int(draws.below(WHOLE, 1)[0]) == 0 else min(room, words)
    return _filled(pieces, _words(draws, pieces, count), length)


def class_prompt(index: int, length: int, seed: int) -> NDArray[np.int64]:
    """The ids of "a photo of a NAME." for class ``index`` by CLIP's tokeniser, int64 [length], at least 10 long: a name
    is one or two words that are not among the most frequent ones."""
    draws = Draws(seed, f"class/{index}")
    pieces = TOKENIZERS["clip"]
    name = draws.between(1000, pieces.last, int(draws.between(1, 2, 1)[0]))
    before, after = CLASS_PROMPT
    return _filled(pieces, np.concatenate([before, name, after]), length)


def _filled(pieces: Tokenizer, words: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    ids = np.full(length, pieces.end, np.int64)
    used = np.concatenate([np.array(pieces.start, np.int64), words])
    ids[: len(used)] = used
    return ids


def _words(draws: Draws, pieces: Tokenizer, count: int) -> NDArray[np.int64]:
    """Ids with Zipf's frequencies, 1/(rank + 2.7) (Mandelbrot 1953), by inverting the distribution function."""
    share = _distribution(pieces.last - pieces.first + 1)
    ranks = np.searchsorted(share, draws.unit(count) * share[-1], side="right")
    found: NDArray[np.int64] = pieces.first + np.minimum(ranks, len(share) - 1).astype(np.int64)
    return found


@cache
def _distribution(ranks: int) -> NDArray[np.float64]:
    return np.cumsum(1.0 / (np.arange(ranks) + 2.7))
