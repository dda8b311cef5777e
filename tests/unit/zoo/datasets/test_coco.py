"""COCO: the folder, the letterbox, and boxes judged in the pictures' own pixels."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.unit.zoo.datasets.made import request

from accelbench.errors import UsageError
from accelbench.model import TensorSpec
from accelbench.zoo.datasets.coco import BORDER, PLACE, letterbox, load, pictures, unboxed
from accelbench.zoo.datasets.loaded import Loaded

SIDE = 64
INPUTS = (TensorSpec("image", "float32", ("batch", 3, SIDE, SIDE)),)
SIZES = {10: (100, 50), 20: (40, 64), 30: (300, 300)}
CATEGORIES = (3, 7, 90)
"""Ids with gaps, as COCO has them."""

Box = tuple[float, float, float, float]
OBJECTS: tuple[tuple[int, int, Box, int], ...] = (
    (10, 7, (10.0, 5.0, 30.0, 40.0), 0),
    (10, 90, (50.0, 10.0, 40.0, 20.0), 0),
    (20, 3, (0.0, 0.0, 40.0, 64.0), 0),
    (20, 7, (5.0, 5.0, 30.0, 30.0), 1),
)
"""Picture, category, x, y, width and height, crowd."""


def coco(folder: Path, split: str = "val2017", pictures_in: str = "val2017", **changes: Any) -> Path:
    (folder / pictures_in).mkdir(parents=True)
    (folder / "annotations").mkdir()
    for picture, size in SIZES.items():
        Image.new("RGB", size, (255, picture, 0)).save(folder / pictures_in / f"{picture:012}.png")
    written = {
        "images": [{"id": picture, "file_name": f"{picture:012}.png"} for picture in SIZES],
        "categories": [{"id": each, "name": f"c{each}"} for each in reversed(CATEGORIES)],
        "annotations": [
            {"id": number, "image_id": picture, "category_id": which, "bbox": box, "iscrowd": crowd, "area": 1.5}
            for number, (picture, which, box, crowd) in enumerate(OBJECTS)
        ],
    }
    (folder / "annotations" / f"instances_{split}.json").write_text(json.dumps({**written, **changes}))
    return folder


def loaded(folder: Path, **asked: Any) -> Loaded:
    return load(request(folder, INPUTS, outputs=("p",), **asked))


def perfect(picture: int, place: NDArray[Any]) -> NDArray[Any]:
    """Predictions in the letterbox that hold exactly the picture's objects."""
    rows = np.zeros((8, 5 + len(CATEGORIES)), np.float32)
    for row, (_, which, (x, y, width, height), crowd) in zip(
        rows, [each for each in OBJECTS if each[0] == picture], strict=False
    ):
        centre = np.array([x + width / 2, y + height / 2]) * place[0:2] + place[2:4]
        row[:5] = (*centre, width * place[0], height * place[1], 0.0 if crowd else 1.0)
        row[5 + CATEGORIES.index(which)] = 0.9
    return rows


def scores(data: Loaded, shift: float = 0.0) -> Sequence[Any]:
    answers = []
    for item, picture in enumerate(SIZES):
        (record,) = data.prepare(data.read(item))
        predictions = perfect(picture, record[PLACE])
        predictions[:, 0] += shift
        answers.append(data.judge.answer(item, [{"p": predictions}], [{PLACE: record[PLACE]}]))
    return data.judge.score(data.judge.table(answers))


@pytest.mark.parametrize("where", ["val2017", "images/val2017"])
def test_objects_are_boxes_with_classes_in_the_order_of_ids(tmp_path: Path, where: str) -> None:
    found = pictures(coco(tmp_path, pictures_in=where), "val2017")
    assert [each.path.name for each in found] == ["000000000010.png", "000000000020.png", "000000000030.png"]
    assert found[0].objects.tolist() == [[10, 5, 40, 45, 1, 0, 1.5], [50, 10, 90, 30, 2, 0, 1.5]]
    assert found[1].objects[:, 5].tolist() == [0, 1]
    assert found[2].objects.shape == (0, 7)


