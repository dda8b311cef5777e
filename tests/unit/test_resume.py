"""What has passed is not run again, unless a file has changed."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = """
import pytest
def test_good(): pass
def test_bad(): assert False
@pytest.fixture
def untidy():
    yield
    raise ValueError("left something behind")
def test_that_cannot_be_tidied(untidy): pass
"""


def run(folder: Path, *more: str) -> str:
    plugins = ["-p", "tests.resume", "--resume", "-p", "no:hypothesispytest"]
    command = [sys.executable, "-m", "pytest", "-q", *plugins, *more, "--rootdir", str(folder), str(folder / "tests")]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout


def test_a_run_goes_on_where_it_was_ended(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    (tmp_path / "tests" / "test_it.py").write_text(TESTS)
    assert "1 failed, 2 passed, 1 error" in run(tmp_path)
    again = run(tmp_path)
    assert "1 failed, 1 passed, 1 deselected, 1 error" in again
    assert "1 tests passed before on the very same files: not run again" in again
    (tmp_path / "README.md").write_text("Tests read it, too.")
    assert "1 failed, 2 passed, 1 error" in run(tmp_path)
    (tmp_path / "tests" / "test_it.py").write_text(TESTS.replace("assert False", "pass"))
    assert "3 passed, 1 error" in run(tmp_path)


def test_workers_leave_out_the_same_and_write_to_the_same_file(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    for name in ("test_it.py", "test_other.py"):
        (tmp_path / "tests" / name).write_text(TESTS)
    first = run(tmp_path, "-n", "2")
    assert "2 failed, 4 passed, 2 errors" in first
    at_once = first.partition("= ERRORS =")[0]
    assert at_once.count("::test_bad (call)\n") == at_once.count("::test_that_cannot_be_tidied (teardown)\n") == 2
    again = run(tmp_path, "-n", "2")
    assert "2 failed, 2 passed, 2 errors" in again
    assert "2 tests passed before on the very same files: not run again" in again
