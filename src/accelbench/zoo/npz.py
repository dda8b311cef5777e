"""A user's arrays: the ``.npz`` files that commands take."""

from __future__ import annotations

import hashlib
import io
import lzma
import struct
import tokenize
import zipfile
import zlib
from pathlib import Path

import numpy as np

from accelbench.errors import UsageError
from accelbench.tensors import Array

UNREADABLE = (
    OSError, ValueError, TypeError, EOFError, KeyError, RuntimeError, MemoryError, OverflowError, SyntaxError,
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, tokenize.TokenError,
)  # fmt: skip
"""What zipfile and NumPy raise at files that are cut off, changed, encrypted or packed by a method that is not here."""

NPY = b"\x93NUMPY"


def read(path: Path, named: str) -> tuple[dict[str, Array], str]:
    """The arrays in a file by name, and the file's SHA-256. Raises UsageError, which calls it ``named``."""
    try:
        data = path.read_bytes()
        if data.startswith(NPY):
            raise UsageError(f"{named} is one array without a name: save an .npz with numpy.savez, an array per input")
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            return {name: np.asarray(stored[name]) for name in stored.files}, hashlib.sha256(data).hexdigest()
    except UNREADABLE as error:
        why = " ".join(str(error).split())
        raise UsageError(f"{named} is not a readable .npz file ({why}): save one with numpy.savez") from error
