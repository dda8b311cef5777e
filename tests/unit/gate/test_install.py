"""Environments are made from locks, equal ones once, and what keeps one from being made is found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from tests.unit.gate import factory, forging
from tests.unit.gate.factory import Kit, Stock, build

from accelbench.errors import AccelbenchError
from accelbench.gate.check import check

BAD = "nothing==1.0 --hash=sha256:" + "cd" * 32 + "\n"


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The locks from which an environment was to be made, in order; that of a package ``nothing`` cannot be."""
    locks: list[str] = []

    def make(
        folder: Path, lock: Path, unlocked: Sequence[str], log: Path, what: str, _say: Callable[[str], None]
    ) -> None:
        locks.append(lock.read_text())
        assert not folder.exists()
        assert not unlocked
        if "nothing" in locks[-1]:
            raise AccelbenchError(f"{what} was not installed: no matching distribution; log: {log}")

    monkeypatch.setattr("accelbench.gate.install.packages.make", make)
    return locks


def test_each_lock_is_tried_once(stock: Stock, tried: list[str], tmp_path: Path) -> None:
    kit = Kit(drafts={"image": forging.with_lock(BAD)})
    found = check(build(kit, tmp_path, stock), install=True, world=factory.WORLD, keyring=stock.ring)
    assert sorted(tried) == sorted([factory.LOCK, BAD])
    (finding,) = found
    assert (finding.rule, finding.text.en) == (
        "AB405",
        "backend example was not installed: no matching distribution",
    )
    assert finding.path.startswith("image/")


def test_nothing_is_installed_unasked(stock: Stock, tried: list[str]) -> None:
    assert check(stock.sound, world=factory.WORLD, keyring=stock.ring) == ()
    assert tried == []
