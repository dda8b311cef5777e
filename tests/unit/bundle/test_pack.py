from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from accelbench.bundle.pack import pack
from accelbench.bundle.read import Bundle
from accelbench.bundle.verify import verify
from accelbench.errors import UsageError
from accelbench.report import store


def test_a_packed_report_comes_back_byte_for_byte(stored: Path, tmp_path: Path) -> None:
    path = pack(stored, tmp_path)
    assert path == tmp_path / f"{stored.name}.accelbench.zip"
    bundle = Bundle.open(path)
    assert verify(bundle) == ()
    report, _ = store.open_report(stored)
    assert (bundle.report, bundle.manifest.report) == (report, report.id)
    folder = bundle.unpack(tmp_path / "other")
    assert store.open_report(folder)[0] == report
    assert store.verify(folder) == ()
    assert {name: path.read_bytes() for name, path in store.files_in(folder).items()} == {
        name: path.read_bytes() for name, path in store.files_in(stored).items() if name != store.PRIVATE
    }


def test_equal_content_gives_equal_bytes(stored: Path, tmp_path: Path) -> None:
    first, again = pack(stored, tmp_path / "a.zip"), pack(stored, tmp_path / "b.zip")
    assert first.read_bytes() == again.read_bytes()


def test_any_zip_program_reads_it(stored: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(pack(stored, tmp_path)) as other:
        assert other.testzip() is None
        assert other.read("report/logs/stdout.txt") == b"compiled\n"


def test_nothing_is_overwritten(stored: Path, tmp_path: Path) -> None:
    path = pack(stored, tmp_path)
    with pytest.raises(UsageError, match="exists already"):
        pack(stored, tmp_path)
    Bundle.open(path).unpack(tmp_path / "other")
    with pytest.raises(UsageError, match="exists already"):
        Bundle.open(path).unpack(tmp_path / "other")


def test_a_report_that_was_changed_is_not_packed(stored: Path, tmp_path: Path) -> None:
    (stored / "logs" / "stdout.txt").chmod(0o644)
    (stored / "logs" / "stdout.txt").write_text("compiled well\n")
    with pytest.raises(UsageError, match=r"not as it was made \(logs/stdout.txt: content differs\)"):
        pack(stored, tmp_path)
    assert not list(tmp_path.glob("*.zip"))


def test_a_task_of_one_s_own_goes_along(stored: Path, tmp_path: Path) -> None:
    (tmp_path / "task").mkdir()
    (tmp_path / "task" / "task.toml").write_text('id = "ours"\n')
    path = pack(stored, tmp_path, task=tmp_path / "task")
    assert verify(Bundle.open(path)) == ()
    folder = Bundle.open(path).unpack(tmp_path / "other")
    assert (folder.parent / "task" / "task.toml").read_text() == 'id = "ours"\n'
