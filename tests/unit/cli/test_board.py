from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.unit.board.factory import assets, loaded
from tests.unit.library import made

from accelbench.board import build
from accelbench.cli import board
from accelbench.cost import Inputs


@pytest.fixture(autouse=True)
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that is built."""
    defaults = build.build.__defaults__
    assert defaults is not None
    monkeypatch.setattr(build.build, "__defaults__", (assets(tmp_path), *defaults[1:]))


def test_a_board_is_built_of_the_stores_in_a_folder(tmp_path: Path) -> None:
    for name in ("monday", "tuesday"):
        made.put(tmp_path / "runs" / name, made.report(backend=name))
    target = tmp_path / "board"
    done = CliRunner().invoke(board.board, ["build", str(tmp_path / "runs"), "-o", str(target), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["reports"] == 2
    found = loaded(target / "data/index.js")
    assert [each["name"] for each in found["meta"]["stores"]] == ["monday", "tuesday"]
    assert {each["level"] for each in found["rules"]} <= {"error", "warning", "note"}
    assert all(each["text"] and each["zh"] for each in found["rules"])


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    store, folders = made.store(tmp_path)
    made.changed(folders[0], effort="standard")
    done = CliRunner().invoke(board.board, ["build", str(store), "-o", str(tmp_path / "board")])
    assert done.exit_code == 0
    assert folders[0].name in done.output
    assert "2 reports, 4 timed passes" in done.output


def test_what_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = CliRunner().invoke(board.board, ["build", str(tmp_path / "empty"), "-o", str(tmp_path / "board")])
    assert "is no store" in str(done.exception)
    assert not (tmp_path / "board").exists()


def test_private_prices_are_in_the_board_which_says_so(tmp_path: Path) -> None:
    store, _ = made.store(tmp_path)
    mine = tmp_path / "mine.toml"
    mine.write_text(
        '[cost]\nkwh = 0.65\n[[prices]]\ndevice = "nvidia-a30"\nkind = "buy"\ncurrency = "CNY"\namount = 30000\n'
    )
    words = ["build", str(store), "-o", str(tmp_path / "board")]
    without = CliRunner().invoke(board.board, words)
    assert "private prices" not in without.output
    meta = loaded(tmp_path / "board/data/index.js")["meta"]
    assert meta["prices"] == []
    assert meta["cost"] == asdict(Inputs())
    assert all(each["date"] and each["source"] for each in meta["rates"])
    done = CliRunner().invoke(board.board, [*words, "--prices", str(mine)])
    assert "private prices" in done.output
    meta = loaded(tmp_path / "board/data/index.js")["meta"]
    (price,) = meta["prices"]
    assert (price["device"], price["amount"], price["source"]) == ("nvidia-a30", 30000, "prices.toml")
    assert meta["cost"]["kwh"] == 0.65
