"""ImageNet's validation pictures with their labels, in the layouts that people have them in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from accelbench.errors import UsageError
from accelbench.tensors import Record
from accelbench.zoo.datasets.classes import ClassJudge
from accelbench.zoo.datasets.loaded import Loaded, Request, chosen, digest
from accelbench.zoo.datasets.photos import Photo, Transform, pillow, read_photo

CLASSES = 1000
SUFFIXES = (".jpeg", ".jpg", ".png")
LISTS = ("val_map.txt", "val.txt")
SYNSETS = ("LOC_synset_mapping.txt", "synset_words.txt", "synsets.txt")
SYNSET = re.compile(r"n\d{8}")

Labelled = tuple[Path, int]


def load(request: Request) -> Loaded:
    """Pictures with the options of ``photos.Transform``. A class is its synset's place in alphabetical order, as
    torchvision has it. Known are these layouts of the folder, or of its ``val``:

    - one folder per class: all 1000 synsets, or some of them beside a list of all (``LOC_synset_mapping.txt``,
      ``synset_words.txt`` or ``synsets.txt``), or folders named by the class's number;
    - pictures beside a list of names and numbers, ``val_map.txt`` or ``val.txt``.

    Raises UsageError for another one, and for a file that is no picture.
    """
    pillow()
    every = pictures(request.folder)
    used = [every[item] for item in chosen(request, len(every))]
    transform = Transform.of(request)
    inputs = [spec.name for spec in request.inputs]
    if len(inputs) != 1:
        raise UsageError(f"ImageNet feeds one input, the task has {', '.join(inputs)}: correct the task")

    def prepare(photo: Photo) -> list[Record]:
        return [{inputs[0]: transform(photo)}]

    return Loaded(
        name="ImageNet, validation",
        sha256=digest(_contents(used)),
        items=len(used),
        read=lambda item: read_photo(used[item][0]),
        prepare=prepare,
        judge=ClassJudge(np.array([label for _, label in used], np.int64), request.outputs),
    )


def pictures(folder: Path) -> list[Labelled]:
    """Every picture with its class, sorted by path. Raises UsageError where the layout is not known."""
    for place in filter(Path.is_dir, (folder / "val", folder)):
        for name in LISTS:
            for beside in (place, folder):
                if (beside / name).is_file():
                    return sorted(_listed(place, beside / name))
        folders = sorted(child for child in place.iterdir() if child.is_dir())
        numbers = _numbers([child.name for child in folders], folder, place)
        if numbers is not None:
            return sorted((path, numbers[child.name]) for child in folders for path in _photos(child))
    raise UsageError(
        f"--data {folder} has no layout of ImageNet that is known: 1000 folders of synsets, some of them beside "
        f"{SYNSETS[0]}, folders named 0 to 999, or pictures beside {' or '.join(LISTS)}"
    )


def _numbers(names: list[str], *places: Path) -> dict[str, int] | None:
    """The class of each folder; None where the names are not those of classes."""
    if names and all(name.isdecimal() and int(name) < CLASSES for name in names):
        return {name: int(name) for name in names}
    if not names or not all(SYNSET.fullmatch(name) for name in names):
        return None
    if len(names) == CLASSES:
        return {name: number for number, name in enumerate(sorted(names))}
    for path in (place / name for place in places for name in SYNSETS):
        if path.is_file():
            all_names = sorted(
                line.split()[0] for line in path.read_text(encoding="utf-8").splitlines() if line.strip()
            )
            if len(all_names) == CLASSES and set(names) <= set(all_names):
                return {name: all_names.index(name) for name in names}
            raise UsageError(f"{path} does not list {CLASSES} synsets with those of the folders among them")
    raise UsageError(
        f"{places[-1]} has folders for {len(names)} of the {CLASSES} synsets, so their numbers are not known: "
        f"put {SYNSETS[0]} (a line for each synset) beside them"
    )


def _listed(folder: Path, path: Path) -> Iterator[Labelled]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        name, _, label = line.strip().rpartition(" ")
        if not line.strip():
            continue
        if not name or not label.isdecimal() or int(label) >= CLASSES:
            raise UsageError(f"{path}, line {number}: not a picture's name and a class below {CLASSES}: {line:.60}")
        if not (folder / name).is_file():
            raise UsageError(f"{path}, line {number}: {folder / name} is not there")
        yield folder / name, int(label)


def _photos(folder: Path) -> Iterator[Path]:
    return (path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)


def _contents(used: list[Labelled]) -> Iterator[bytes]:
    for path, label in used:
        yield f"{path.name} {label}".encode()
        try:
            yield path.read_bytes()
        except OSError as error:
            raise UsageError(f"{path} cannot be read ({error.strerror})") from error
