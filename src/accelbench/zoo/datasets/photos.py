"""Pictures from files, as networks take them: resized, cropped and normalised as torchvision does it with Pillow."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from accelbench.errors import UsageError
from accelbench.zoo.datasets.loaded import Request, option
from accelbench.zoo.samples.pictures import NORMALISATIONS

try:
    from PIL import Image
except ImportError:
    Image = None  # type: ignore[assignment]

Photo = NDArray[np.uint8]

FILTERS = ("bilinear", "bicubic")


@dataclass(frozen=True)
class Transform:
    """From a decoded picture to a network's input. ``resize`` is the shorter side, or with ``squash`` both sides;
    ``crop`` the side of the square that is cut out of the middle."""

    resize: int
    crop: int
    interpolation: str
    squash: bool
    normalisation: str

    @classmethod
    def of(cls, request: Request) -> Transform:
        """By the options ``resize`` (256), ``crop`` (224), ``interpolation`` (``bilinear`` or ``bicubic``), ``squash``
        (false) and ``normalisation`` (one of ``NORMALISATIONS``; ``imagenet``). Raises UsageError for other words."""
        found = cls(
            resize=option(request, "resize", 256),
            crop=option(request, "crop", 224),
            interpolation=option(request, "interpolation", "bilinear"),
            squash=option(request, "squash", False),
            normalisation=option(request, "normalisation", "imagenet"),
        )
        if found.normalisation not in NORMALISATIONS or found.interpolation not in FILTERS or found.crop > found.resize:
            raise UsageError(
                f"[real] options of pictures: normalisation is {', '.join(NORMALISATIONS)}, interpolation "
                f"{', '.join(FILTERS)}, and crop at most resize: correct the task"
            )
        return found

    def __call__(self, photo: Photo) -> NDArray[np.float32]:
        """float32 [3, crop, crop] from uint8 [height, width, 3], RGB."""
        return normalised(self.cropped(photo), self.normalisation)

    def cropped(self, photo: Photo) -> Photo:
        """The middle of the resized picture, uint8 [crop, crop, 3]."""
        height, width = photo.shape[:2]
        if self.squash:
            width = height = self.resize
        elif width <= height:
            width, height = self.resize, int(self.resize * height / width)
        else:
            width, height = int(self.resize * width / height), self.resize
        images = pillow()
        kernel = {"bilinear": images.Resampling.BILINEAR, "bicubic": images.Resampling.BICUBIC}[self.interpolation]
        resized = np.asarray(images.fromarray(photo).resize((width, height), kernel))
        top, left = round((height - self.crop) / 2.0), round((width - self.crop) / 2.0)
        part: Photo = resized[top : top + self.crop, left : left + self.crop]
        return part


def pillow() -> ModuleType:
    """Pillow's module of pictures. Raises UsageError where Pillow is not installed."""
    if Image is None:
        raise UsageError("pictures need Pillow: pip install 'accelbench[data]'")
    return Image


def read_photo(path: Path, data: bytes | None = None) -> Photo:
    """The picture in a file, or in its bytes, as uint8 [height, width, 3], RGB. Raises UsageError that names the
    file."""
    images = pillow()
    try:
        with images.open(io.BytesIO(data if data is not None else path.read_bytes())) as opened:
            return np.array(opened.convert("RGB"))
    except (OSError, ValueError, SyntaxError, images.DecompressionBombError) as error:
        raise UsageError(f"{path} is not a readable picture ({error})") from error


def normalised(photo: Photo, normalisation: str) -> NDArray[np.float32]:
    """float32 [3, height, width]: pixels ÷ 255, less the mean, divided by the deviation, each step in float32."""
    mean, deviation = (np.array(values, np.float32)[:, None, None] for values in NORMALISATIONS[normalisation])
    scaled = photo.transpose(2, 0, 1).astype(np.float32) / np.float32(255)
    return np.ascontiguousarray((scaled - mean) / deviation)
