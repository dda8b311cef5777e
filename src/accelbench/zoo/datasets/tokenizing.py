"""Tokenisers from the user's file, and how they lay out a text or a pair of texts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from accelbench.errors import UsageError
from accelbench.zoo.datasets.loaded import Request, option

try:
    import tokenizers
    from tokenizers import models, normalizers, pre_tokenizers, processors
except ImportError:
    tokenizers = None  # type: ignore[assignment]

Ids = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Words:
    """A text's tokens without special ones: ``ids`` int64 [n] and ``offsets`` int32 [n, 2], where each begins and ends
    in the text, in characters."""

    ids: Ids
    offsets: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Frame:
    """The special tokens around the texts: ``before``, ``between`` the two of a pair, ``after``; the segments' ids of
    all five parts in that order, and the id and the segment that fill up."""

    before: tuple[int, ...]
    between: tuple[int, ...]
    after: tuple[int, ...]
    segments: tuple[int, ...]
    pad: int

    @property
    def size(self) -> int:
        """How many special tokens there are."""
        return len(self.before) + len(self.between) + len(self.after)


class Tokenizer:
    """A tokeniser of the ``tokenizers`` library: its own ``tokenizer.json``, or the WordPiece ``vocab.txt`` of BERT."""

    def __init__(self, request: Request) -> None:
        """Option ``lowercase`` (true) matters to a ``vocab.txt`` alone, which does not tell. Raises UsageError where
        the library or the file is missing, and for a file that is no tokeniser, or one with more ids than the model."""
        path, lowercase = request.tokenizer, option(request, "lowercase", True)
        if path is None:
            raise UsageError(
                "this data set is text: name the model's tokeniser, --tokenizer tokenizer.json or vocab.txt"
            )
        if tokenizers is None:
            raise UsageError("text needs the tokenizers library: pip install 'accelbench[data]'")
        try:
            data = path.read_bytes()
            made = _wordpiece(path, lowercase) if path.suffix == ".txt" else tokenizers.Tokenizer.from_file(str(path))
        except OSError as error:
            raise UsageError(f"--tokenizer {path} cannot be read ({error.strerror})") from error
        except Exception as error:  # the library raises nothing narrower
            raise UsageError(f"--tokenizer {path} is neither a tokenizer.json nor a vocab.txt ({error})") from error
        count = made.get_vocab_size()
        if request.vocabulary is not None and count > request.vocabulary:
            raise UsageError(
                f"--tokenizer {path} has {count} ids, the model {request.vocabulary}: it is another model's"
            )
        made.no_truncation()
        made.no_padding()
        self.sha256 = hashlib.sha256(data + bytes([lowercase])).hexdigest()
        self._tokenizer = made

    def words(self, text: str) -> Words:
        """The tokens of a text by itself, without special ones."""
        found = self._tokenizer.encode(text, add_special_tokens=False)
        return Words(np.array(found.ids, np.int64), np.array(found.offsets, np.int32).reshape(-1, 2))

    def whole(self, text: str) -> Ids:
        """The ids of one text with its special tokens."""
        return np.array(self._tokenizer.encode(text).ids, np.int64)

    def frame(self) -> Frame:
        """The special tokens that the tokeniser puts around a pair of texts."""
        found = self._tokenizer.encode("a", "b")
        first = [place for place, part in enumerate(found.sequence_ids) if part == 0]
        second = [place for place, part in enumerate(found.sequence_ids) if part == 1]
        if not first or not second:
            raise UsageError("the tokeniser knows neither of the letters a and b: it is not one for this data set")
        parts = [
            slice(0, first[0]),
            slice(first[0], first[-1] + 1),
            slice(first[-1] + 1, second[0]),
            slice(second[0], second[-1] + 1),
            slice(second[-1] + 1, None),
        ]
        segments = [next(iter(found.type_ids[part]), 0) for part in parts]
        before, between, after = (tuple(found.ids[parts[index]]) for index in (0, 2, 4))
        return Frame(before, between, after, tuple(segments), self.pad)

    @property
    def pad(self) -> int:
        """The id that fills a text up: that of the token for it, or of the end where there is none (CLIP)."""
        for name in ("[PAD]", "<pad>", "<|endoftext|>"):
            found = self._tokenizer.token_to_id(name)
            if found is not None:
                return int(found)
        return 0


def laid_out(frame: Frame, first: Ids, second: Ids, length: int) -> dict[str, Ids]:
    """A pair as ``input_ids``, ``attention_mask`` and ``token_type_ids``, int64 [length]; it must fit."""
    parts = [np.array(frame.before, np.int64), first, np.array(frame.between, np.int64), second,
             np.array(frame.after, np.int64)]  # fmt: skip
    ids = np.concatenate(parts)
    kinds = np.repeat(np.array(frame.segments, np.int64), [len(part) for part in parts])
    empty = (0, length - len(ids))
    return {
        "input_ids": np.pad(ids, empty, constant_values=frame.pad),
        "attention_mask": np.pad(np.ones_like(ids), empty),
        "token_type_ids": np.pad(kinds, empty),
    }


def _wordpiece(path: Path, lowercase: bool) -> tokenizers.Tokenizer:
    made = tokenizers.Tokenizer(models.WordPiece.from_file(str(path), unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    start, end = made.token_to_id("[CLS]"), made.token_to_id("[SEP]")
    if start is None or end is None:
        raise ValueError("it has no [CLS] and [SEP]")
    made.post_processor = processors.BertProcessing(("[SEP]", end), ("[CLS]", start))
    return made
