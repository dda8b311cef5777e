"""CIFAR-100's test pictures (A. Krizhevsky 2009, the python version), classified without training for it.

Each picture goes with the prompt of one class, as image-and-text models take pairs; a picture's class is the prompt
whose text is nearest to it (A. Radford et al. 2021, arXiv:2103.00020, section 3.1).
"""

from __future__ import annotations

import io
import pickle
import tarfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelbench.errors import UsageError
from accelbench.model import Score
from accelbench.tensors import Array, Record
from accelbench.zoo.datasets.classes import ClassJudge
from accelbench.zoo.datasets.loaded import Loaded, Request, chosen, digest, option
from accelbench.zoo.datasets.photos import Photo, Transform, pillow
from accelbench.zoo.datasets.tokenizing import Tokenizer

CLASSES, SIZE = 100, 32
FOLDER, ARCHIVE = "cifar-100-python", "cifar-100-python.tar.gz"
PROMPT = "a photo of a {}."


def load(request: Request) -> Loaded:
    """The test pictures of ``cifar-100-python`` or of its archive, at least 100 of them so that every class's prompt is
    there. Options: those of ``photos.Transform``, ``prompt`` with ``{}`` for the class's name. Raises UsageError for
    damaged files and for fewer samples."""
    pillow()
    began = time.perf_counter_ns()
    contents = {name: _content(request.folder, name) for name in ("test", "meta")}
    photos, labels = pictures(contents["test"], request.folder)
    names = class_names(contents["meta"], request.folder)
    opening = (time.perf_counter_ns() - began) // len(photos)
    used = chosen(request, len(photos))
    if len(used) < CLASSES and not request.calibrating:
        raise UsageError(f"--samples {len(used)}: CIFAR-100 needs at least {CLASSES}, one for each class's prompt")
    transform, tokenizer = Transform.of(request), Tokenizer(request)
    prompt = option(request, "prompt", PROMPT)
    image, text, length = _inputs(request)
    prompts = [_prompt(tokenizer, prompt.replace("{}", name), length) for name in names]

    def prepare(item: tuple[int, Photo]) -> list[Record]:
        return [{image: transform(item[1]), text: prompts[item[0] % CLASSES]}]

    return Loaded(
        name="CIFAR-100, test",
        sha256=digest([photos[used].tobytes(), labels[used].tobytes(), *(name.encode() for name in names)]),
        items=len(used),
        read=lambda item: (item, photos[used[item]]),
        prepare=prepare,
        judge=ZeroShotJudge(labels[used], request.outputs),
        opening_ns=opening,
        tokenizer_sha256=tokenizer.sha256,
    )


class ZeroShotJudge(ClassJudge):
    """Reads embeddings of pictures and of texts, [size] each; item i has the text of class i modulo 100."""

    def __init__(self, labels: NDArray[np.int64], outputs: tuple[str, ...]) -> None:
        if len(outputs) != 2:
            raise UsageError("CIFAR-100 needs a metric that names two outputs, image and text embeddings")
        super().__init__(labels, outputs)

    def answer(self, item: int, outputs: Sequence[Record], notes: Sequence[Record]) -> Any:  # noqa: ARG002
        """The item's two embeddings, each of length 1."""
        (record,) = outputs
        return tuple(_unit(np.asarray(record[name], np.float64).reshape(-1)) for name in self.outputs)

    def table(self, answers: Sequence[Any]) -> dict[str, Array]:
        """``label`` and ``top5``: the classes whose texts are nearest to the picture by cosine."""
        texts = np.stack([text for _, text in answers[:CLASSES]])
        ranked = []
        for item, (image, _) in enumerate(answers):
            scores = texts @ image
            ranked.append(super().answer(item, [{self.outputs[0]: scores}], []))
        return super().table(ranked)

    def score(self, table: Mapping[str, Array]) -> tuple[Score, ...]:
        """Top-1 and top-5."""
        return super().score(table)


