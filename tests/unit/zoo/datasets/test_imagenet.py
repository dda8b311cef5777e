"""ImageNet: layouts of folders, and pictures as torchvision makes them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.unit.zoo.datasets.made import request

from accelbench.errors import AccelbenchError, UsageError
from accelbench.model import TensorSpec
from accelbench.zoo.datasets import photos
from accelbench.zoo.datasets.imagenet import load, pictures
from accelbench.zoo.datasets.loaded import Loaded
from accelbench.zoo.datasets.photos import Transform, read_photo

INPUTS = (TensorSpec("image", "float32", ("batch", 3, 8, 8)),)
SMALL = {"resize": 10, "crop": 8}
SYNSETS = [f"n{10_000_000 + 7 * number}" for number in range(1000)]


def photo(path: Path, value: int = 100, size: tuple[int, int] = (12, 16)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (value, value // 2, 0)).save(path)
    return path


def loaded(folder: Path, **asked: Any) -> Loaded:
    return load(request(folder, INPUTS, outputs=("logits",), **{"options": SMALL, **asked}))


def labels(folder: Path) -> list[tuple[str, int]]:
    return [(path.name, label) for path, label in pictures(folder)]


# --- layouts -----------------------------------------------------------------------------------------------------


def test_a_thousand_synsets_are_classes_in_alphabetical_order(tmp_path: Path) -> None:
    for name in SYNSETS:
        (tmp_path / "val" / name).mkdir(parents=True)
    photo(tmp_path / "val" / SYNSETS[3] / "b.JPEG")
    photo(tmp_path / "val" / SYNSETS[999] / "a.png")
    (tmp_path / "val" / SYNSETS[0] / "notes.txt").write_text("no picture")
    assert labels(tmp_path) == labels(tmp_path / "val") == [("b.JPEG", 3), ("a.png", 999)]


def test_some_synsets_need_the_list_of_all(tmp_path: Path) -> None:
    photo(tmp_path / SYNSETS[40] / "a.jpg")
    with pytest.raises(UsageError, match=r"has folders for 1 of the 1000 synsets.*LOC_synset_mapping.txt"):
        pictures(tmp_path)
    (tmp_path / "LOC_synset_mapping.txt").write_text("".join(f"{name} some, words\n" for name in SYNSETS))
    assert labels(tmp_path) == [("a.jpg", 40)]
    (tmp_path / "LOC_synset_mapping.txt").write_text("".join(f"{name} word\n" for name in SYNSETS[:40]))
    with pytest.raises(UsageError, match="does not list 1000 synsets"):
        pictures(tmp_path)


def test_folders_named_by_numbers(tmp_path: Path) -> None:
    photo(tmp_path / "7" / "a.jpg")
    photo(tmp_path / "123" / "b.jpeg")
    assert sorted(labels(tmp_path)) == [("a.jpg", 7), ("b.jpeg", 123)]


@pytest.mark.parametrize("place", [".", "val"])
def test_a_list_of_names_and_classes(tmp_path: Path, place: str) -> None:
    photo(tmp_path / place / "ILSVRC2012_val_00000002.JPEG")
    photo(tmp_path / place / "ILSVRC2012_val_00000001.JPEG")
    listed = tmp_path / "val_map.txt"
    listed.write_text("ILSVRC2012_val_00000001.JPEG 65\n\nILSVRC2012_val_00000002.JPEG 970\n")
    assert labels(tmp_path) == [("ILSVRC2012_val_00000001.JPEG", 65), ("ILSVRC2012_val_00000002.JPEG", 970)]
    listed.write_text("ILSVRC2012_val_00000001.JPEG 1000\n")
    with pytest.raises(UsageError, match=r"val_map.txt, line 1: not a picture's name and a class below 1000"):
        pictures(tmp_path)
    listed.write_text("absent.JPEG 1\n")
    with pytest.raises(UsageError, match=r"absent.JPEG is not there"):
        pictures(tmp_path)


def test_other_folders_are_refused(tmp_path: Path) -> None:
    photo(tmp_path / "cats" / "a.jpg")
    with pytest.raises(UsageError, match="has no layout of ImageNet that is known"):
        pictures(tmp_path)


# --- pictures ----------------------------------------------------------------------------------------------------


def ramp(height: int, width: int) -> NDArray[np.uint8]:
    """Red tells the column, green the row."""
    rows, columns = np.mgrid[0:height, 0:width]
    return np.stack([columns, rows, np.zeros_like(rows)], axis=-1).astype(np.uint8)


def transform(**options: Any) -> Transform:
    return Transform.of(request(Path(), INPUTS, options=options))


def test_the_middle_is_cut_out() -> None:
    cropped = transform(resize=100, crop=80).cropped(ramp(100, 151))
    assert cropped.shape == (80, 80, 3)
    assert cropped[0, 0].tolist() == [36, 10, 0], "(151 - 80) / 2 = 35.5 is rounded to even, as torchvision does"
    assert cropped[-1, -1].tolist() == [115, 89, 0]


@pytest.mark.parametrize(
    ("height", "width", "expected"), [(50, 75, (256, 384)), (75, 50, (384, 256)), (9, 7, (329, 256))]
)
def test_the_shorter_side_is_resized_the_longer_one_follows_rounded_down(
    height: int, width: int, expected: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    whole = Image.Image.resize

    def resize(image: Image.Image, size: Any, kernel: Any) -> Image.Image:
        sizes.append((size, kernel))
        return whole(image, size, kernel)

    monkeypatch.setattr(Image.Image, "resize", resize)
    transform().cropped(ramp(height, width))
    transform(interpolation="bicubic", squash=True, resize=224).cropped(ramp(height, width))
    assert sizes == [(expected[::-1], Image.Resampling.BILINEAR), ((224, 224), Image.Resampling.BICUBIC)]


def test_pixels_are_normalised_per_channel() -> None:
    made = transform(**SMALL)(np.full((10, 10, 3), 255, np.uint8))
    assert made.shape == (3, 8, 8)
    assert made.dtype == np.float32
    assert made[:, 0, 0] == pytest.approx([(1 - 0.485) / 0.229, (1 - 0.456) / 0.224, (1 - 0.406) / 0.225], rel=1e-6)
    assert transform(**SMALL, normalisation="unit")(np.full((10, 10, 3), 51, np.uint8)).max() == np.float32(0.2)


def test_options_are_checked() -> None:
    for wrong in ({"resize": 8, "crop": 9}, {"interpolation": "area"}, {"normalisation": "mine"}):
        with pytest.raises(UsageError, match="crop at most resize: correct the task"):
            transform(**wrong)
    with pytest.raises(UsageError, match=r"\[real\] options.resize is 'big'"):
        transform(resize="big")


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGBA", "P"])
def test_every_kind_of_picture_is_read_as_rgb(tmp_path: Path, mode: str) -> None:
    data = io.BytesIO()
    Image.fromarray(ramp(20, 30)).convert(mode).save(data, "TIFF")
    (tmp_path / "a.tiff").write_bytes(data.getvalue())
    found = read_photo(tmp_path / "a.tiff")
    assert found.shape == (20, 30, 3)
    assert found.dtype == np.uint8


# --- loading and judging -----------------------------------------------------------------------------------------


def test_records_and_scores(tmp_path: Path) -> None:
    for label in range(6):
        photo(tmp_path / str(label) / "a.png", value=40 * label)
    found = loaded(tmp_path)
    made = [found.prepare(found.read(item)) for item in range(found.items)]
    assert [(len(records), records[0]["image"].shape) for records in made] == [(1, (3, 8, 8))] * 6
    assert all(np.ptp(records[0]["image"][0]) == 0 for records in made)
    assert len({float(records[0]["image"][0, 0, 0]) for records in made}) == 6
    logits = np.eye(6, 9, dtype=np.float32)
    logits[1] = [9, 8, 0, 0, 0, 0, 0, 0, 0]
    logits[2] = [9, 8, 0, 7, 6, 5, 0, 0, 0]
    logits[3] = np.nan
    table = found.judge.table([found.judge.answer(item, [{"logits": logits[item]}], []) for item in range(6)])
    assert table["top5"][:3].tolist() == [[0, 1, 2, 3, 4], [0, 1, 2, 3, 4], [0, 1, 3, 4, 5]]
    assert [(s.name, s.value, s.samples) for s in found.judge.score(table)] == [("top1", 0.5, 6), ("top5", 4 / 6, 6)]
    assert found.judge.score(table)[0].standard_error == pytest.approx((0.25 / 6) ** 0.5)
    with pytest.raises(AccelbenchError, match="has 5 classes, the labels go up to 5"):
        found.judge.answer(0, [{"logits": logits[0, :5]}], [])


def test_the_hash_is_of_the_pictures_that_are_used(tmp_path: Path) -> None:
    for label in range(4):
        photo(tmp_path / str(label) / "a.png", value=40 * label)
    before = [loaded(tmp_path).sha256, loaded(tmp_path, samples=2).sha256]
    assert before == [loaded(tmp_path).sha256, loaded(tmp_path, samples=2).sha256]
    photo(tmp_path / "0" / "a.png", value=7)
    photo(tmp_path / "1" / "a.png", value=8)
    photo(tmp_path / "2" / "a.png", value=9)
    after = [loaded(tmp_path).sha256, loaded(tmp_path, samples=2).sha256]
    assert not set(before) & set(after)


def test_what_is_wrong_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = photo(tmp_path / "0" / "a.jpg")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(UsageError, match=r"a.jpg is not a readable picture"):
        loaded(tmp_path).read(0)
    with pytest.raises(UsageError, match="ImageNet feeds one input, the task has image, image"):
        load(request(tmp_path, INPUTS * 2))
    monkeypatch.setattr(photos, "Image", None)
    with pytest.raises(UsageError, match=r"pictures need Pillow: pip install 'accelbench\[data\]'"):
        loaded(tmp_path)
