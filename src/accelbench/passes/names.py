"""The words for passes, and what they ask for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

from accelbench.errors import UsageError

Kind = Literal["fp16", "bf16", "int8", "int8-static", "int8-nncf", "int4", "prune"]

WORDS = {
    "fp16": "all of the model in float16, but for its inputs and outputs",
    "bf16": "weights kept in bfloat16, computed in float32",
    "int8": "weights in int8, activations quantised as they come",
    "int8-static": "weights and activations in int8, calibrated on the task's samples",
    "int8-nncf": "the same, calibrated and corrected by NNCF",
    "int4": "weights of matrix products in int4, 32 to a scale, computed in float32",
    "prune:SHARE": "so much of each weight, the smallest values, set to zero; prune:0.5",
    "prune:N:M": "all but N of every M weights along the sum set to zero; prune:2:4",
}
CHAINED, NOTHING = "+", "none"
_NUMBER = re.compile(r"prune:(0?\.\d+)$")
_PATTERN = re.compile(r"prune:(\d+):(\d+)$")


@dataclass(frozen=True)
class Pass:
    """One pass: of kind ``prune`` either with a ``share`` of weights that become zero, or ``keep`` of ``group``."""

    word: str
    kind: Kind
    share: float | None = None
    keep: int | None = None
    group: int | None = None


def read(word: str) -> Pass:
    """The pass that a word stands for. Raises UsageError with the words that there are."""
    share, pattern = _NUMBER.match(word), _PATTERN.match(word)
    if share and 0 < float(share[1]) < 1:
        return Pass(word, "prune", share=float(share[1]))
    if pattern and 0 < int(pattern[1]) < int(pattern[2]):
        return Pass(word, "prune", keep=int(pattern[1]), group=int(pattern[2]))
    for kind in get_args(Kind):
        if word == kind and kind != "prune":
            return Pass(word, kind)
    raise UsageError(f"no pass is called {word!r}; there are {', '.join(WORDS)}, chained with {CHAINED}")


def chain(text: str) -> tuple[str, ...]:
    """``prune:0.5+int8`` as its words, each checked; of ``none`` there are none."""
    if text == NOTHING:
        return ()
    return tuple(read(word).word for word in text.split(CHAINED))


def joined(words: tuple[str, ...]) -> str:
    """A chain as it is written."""
    return CHAINED.join(words) or NOTHING
