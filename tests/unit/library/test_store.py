from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.unit.library import made
from tests.unit.library.test_index import TABLE, claim, reproduction

from accelbench.bundle.pack import pack
from accelbench.errors import AccelbenchError, UsageError
from accelbench.imports.store import FORM, folder_name
from accelbench.library import reproductions
from accelbench.library.store import Added, Store
from accelbench.report.store import open_report, place, verify


def test_a_report_is_added_once_and_without_private_facts(tmp_path: Path) -> None:
    source, (folder, *_) = made.store(tmp_path, 2)
    other = Store(tmp_path / "other")
    assert list(other.add(folder)) == [Added(other.path / "reports" / folder.name, new=True)]
    assert list(other.add(folder / "report.json")) == [Added(other.path / "reports" / folder.name, new=False)]
    kept = other.path / "reports" / folder.name
    assert verify(kept) == ()
    assert open_report(kept)[0] == open_report(folder)[0]
    assert (folder / "private.json").is_file()
    assert not (kept / "private.json").exists()
    assert kept.joinpath("report.json").stat().st_mode & 0o777 == 0o444
    assert [added.new for added in other.add(source)] == [False, True]
    assert len(list(other.reports())) == 2


def test_a_store_is_added_with_all_that_lies_in_it(tmp_path: Path) -> None:
    source, (folder,) = made.store(tmp_path, 1)
    report, _ = open_report(folder)
    reproductions.put(source, reproduction(report.id, "reproduced"), None)
    room = source / "claims" / folder_name(claim())
    room.mkdir(parents=True)
    (room / "claim.json").write_bytes(FORM.encode(claim()))
    (room / "source").mkdir()
    (room / "source" / "table.csv").write_bytes(TABLE)
    signed = source / "signatures" / report.id
    signed.mkdir(parents=True)
    (signed / "key.json").write_text("{}")
    other = Store(tmp_path / "other")
    assert [each.folder.parent.name for each in other.add(source)] == ["reports", "claims", "reproductions"]
    assert [each.id for each in other.claims()] == [claim().id]
    assert [each.of for each in other.reproductions()] == [report.id]
    assert (other.path / "claims" / room.name / "source" / "table.csv").read_text() == "a,b\n"
    assert (other.path / "signatures" / report.id / "key.json").is_file()
    assert [each.new for each in other.add(source)] == [False, False, False]


def test_a_bundle_is_added(tmp_path: Path) -> None:
    _, (folder,) = made.store(tmp_path, 1)
    file = pack(folder, tmp_path)
    other = Store(tmp_path / "other")
    assert list(other.add(file)) == [Added(other.path / "reports" / folder.name, new=True)]
    data = bytearray(file.read_bytes())
    data[len(data) // 3] ^= 1
    file.write_bytes(bytes(data))
    with pytest.raises(AccelbenchError):
        list(Store(tmp_path / "third").add(file))
    assert not [path for path in (tmp_path / "third").rglob("*") if path.is_file()]


@pytest.mark.parametrize("damage", ["columns", "report", "more", "link"])
def test_what_is_not_as_it_was_made_is_refused_and_leaves_nothing(tmp_path: Path, damage: str) -> None:
    _, (folder,) = made.store(tmp_path, 1)
    if damage == "columns":
        made.edit(folder / "columns" / "offline-8" / "done.npy", b"other")
    elif damage == "report":
        made.changed(folder, status="failed")
    elif damage == "more":
        (folder / "more").write_text("x")
    else:
        (folder / "columns" / "offline-8" / "link").symlink_to("/etc/hostname")
    other = Store(tmp_path / "other")
    with pytest.raises(AccelbenchError):
        list(other.add(folder))
    assert list((other.path / "reports").iterdir()) == []


def test_a_good_copy_is_kept_beside_a_damaged_one(tmp_path: Path) -> None:
    source, (folder,) = made.store(tmp_path, 1)
    other = Store(tmp_path / "other")
    (first,) = other.add(folder)
    made.edit(first.folder / "columns" / "offline-8" / "done.npy", b"other")
    (again,) = other.add(folder)
    assert again == Added(other.path / "reports" / f"{folder.name}~2", new=True)
    assert verify(again.folder) == ()
    assert list(other.add(source)) == [Added(first.folder, new=False)]


def test_a_full_disk_adds_nothing_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, (folder,) = made.store(tmp_path, 1)
    other = Store(tmp_path / "other")

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfile", full)
        with pytest.raises(UsageError, match="no space left on the disk of"):
            list(other.add(folder))
    assert list((other.path / "reports").iterdir()) == []
    assert [each.new for each in other.add(folder)] == [True]


def test_two_that_add_the_same_at_once_make_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, (folder,) = made.store(tmp_path, 1)
    other = Store(tmp_path / "other")

    def late(staging: Path, final: Path) -> None:
        if not final.exists():
            shutil.copytree(staging, final)
        place(staging, final)

    monkeypatch.setattr("accelbench.library.store.place", late)
    assert [each.new for each in other.add(folder)] == [False]
    assert [path.name for path in (other.path / "reports").iterdir()] == [folder.name]


def test_what_is_nothing_of_ours_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError):
        list(Store(tmp_path / "s").add(tmp_path / "file"))
    with pytest.raises(UsageError, match="is no store"):
        list(Store(tmp_path / "s").add(tmp_path))
