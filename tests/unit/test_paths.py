import errno
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accelbench.errors import UsageError
from accelbench.paths import building, disk_errors, held, home, scratch, sweep, writing


def test_home_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("ACCELBENCH_HOME", raising=False)
    assert home() == tmp_path / "accelbench"
    monkeypatch.setenv("ACCELBENCH_HOME", str(tmp_path / "mine"))
    assert home() == tmp_path / "mine"


def test_a_built_folder_appears_whole(tmp_path: Path) -> None:
    with building(tmp_path / "deep" / "final") as folder:
        (folder / "file").write_text("x")
        assert not (tmp_path / "deep" / "final").exists()
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["final"]
    assert (tmp_path / "deep" / "final" / "file").read_text() == "x"


def test_an_interrupted_build_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), building(tmp_path / "final"):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "final").mkdir()
    with pytest.raises(UsageError, match="never overwritten"), building(tmp_path / "final"):
        pass


def test_who_comes_second_takes_what_the_first_made(tmp_path: Path) -> None:
    with building(tmp_path / "final") as late:
        (late / "file").write_text("late")
        with building(tmp_path / "final") as early:
            (early / "file").write_text("early")
    assert [p.name for p in tmp_path.iterdir()] == ["final"]
    assert (tmp_path / "final" / "file").read_text() == "early"


@pytest.mark.parametrize(
    ("code", "kind", "text"),
    [
        (errno.ENOSPC, UsageError, "no space left on the disk of place"),
        (errno.EROFS, UsageError, "place cannot be written"),
        (errno.EACCES, UsageError, "place cannot be written"),
    ],
)
def test_disk_errors_name_the_place(code: int, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text), disk_errors(Path("place")):
        raise OSError(code, "because")


def test_other_os_errors_pass_through() -> None:
    with pytest.raises(FileNotFoundError), disk_errors(Path("place")):
        raise FileNotFoundError(errno.ENOENT, "because")


def test_what_a_killed_writer_left_is_swept_and_what_somebody_holds_is_not(tmp_path: Path) -> None:
    for name in (".left", ".held", "whole"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("x")
    (tmp_path / ".file").write_text("x")
    assert sweep(tmp_path) == 0, "all of it is fresh"
    with held(tmp_path / ".held"), building(tmp_path / "other") as folder:
        assert sweep(tmp_path, fresh_s=0) == 1
        assert {path.name for path in tmp_path.iterdir()} == {".held", "whole", ".file", folder.name}
    assert sweep(tmp_path, fresh_s=0) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"whole", ".file", "other"}


def test_scratch_of_a_killed_process_goes_and_of_one_at_work_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCELBENCH_HOME", str(tmp_path))
    (tmp_path / "scratch" / ".left").mkdir(parents=True)
    hours_ago = time.time() - 7200
    os.utime(tmp_path / "scratch" / ".left", (hours_ago, hours_ago))
    with scratch() as first:
        os.utime(first, (hours_ago, hours_ago))
        with scratch() as second:
            assert set((tmp_path / "scratch").iterdir()) == {first, second}
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.parametrize("make", [building, writing])
@pytest.mark.parametrize(
    "below", ["file/new", "file/deep/new", "loop/new", "x" * 300], ids=["file", "deep", "loop", "long"]
)
def test_a_place_that_cannot_be_is_named(tmp_path: Path, make: Callable[[Path], Any], below: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to("loop")
    with (
        pytest.raises(UsageError, match=r"(new|x) cannot be made \(") as caught,
        make(tmp_path / below),
    ):
        pytest.fail("begun")
    assert str(tmp_path / below) in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "loop"]


def test_a_limit_on_the_size_of_files_is_told(tmp_path: Path) -> None:
    code = """
import resource, sys
from pathlib import Path
from accelbench import paths
from accelbench.errors import UsageError
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    with paths.building(Path(sys.argv[1]) / "new") as folder:
        (folder / "big").write_bytes(bytes(2000))
except UsageError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code, tmp_path], check=True, capture_output=True, text=True)
    assert done.stdout == f"{tmp_path}/new cannot be written (File too large): choose a writable place\n"
    assert list(tmp_path.iterdir()) == []
