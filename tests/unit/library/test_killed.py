"""Writers of a store are killed at random moments: what they said is there, is there, and nothing is half there."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.library import made
from tests.unit.library.test_index import TABLE, claim
from tests.unit.page import factory

from accelbench import paths
from accelbench.imports.source import Imported
from accelbench.imports.store import FORM, put
from accelbench.library import index
from accelbench.library.layout import ROOMS
from accelbench.library.store import Store
from accelbench.library.verify import verify

KILLS_PER_STORE = 50


def write(store: Path, source: Path, chance: random.Random, acknowledge: Callable[[str], None]) -> None:
    """Put, add, import and index without end; every folder that is there is acknowledged."""
    while True:
        what = chance.random()
        word = f"task-{chance.getrandbits(40)}"
        if what < 0.3:
            acknowledge(f"reports/{made.put(store, factory.failed(word)).name}")
        elif what < 0.4:
            short = made.report(word, measurements=(factory.measurement("single_stream", 1, 30),))
            acknowledge(f"reports/{made.put(store, short).name}")
        elif what < 0.5:
            for added in Store(store).add(source):
                acknowledge(f"reports/{added.folder.name}")
        elif what < 0.65:
            figure = replace(claim().figures[0], value=chance.getrandbits(40))
            told = FORM.identify(replace(claim(), figures=(figure,)))
            acknowledge(f"claims/{put(store, Imported(told, {'table.csv': TABLE}))[0].name}")
        elif what < 0.9:
            index.refresh(store, processes=1)
        else:
            index.refresh(store, rebuild=True, processes=1)


def killed(store: Path, source: Path, seed: int, after_s: float) -> list[str]:
    """Start a writer, kill it after so many seconds, and give what it acknowledged."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(reading)
            write(store, source, random.Random(seed), lambda name: _say(writing, name))
        finally:
            os._exit(1)
    os.close(writing)
    time.sleep(after_s)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    with os.fdopen(reading, "rb") as told:
        lines = told.read().decode().splitlines(keepends=True)
    assert os.WIFSIGNALED(status), "the writer ended by itself"
    return [line.strip() for line in lines if line.endswith("\n")]


def _say(pipe: int, name: str) -> None:
    os.write(pipe, f"{name}\n".encode())


def survive(root: Path, kills: int, seed: int) -> int:
    """Kill ``kills`` writers and check the store after each; gives how many folders were acknowledged."""
    chance = random.Random(seed)
    source, _ = made.store(root / "source", 1)
    acknowledged: set[str] = set()
    total, store = 0, root / "0"
    for kill in range(kills):
        if kill % KILLS_PER_STORE == 0:
            total += len(acknowledged)
            acknowledged.clear()
            store = root / str(kill)
            (store / "reports").mkdir(parents=True)
        acknowledged.update(killed(store, source, seed * 10**6 + kill, chance.uniform(0, 0.12)))
        found = index.refresh(store, processes=1)
        assert found.problems == ()
        with closing(index.open_index(store)) as db:
            there = {folder for (folder,) in db.execute("SELECT folder FROM folders")}
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert acknowledged <= there
        if kill % KILLS_PER_STORE == KILLS_PER_STORE - 1 or kill == kills - 1:
            assert verify(store, processes=1)[1] == ()
            for room in ROOMS[:2]:
                (store / room).mkdir(exist_ok=True)
                paths.sweep(store / room, fresh_s=0)
                assert not list((store / room).glob(".*")), "what killed writers left can be swept"
    return total + len(acknowledged)


def test_killed_writers_lose_nothing_and_corrupt_nothing(tmp_path: Path) -> None:
    assert survive(tmp_path, 30, seed=7) > 5


@pytest.mark.slow
def test_a_thousand_killed_writers_lose_nothing_and_corrupt_nothing(tmp_path: Path) -> None:
    assert survive(tmp_path, 1000, seed=11) > 1000
