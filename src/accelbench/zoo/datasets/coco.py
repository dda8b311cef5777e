"""COCO's pictures with the boxes of their objects (Lin et al. 2014, arXiv:1405.0312)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelbench.errors import UsageError
from accelbench.metrics.average_precision import TRUTH
from accelbench.metrics.detection import AGREEMENT, KEPT, detections, score
from accelbench.model import Score
from accelbench.tensors import Array, Record
from accelbench.zoo.datasets.loaded import Loaded, Request, chosen, digest, option
from accelbench.zoo.datasets.photos import Photo, normalised, pillow, read_photo

BORDER = 114
"""The grey level around a picture that is no square, as YOLOv5 was trained with."""

PLACE = "place"


@dataclass(frozen=True, eq=False)
class Labelled:
    """A picture and its objects, float64 [m, 7]: rows of ``average_precision.TRUTH`` columns in the picture's pixels,
    classes numbered in the order of the categories' ids."""

    path: Path
    objects: NDArray[np.float64]


def load(request: Request) -> Loaded:
    """The pictures that ``annotations/instances_SPLIT.json`` lists, which lie in ``SPLIT`` or ``images/SPLIT``; option
    ``split`` is ``val2017`` if not given, option ``normalisation`` ``unit``.

    A picture is scaled until it just fits into the input and lies in its middle, the rest being grey; boxes are
    scaled back before they are judged. Raises UsageError for another layout, and for files that are not COCO's.
    """
    pillow()
    if len(request.inputs) != 1 or request.inputs[0].shape[-1] != request.inputs[0].shape[-2]:
        raise UsageError("COCO feeds one input of square pictures: correct the task")
    side, name = int(request.inputs[0].shape[-1]), request.inputs[0].name
    normalisation = option(request, "normalisation", "unit")
    every = pictures(request.folder, option(request, "split", "val2017"))
    used = [every[item] for item in chosen(request, len(every))]

    def prepare(photo: Photo) -> list[Record]:
        boxed, place = letterbox(photo, side)
        return [{name: normalised(boxed, normalisation), PLACE: place}]

    return Loaded(
        name="COCO, objects",
        sha256=digest(_contents(used)),
        items=len(used),
        read=lambda item: read_photo(used[item].path),
        prepare=prepare,
        judge=BoxJudge([each.objects for each in used], request.outputs),
    )


def letterbox(photo: Photo, side: int) -> tuple[Photo, NDArray[np.float64]]:
    """The picture in the middle of a grey square, uint8 [side, side, 3], and where it lies there: the factors by which
    its width and height are scaled, the left and the upper border, and its own width and height, float64 [6]."""
    height, width = photo.shape[:2]
    scale = min(side / height, side / width)
    wide, high = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = (side - wide) // 2, (side - high) // 2
    images = pillow()
    square = np.full((side, side, 3), BORDER, np.uint8)
    resized = images.fromarray(photo).resize((wide, high), images.Resampling.BILINEAR)
    square[top : top + high, left : left + wide] = np.asarray(resized)
    return square, np.array([wide / width, high / height, left, top, width, height], np.float64)


def unboxed(found: Array, place: Array) -> Array:
    """Detections [n, 6] in the letterbox, in the pixels of the picture that lies at ``place``, cut at its edges."""
    scale, border, size = np.tile(place[0:2], 2), np.tile(place[2:4], 2), np.tile(place[4:6], 2)
    boxes = np.clip((found[:, :4] - border) / scale, 0, size)
    return np.concatenate([boxes, found[:, 4:]], axis=1).astype(np.float32)


class BoxJudge:
    """Holds detections against the objects of each picture, by COCO's rules."""

    def __init__(self, objects: Sequence[NDArray[np.float64]], outputs: tuple[str, ...]) -> None:
        self._outputs = outputs
        self._objects = np.full((len(objects), max(map(len, objects)), TRUTH), np.nan)
        for row, each in zip(self._objects, objects, strict=True):
            row[: len(each)] = each

    def answer(self, _item: int, outputs: Sequence[Record], notes: Sequence[Record]) -> Any:
        """The picture's detections in its own pixels, float32 [300, 6]."""
        return unboxed(detections(outputs[0], self._outputs), notes[0][PLACE])

    def table(self, answers: Sequence[Any]) -> dict[str, Array]:
        """``detections`` [n, 300, 6] and ``objects`` [n, m, 7], with NaN where a picture has fewer."""
        return {"detections": np.stack(answers).reshape(-1, KEPT, 6), "objects": self._objects}

    def score(self, table: Mapping[str, Array]) -> tuple[Score, ...]:
        """mAP@[.5:.95], then mAP@0.5."""
        found = score(table, table["objects"]), score(table, table["objects"], AGREEMENT)
        return tuple(each for each in found if each is not None)


def pictures(folder: Path, split: str) -> list[Labelled]:
    """Every picture of the split, in the order of the list."""
    path = folder / "annotations" / f"instances_{split}.json"
    places = [place for place in (folder / split, folder / "images" / split) if place.is_dir()]
    if not path.is_file() or not places:
        raise UsageError(
            f"--data {folder} is not COCO's folder: it needs annotations/{path.name}, and the pictures in {split} or "
            f"images/{split}"
        )
    try:
        found = list(_listed(json.loads(path.read_bytes()), places[0]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is not a list of COCO's instances ({type(error).__name__}: {error})") from error
    missing = next((each.path for each in found if not each.path.is_file()), None)
    if missing is not None:
        raise UsageError(f"{path} lists {missing.name}, which is not in {places[0]}")
    return found


def _listed(instances: Mapping[str, Any], place: Path) -> Iterator[Labelled]:
    classes = {each: number for number, each in enumerate(sorted(row["id"] for row in instances["categories"]))}
    objects: dict[int, list[tuple[float, ...]]] = {row["id"]: [] for row in instances["images"]}
    for row in instances["annotations"]:
        x, y, width, height = map(float, row["bbox"])
        which, crowd = float(classes[row["category_id"]]), float(row.get("iscrowd", 0))
        objects[row["image_id"]].append((x, y, x + width, y + height, which, crowd, float(row["area"])))
    for row in instances["images"]:
        yield Labelled(place / row["file_name"], np.array(objects[row["id"]]).reshape(-1, TRUTH))


def _contents(used: list[Labelled]) -> Iterator[bytes]:
    for each in used:
        yield each.path.name.encode()
        yield each.objects.astype("<f8").tobytes()
        try:
            yield each.path.read_bytes()
        except OSError as error:
            raise UsageError(f"{each.path} cannot be read ({error.strerror})") from error
