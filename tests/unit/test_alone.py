"""A test that must be alone is; the others share the machine."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.alone import Turns

ROOT = Path(__file__).parents[2]
TESTS = """
import time
from pathlib import Path
import pytest
pytestmark = [pytest.mark.{mark}]

@pytest.mark.parametrize("number", range(2))
def test_it(number):
    begun = time.monotonic_ns()
    time.sleep(0.3)
    Path({folder!r}, f"{name}-{{number}}").write_text(f"{{begun}} {{time.monotonic_ns()}}")
"""
Spans = dict[str, tuple[int, ...]]


def meetings(spans: Spans) -> set[frozenset[str]]:
    """Pairs of names that were there at the same time."""
    return {
        frozenset((a, b))
        for a, (a_begun, a_ended) in spans.items()
        for b, (b_begun, b_ended) in spans.items()
        if a < b and a_begun < b_ended and b_begun < a_ended
    }


def test_who_is_alone_meets_nobody(tmp_path: Path) -> None:
    spans: Spans = {}
    start = threading.Barrier(3)

    def worker(name: str, alone: bool) -> None:
        turns = Turns(tmp_path)
        start.wait()
        for number in range(4):
            with turns.turn(alone):
                begun = time.monotonic_ns()
                time.sleep(0.02)
                spans[f"{name}{number}"] = (begun, time.monotonic_ns())
        turns.pytest_unconfigure()

    workers = [threading.Thread(target=worker, args=each) for each in (("alone", True), ("b", False), ("c", False))]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    assert len(spans) == 12
    assert not {name for pair in meetings(spans) for name in pair if name.startswith("alone")}


def test_who_is_not_alone_shares(tmp_path: Path) -> None:
    one, other = Turns(tmp_path), Turns(tmp_path)
    with one.turn(alone=False), other.turn(alone=False):
        pass
    one.pytest_unconfigure()
    other.pytest_unconfigure()


@pytest.mark.slow
def test_workers_of_a_run_keep_the_turns(tmp_path: Path) -> None:
    for name in ("alone", "shared", "too"):
        mark = "shared" if name == "too" else name
        (tmp_path / f"test_{name}.py").write_text(TESTS.format(folder=str(tmp_path), mark=mark, name=name))
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n  alone: alone\n  shared: shared\n")
    plugins = ["-p", "xdist", "-p", "tests.alone", "-p", "no:cacheprovider", "-p", "no:hypothesispytest"]
    command = [sys.executable, "-m", "pytest", "-q", *plugins, "-n", "3", "--dist", "loadfile", str(tmp_path)]
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True, check=False)
    assert "6 passed" in done.stdout, done.stdout + done.stderr
    met = meetings({path.name: tuple(map(int, path.read_text().split())) for path in tmp_path.glob("*-*")})
    assert not {name for pair in met for name in pair if name.startswith("alone")}