def test_a_picture_lies_in_the_middle_of_a_grey_square(tmp_path: Path) -> None:
    data = loaded(coco(tmp_path))
    (record,) = data.prepare(data.read(0))
    image = record["image"]
    assert image.shape == (3, SIDE, SIDE)
    assert image.dtype == np.dtype("float32")
    assert record[PLACE].tolist() == [0.64, 0.64, 0, 16, 100, 50]
    grey = np.float32(BORDER / 255)
    assert (image[:, :16] == grey).all()
    assert (image[:, 48:] == grey).all()
    assert (image[0, 16:48] == 1).all()
    assert image[1, 20, 20] == np.float32(10 / 255)


def test_boxes_come_back_from_the_letterbox() -> None:
    rng = np.random.default_rng(1)
    for width, height in ((100, 50), (33, 64), (1, 500), (641, 480)):
        square, place = letterbox(np.zeros((height, width, 3), np.uint8), SIDE)
        assert square.shape == (SIDE, SIDE, 3)
        corners = np.sort(rng.uniform(0, 1, (20, 2, 2)), axis=1).reshape(20, 4) * np.tile([width, height], 2)
        inside = corners * np.tile(place[:2], 2) + np.tile(place[2:4], 2)
        assert (inside >= 0).all()
        assert (inside <= SIDE).all()
        found = unboxed(np.column_stack([inside, np.zeros((20, 2))]), place)
        np.testing.assert_allclose(found[:, :4], corners, atol=1e-3)
    beyond = unboxed(np.array([[-9.0, -9.0, 99.0, 99.0, 0.5, 1.0]]), place)
    assert beyond.tolist() == [[0, 0, 641, 480, 0.5, 1]]


def test_exact_boxes_have_full_score_and_shifted_ones_less(tmp_path: Path) -> None:
    data = loaded(coco(tmp_path))
    exact = scores(data)
    assert [(each.name, each.value, each.samples) for each in exact] == [("mAP@[.5:.95]", 1.0, 3), ("mAP@0.5", 1.0, 3)]
    assert all(each.standard_error is not None for each in exact)
    precise, coarse = scores(data, shift=4.0)
    assert 0.2 < precise.value < coarse.value


def test_a_sample_is_drawn_and_others_calibrate(tmp_path: Path) -> None:
    folder = coco(tmp_path)
    one, rest = loaded(folder, samples=1), loaded(folder, samples=1, calibrating=True)
    assert (one.items, rest.items) == (1, 2)
    assert one.sha256 != loaded(folder).sha256
    assert one.sha256 == loaded(folder, samples=1).sha256


def test_another_split(tmp_path: Path) -> None:
    folder = coco(tmp_path, split="mine", pictures_in="mine")
    assert loaded(folder, options={"split": "mine"}).items == 3
    with pytest.raises(UsageError, match=r"annotations/instances_val2017.json, and the pictures in val2017"):
        loaded(folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"annotations": [{"image_id": 10, "category_id": 4, "bbox": [0, 0, 1, 1], "area": 1}]},
        {"annotations": [{"image_id": 11, "category_id": 3, "bbox": [0, 0, 1, 1], "area": 1}]},
        {"annotations": [{"image_id": 10, "category_id": 3, "bbox": [0, 0, 1], "area": 1}]},
        {"images": None},
    ],
)
def test_a_damaged_list_is_named(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"instances_val2017.json is not a list of COCO's instances"):
        loaded(coco(tmp_path, **changes))


def test_a_picture_that_is_not_there(tmp_path: Path) -> None:
    folder = coco(tmp_path)
    (folder / "val2017" / "000000000020.png").unlink()
    with pytest.raises(UsageError, match=r"lists 000000000020.png, which is not in"):
        loaded(folder)


def test_a_picture_that_is_none(tmp_path: Path) -> None:
    folder = coco(tmp_path)
    (folder / "val2017" / "000000000020.png").write_bytes(b"nothing")
    with pytest.raises(UsageError, match=r"000000000020.png is not a readable picture"):
        loaded(folder).read(1)


def test_the_task_has_one_square_input(tmp_path: Path) -> None:
    for inputs in (INPUTS * 2, (TensorSpec("image", "float32", ("batch", 3, 64, 32)),)):
        with pytest.raises(UsageError, match="one input of square pictures"):
            load(request(coco(tmp_path / str(len(inputs))), inputs))
