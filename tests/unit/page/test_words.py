from __future__ import annotations

import re
from importlib import resources
from string import Formatter
from typing import get_args

import pytest

from accelbench.model import Domain, StopReason
from accelbench.page.overview import COLUMNS, OUTCOMES
from accelbench.page.words import WORDS, plain, text

SOURCE = "".join(
    file.read_text(encoding="utf-8")
    for file in resources.files("accelbench.page").iterdir()
    if file.name.endswith(".py") and file.name != "words.py"
)
CHAIN = ("name", "format", "size", "weights", "maker", "sha")
COMPILE = ("form", "seconds", "load", "executed", "nodes", "flops", "fallbacks")
TUNING = ("form", "means", "seconds", "trials", "chosen", "gain")
COMPOSED = {
    *(f"{group}.{outcome}" for group in ("tally", "verdict", "strip") for outcome in OUTCOMES),
    *(f"col.{name}" for name in COLUMNS),
    *(f"chain.{name}" for name in CHAIN),
    *(f"compile.{name}" for name in COMPILE),
    *(f"tuning.{name}" for name in TUNING),
    *(f"pass.stop.{reason}" for reason in get_args(StopReason)),
    *(f"domain.{name}" for name in ("all", *get_args(Domain))),
    *(f"stages.{name}" for name in ("stage", "median", "spread", "mean", "items", "load", "preprocess", "postprocess")),
}


def fields(version: str) -> set[str | None]:
    return {field for _, field, _, _ in Formatter().parse(version) if field is not None}


@pytest.mark.parametrize("key", WORDS)
def test_both_languages_say_something_with_the_same_fields(key: str) -> None:
    english, chinese = WORDS[key]
    assert english.strip()
    assert chinese.strip()
    assert fields(english) == fields(chinese)


def test_every_key_is_used_and_every_used_key_is_there() -> None:
    written = set(re.findall(r'"([a-z0-9]+(?:\.[a-z0-9]+)*)"', SOURCE)) & WORDS.keys()
    assert WORDS.keys() - written - COMPOSED == set()
    assert COMPOSED - WORDS.keys() == set()
    asked = set(re.findall(r'\b(?:text|plain)\(\s*"([^"{]+)"', SOURCE))
    assert asked - WORDS.keys() == set()


def test_values_are_escaped_in_both_languages() -> None:
    shown = text("chain.parent", parent="<b>")
    assert shown.count("&lt;b&gt;") == 2
    assert "<b>" not in shown


def test_words_that_are_the_same_stand_once() -> None:
    assert text("col.p50") == "<span>p50</span>"
    assert plain("col.p50") == "p50"
    assert plain("figure.latency") == "Latency distribution · 时延分布"
