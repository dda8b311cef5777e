"""Tests marked ``alone`` have the machine to themselves, also where the others share it among workers (pytest-xdist).

Whoever is next takes the gate, then the room: for itself alone, or together with others. A test that waits for the room
keeps the gate, so that nobody passes it by. One process alone needs no lock.
"""

import fcntl
import shutil
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

FOLDER = "accelbench_turns"
"""What the controller tells its workers: the folder of the locks."""


def pytest_configure(config: pytest.Config) -> None:
    told = getattr(config, "workerinput", None)
    if told is not None:
        config.pluginmanager.register(Turns(Path(told[FOLDER])), "turns-of-a-worker")
    elif config.getoption("dist", "no") != "no":
        config.pluginmanager.register(Controller(), "turns-of-the-workers")


class Controller:
    """Of several workers: makes and removes the folder of their locks."""

    def __init__(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="accelbench-turns-")

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput[FOLDER] = self._folder

    def pytest_unconfigure(self) -> None:
        shutil.rmtree(self._folder)


class Turns:
    """The two locks, as one worker takes them."""

    def __init__(self, folder: Path) -> None:
        self._gate = (folder / "gate").open("w")
        self._room = (folder / "room").open("w")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        with self.turn(alone=item.get_closest_marker("alone") is not None):
            return (yield)

    @contextmanager
    def turn(self, alone: bool) -> Iterator[None]:
        """For as long as it lasts, nobody else is in the room; or nobody who must be alone."""
        fcntl.flock(self._gate, fcntl.LOCK_EX)
        fcntl.flock(self._room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(self._gate, fcntl.LOCK_UN)
        try:
            yield
        finally:
            fcntl.flock(self._room, fcntl.LOCK_UN)

    def pytest_unconfigure(self) -> None:
        self._gate.close()
        self._room.close()