def pictures(data: bytes, where: Path) -> tuple[Photo, NDArray[np.int64]]:
    """uint8 [n, 32, 32, 3] and the fine labels int64 [n] of a batch. Raises UsageError where it is none."""
    batch = unpickled(data, where)
    try:
        rows = np.asarray(batch[b"data"])
        labels = np.array(batch[b"fine_labels"], np.int64)
        photos = rows.reshape(-1, 3, SIZE, SIZE).transpose(0, 2, 3, 1)
        if rows.dtype != np.uint8 or labels.shape != photos.shape[:1] or set(labels.tolist()) - set(range(CLASSES)):
            raise ValueError("pictures and labels do not fit")
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{where}: its test batch is not CIFAR-100's ({error})") from error
    return np.ascontiguousarray(photos), labels


def class_names(data: bytes, where: Path) -> list[str]:
    """The names of the 100 fine classes, with blanks for underlines."""
    try:
        names = [bytes(name).decode().replace("_", " ") for name in unpickled(data, where)[b"fine_label_names"]]
        if len(names) != CLASSES:
            raise ValueError(f"{len(names)} classes")
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{where}: its meta is not CIFAR-100's ({error})") from error
    return names


def unpickled(data: bytes, where: Path) -> Any:
    """The plain data in a pickle: dictionaries, lists, bytes, numbers and NumPy arrays of bytes. Nothing that it names
    is imported or called: whatever else it holds raises UsageError."""
    try:
        return _plain(_Plain(io.BytesIO(data), encoding="bytes").load())
    except UsageError:
        raise
    except Exception as error:  # a damaged pickle raises almost anything
        raise UsageError(f"{where} holds no readable pickle ({type(error).__name__}: {error})") from error


class _Plain(pickle.Unpickler):
    """Reads arrays through stand-ins of the three names that they are pickled with."""

    def find_class(self, module: str, name: str) -> Any:
        known = {"_reconstruct": _Array.blank, "ndarray": _Array, "dtype": _Type}
        if module not in ("numpy", "numpy.core.multiarray", "numpy._core.multiarray") or name not in known:
            raise UsageError(f"a pickle that asks for {module}.{name} is not CIFAR-100, and is not read")
        return known[name]


class _Type:
    """A pickled dtype: its code."""

    def __init__(self, code: Any, *_: Any) -> None:
        self.code = code

    def __setstate__(self, state: Any) -> None:
        pass


class _Array:
    """A pickled array: its state."""

    state: tuple[Any, ...] = ()

    @classmethod
    def blank(cls, *_: Any) -> _Array:
        return cls()

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.state = state

    def array(self) -> Array:
        """The array of bytes in C order, which is all that the set has."""
        _, shape, kind, fortran, data = self.state
        if not isinstance(kind, _Type) or kind.code not in ("u1", b"u1") or fortran:
            raise UsageError("a pickle with arrays of anything but bytes is not CIFAR-100, and is not read")
        return np.frombuffer(data, np.uint8).reshape(shape)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value.array() if isinstance(value, _Array) else value


def _content(data: Path, name: str) -> bytes:
    for place in (data, data / FOLDER):
        if (place / name).is_file():
            return (place / name).read_bytes()
    archive = data if data.is_file() else data / ARCHIVE
    try:
        with tarfile.open(archive) as tar:
            member = tar.extractfile(f"{FOLDER}/{name}")
            if member is None:
                raise KeyError(name)
            return member.read()
    except (OSError, KeyError, tarfile.TarError, EOFError) as error:
        raise UsageError(f"--data {data} has neither {FOLDER}/{name} nor {ARCHIVE} with it ({error})") from error


def _inputs(request: Request) -> tuple[str, str, int]:
    """The names of the picture's and of the text's input, and the text's length."""
    images = [spec.name for spec in request.inputs if spec.dtype.startswith("float")]
    texts = [spec for spec in request.inputs if spec.dtype == "int64"]
    if len(images) != 1 or len(texts) != 1 or not isinstance(texts[0].shape[-1], int):
        raise UsageError("CIFAR-100 feeds one picture and one text: correct the task")
    return images[0], texts[0].name, texts[0].shape[-1]


def _prompt(tokenizer: Tokenizer, text: str, length: int) -> NDArray[np.int64]:
    ids = tokenizer.whole(text)
    if len(ids) > length:
        raise UsageError(f"the prompt {text!r} has {len(ids)} tokens, the model takes {length}")
    return np.pad(ids, (0, length - len(ids)), constant_values=tokenizer.pad)


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):
        made: NDArray[np.float64] = vector / np.linalg.norm(vector)
    return made
