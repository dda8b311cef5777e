"""The process that fills a database of schedules ends with its time, whole lines stay, and nothing runs on."""

import importlib.util
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from accelbench import backends

TUNER = """
import subprocess, sys, time
from pathlib import Path
folder = Path(sys.argv[2])
deep = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
(folder / "pid").write_text(str(deep.pid))
(folder / "database_workload.json").write_text("w\\n")
(folder / "database_tuning_record.json").write_text("one\\ntwo\\nthr")
print("said so", flush=True)
time.sleep(60)
"""


@pytest.fixture
def schedules() -> ModuleType:
    path = Path(backends.__path__[0]) / "tvm" / "schedules.py"
    spec = importlib.util.spec_from_file_location("schedules", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def runs(schedules: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a program in the tuner's place."""

    def stub(program: str) -> None:
        path = tmp_path / "tuner.py"
        path.write_text(program, encoding="utf-8")
        monkeypatch.setattr(schedules, "PROGRAM", path)

    return stub


def gone(pid: int) -> bool:
    """Whether the process has ended; one that nobody waits for has, too."""
    for _ in range(100):
        status = Path(f"/proc/{pid}/stat")
        if not status.exists() or ") Z " in status.read_text(encoding="ascii"):
            return True
        time.sleep(0.02)
    return False


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="asks /proc what runs")
def test_at_the_limit_everything_ends_and_whole_lines_stay(
    schedules: ModuleType, tmp_path: Path, runs: Callable[[str], None]
) -> None:
    runs(TUNER)
    began = time.monotonic()
    assert not schedules.search(Path("m.onnx"), tmp_path, "2", 1.5)
    assert time.monotonic() - began < 10
    assert gone(int((tmp_path / "pid").read_text(encoding="ascii")))
    assert schedules.records(tmp_path) == 2
    assert (tmp_path / "database_tuning_record.json").read_text(encoding="ascii") == "one\ntwo\n"
    assert schedules.said(tmp_path) == "said so\n"


def test_a_search_that_ends_by_itself_says_so(
    schedules: ModuleType, tmp_path: Path, runs: Callable[[str], None]
) -> None:
    runs("")
    assert schedules.search(Path("m.onnx"), tmp_path, "2", 30)
    assert schedules.records(tmp_path) == 0


def test_one_that_crashes_does_not_come_to_its_end(
    schedules: ModuleType, tmp_path: Path, runs: Callable[[str], None]
) -> None:
    runs("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    assert not schedules.search(Path("m.onnx"), tmp_path, "2", 30)


def test_the_database_is_copied_where_it_is_not_yet(schedules: ModuleType, tmp_path: Path) -> None:
    database, folder = tmp_path / "database", tmp_path / "work"
    for made in (database, folder):
        made.mkdir()
    for name in schedules.FILES:
        (database / name).write_text(name, encoding="ascii")
    schedules.copied(database, folder)
    schedules.copied(folder, folder / ".")
    assert {path.name: path.read_text(encoding="ascii") for path in folder.iterdir()} == {
        name: name for name in schedules.FILES
    }
