"""Small data of our own, and what loaders are asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import tokenizers
from tokenizers import models, pre_tokenizers, processors

from accelbench.model import TensorSpec
from accelbench.zoo.datasets.loaded import Request

WORDS = (
    "who",
    "won",
    "the",
    "game",
    "in",
    "panthers",
    "broncos",
    "denver",
    "carolina",
    "2016",
    ".",
    ",",
    "?",
    "'",
    "-",
)
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
CONTEXT = "In 2016 the Denver Broncos won. The Carolina Panthers didn't win the game, Denver did."


def vocabulary(folder: Path) -> Path:
    """A WordPiece vocabulary of a few words, and of every letter and digit, so that most texts have pieces."""
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS, *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    path = folder / "vocab.txt"
    path.write_text("\n".join(pieces) + "\n", encoding="utf-8")
    return path


def roberta(folder: Path) -> Path:
    """A tokenizer.json that lays out pairs as RoBERTa does, whose padding has id 1."""
    words = {word: 3 + number for number, word in enumerate((*WORDS, *LETTERS, "<unk>"))}
    made = tokenizers.Tokenizer(models.WordLevel({"<s>": 0, "<pad>": 1, "</s>": 2, **words}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    path = folder / "tokenizer.json"
    made.save(str(path))
    return path


def question(name: str, text: str, *answers: str) -> dict[str, Any]:
    return {"id": name, "question": text, "answers": [{"text": answer} for answer in answers]}


def squad(folder: Path, *paragraphs: tuple[str, list[dict[str, Any]]]) -> Path:
    """A folder with a file of SQuAD 1.1: contexts, each with its questions."""
    data = [{"title": "t", "paragraphs": [{"context": context, "qas": asked} for context, asked in paragraphs]}]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dev-v1.1.json").write_text(json.dumps({"data": data}), encoding="utf-8")
    return folder


def tokens(length: int, *names: str) -> tuple[TensorSpec, ...]:
    return tuple(TensorSpec(name, "int64", ("batch", length)) for name in names)


def request(folder: Path, inputs: tuple[TensorSpec, ...], **asked: Any) -> Request:
    return Request(folder, inputs, **asked)
