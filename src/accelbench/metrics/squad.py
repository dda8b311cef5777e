"""The official rule of SQuAD 1.1 (P. Rajpurkar et al., SQuAD: 100,000+ Questions, EMNLP 2016; evaluate-v1.1.py)."""

from __future__ import annotations

import math
import re
import string
from collections import Counter
from collections.abc import Sequence

import numpy as np

from accelbench.model import Score

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLE = re.compile(r"\b(a|an|the)\b")


def normalise(answer: str) -> str:
    """Lower case, without ASCII punctuation, then without articles, words one space apart."""
    return " ".join(_ARTICLE.sub(" ", answer.lower().translate(_PUNCTUATION)).split())


def exact_match(answer: str, truths: Sequence[str]) -> float:
    """1 where the answer is one of ``truths`` (at least one) after both were normalised, else 0."""
    said = normalise(answer)
    return float(any(said == normalise(truth) for truth in truths))


def f1(answer: str, truths: Sequence[str]) -> float:
    """The largest F1 of the answer's words, as a bag, against those of one of ``truths`` (at least one)."""
    words = normalise(answer).split()
    return max(_f1(words, normalise(truth).split()) for truth in truths)


def percentage(values: Sequence[float]) -> float:
    """What the official script prints for the questions' values: 100 · sum ÷ n, in this order of operations and in the
    order of the questions, so that it is equal to the last digit."""
    return 100.0 * sum(values) / len(values)


def score(name: str, values: Sequence[float]) -> Score:
    """The mean over the questions as a fraction of 1, with its standard error: the official percentage ÷ 100."""
    return Score(name, percentage(values) / 100, float(np.std(values) / math.sqrt(len(values))), len(values))


def _f1(words: Sequence[str], truth: Sequence[str]) -> float:
    common = sum((Counter(words) & Counter(truth)).values())
    if not common:
        return 0.0
    precision, recall = common / len(words), common / len(truth)
    return (2 * precision * recall) / (precision + recall)
