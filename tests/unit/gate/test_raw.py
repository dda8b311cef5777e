"""Predictions of strangers are read with care."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from accelbench.errors import AccelbenchError
from accelbench.gate import raw
from accelbench.gate.raw import predictions


def test_decisions_of_both_sides_are_told_apart(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "p.npz", top1=[1, 2], reference_top1=[1, 3])
    ours, theirs = predictions(tmp_path, "p.npz")
    assert (ours["top1"].tolist(), theirs["top1"].tolist()) == ([1, 2], [1, 3])


def test_a_pickle_is_not_run(tmp_path: Path) -> None:
    np.savez(tmp_path / "p.npz", top1=np.array([{}], dtype=object))
    with pytest.raises(AccelbenchError, match="does not hold predictions"):
        predictions(tmp_path, "p.npz")


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw, "MOST_BYTES", 1000)
    with zipfile.ZipFile(tmp_path / "p.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("top1.npy", b"\0" * 100_000)
    with pytest.raises(AccelbenchError, match="more than 1000 bytes"):
        predictions(tmp_path, "p.npz")


@pytest.mark.parametrize("data", [b"", b"PK", b"\x93NUMPY"])
def test_what_is_no_archive_is_named(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "p.npz").write_bytes(data)
    with pytest.raises(AccelbenchError, match=r"p\.npz does not hold predictions"):
        predictions(tmp_path, "p.npz")
