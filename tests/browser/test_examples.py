"""The example reports: intact, telling nobody's name, and the story that a board of them tells."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pytest
from tests.browser.test_board import ROOT, WEB, node, run, tool

from accelbench.board import data
from accelbench.board.data import Wish
from accelbench.board.gather import gathered
from accelbench.board.plain import script

__all__ = ["node"]

EXAMPLES = ROOT / "examples" / "reports"


def test_the_examples_are_small_and_tell_nobodys_name() -> None:
    bundles = sorted(EXAMPLES.glob("*.zip"))
    assert sum(bundle.stat().st_size for bundle in bundles) <= 3e6
    for bundle in bundles:
        with zipfile.ZipFile(bundle) as files:
            for name in files.namelist():
                assert "private" not in name, bundle.name
                told = files.read(name)
                assert not any(word in told for word in (b"/home/", b"/root/", b"/Users/")), f"{bundle.name}: {name}"


@pytest.mark.browser
def test_the_examples_tell_the_story(node: str, tmp_path: Path) -> None:
    with gathered(sorted(EXAMPLES.glob("digits-resnet--openvino--*.zip"))) as found:
        assert found.problems == (), "bundles are verified when they are read"
        index = data.write(found.stores, tmp_path, Wish(), 1)
    (tmp_path / "data" / "index.js").write_bytes(script("index", index))
    run(node, WEB / "tools" / "test.mjs", "examples", ACCELBENCH_BOARD=str(tmp_path))


@pytest.mark.browser
@pytest.mark.slow
def test_the_story_in_a_real_browser(node: str, tmp_path: Path) -> None:
    browser = tool("chromium", "chromium-browser", "google-chrome")
    run("make", "page")
    board = tmp_path / "board"
    run(Path(sys.executable).with_name("accelbench"), "board", "build", EXAMPLES, "-o", board)
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    run(
        *(node, WEB / "tools" / "test.mjs", "story"),
        ACCELBENCH_BOARD=str(board),
        ACCELBENCH_CHROMIUM=browser,
        ACCELBENCH_PICTURES=str(pictures),
    )
    assert len(list(pictures.glob("*.png"))) == 8
