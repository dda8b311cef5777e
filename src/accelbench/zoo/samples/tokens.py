"""Token ids as a reader of questions, or a comparer of documents, meets them: Zipf's frequencies, real lengths, masks.

A sample is a pair of texts, laid out as the model's tokeniser lays out pairs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from accelbench.errors import UsageError
from accelbench.model import Dataset
from accelbench.zoo.samples.draws import Draws
from accelbench.zoo.samples.source import Source, number

QUESTION = (5, 20)
SHORTEST_CONTEXT = 24
DOCUMENT = (250, 700)


@dataclass(frozen=True)
class Layout:
    """The special ids of a tokeniser and how it joins a pair: ``start`` text ``end`` × ``joints`` text ``end``.

    Words are the ids from ``first_word`` up to the vocabulary's size less ``unused_last``. With ``segments`` there are
    ``token_type_ids``: 1 for the second text and the end behind it.
    """

    start: int
    end: int
    pad: int
    first_word: int
    unused_last: int = 0
    joints: int = 1
    segments: bool = True


LAYOUTS: Mapping[str, Layout] = {
    "bert": Layout(start=101, end=102, pad=0, first_word=999),
    "albert": Layout(start=2, end=3, pad=0, first_word=5),
    "roberta": Layout(start=0, end=2, pad=1, first_word=4, unused_last=1, joints=2, segments=False),
    "deberta": Layout(start=1, end=2, pad=0, first_word=4, unused_last=1, segments=False),
    "roformer": Layout(start=101, end=102, pad=0, first_word=106),
}
"""By the published vocabularies: bert-base-uncased (Devlin et al. 2018), albert-base-v2, roberta-base and
microsoft/deberta-base (whose last id is the mask), junnyu/roformer_chinese_base."""


def source(dataset: Dataset, _folder: Path) -> Source:
    """Pairs of option ``length`` over ids below option ``vocabulary``, in option ``layout`` (``bert``, if not given);
    option ``pairs`` is ``questions`` with their contexts (if not given) or ``documents``."""
    length, vocabulary = number(dataset, "length"), number(dataset, "vocabulary")
    layout, pairs = str(dataset.options.get("layout", "bert")), str(dataset.options.get("pairs", "questions"))
    if layout not in LAYOUTS or pairs not in ("questions", "documents"):
        raise UsageError(
            f"a data set of kind {dataset.kind} has layout {', '.join(LAYOUTS)} and pairs questions or documents, "
            f"not {layout} and {pairs}"
        )
    two_documents = pairs == "documents"
    return (
        tokens(index, length, vocabulary, dataset.seed, LAYOUTS[layout], two_documents)
        for index in range(dataset.count)
    ), None


def tokens(
    index: int,
    length: int,
    vocabulary: int,
    seed: int,
    layout: Layout = LAYOUTS["bert"],
    two_documents: bool = False,
) -> dict[str, NDArray[np.int64]]:
    """Sample ``index``: a pair of texts and padding, as ``input_ids``, ``attention_mask`` and, where the layout has
    segments, ``token_type_ids``, int64 [length] each; ``length`` is at least 2 + the layout's special ids.

    Word i of the ranked vocabulary comes with a probability in proportion to 1/(i + 2.7) (Zipf 1935, Mandelbrot 1953),
    ranks being scattered over the ids.
    """
    draws = Draws(seed, f"tokens/{length}/{vocabulary}/{index}")
    room = length - 2 - layout.joints
    first, second = (_documents if two_documents else _question)(draws, room)
    used = first + second + 2 + layout.joints
    words = _words(draws, vocabulary, layout, first + second, seed)
    ids = np.full(length, layout.pad, np.int64)
    ids[:used] = np.concatenate(
        [[layout.start], words[:first], [layout.end] * layout.joints, words[first:], [layout.end]]
    )
    places = np.arange(length)
    sample = {"input_ids": ids, "attention_mask": (places < used).astype(np.int64)}
    if layout.segments:
        sample["token_type_ids"] = ((places > first + layout.joints) & (places < used)).astype(np.int64)
    return sample


def _question(draws: Draws, room: int) -> tuple[int, int]:
    """Words of a question and of its context: about 150 with a deviation of 60, as in SQuAD; one context in four fills
    the whole length."""
    question = min(int(draws.between(*QUESTION, 1)[0]), room // 2)
    room -= question
    spread = 1 + 0.4 * float(draws.normal(1)[0])
    context = room if int(draws.below(4, 1)[0]) == 0 else int(min(room, max(SHORTEST_CONTEXT, 150 * spread)))
    return question, context


def _documents(draws: Draws, room: int) -> tuple[int, int]:
    """Words of two documents, the longer one cut until both fit: facts of legal cases are mostly longer than 512
    characters (Su et al. 2021, arXiv:2104.09864, section 4.5), and a word has some one and a half."""
    first, second = (int(count) for count in draws.between(*DOCUMENT, 2))
    if first + second > room:
        first = min(first, max(room // 2, room - second))
        second = min(second, room - first)
    return first, second


def _words(draws: Draws, vocabulary: int, layout: Layout, count: int, seed: int) -> NDArray[np.int64]:
    """Word ids with Zipf's frequencies, by inverting the distribution function."""
    ranks = vocabulary - layout.unused_last - layout.first_word
    share = np.cumsum(1.0 / (np.arange(ranks) + 2.7))
    chosen = np.searchsorted(share, draws.unit(count) * share[-1], side="right")
    scattered = Draws(seed, f"vocabulary/{vocabulary}").permutation(ranks)
    found: NDArray[np.int64] = layout.first_word + scattered[np.minimum(chosen, ranks - 1)]
    return found
