"""The page of boards: its pure parts under Node, and the whole in a real browser, on an invented board."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WEB = ROOT / "web"

pytestmark = pytest.mark.browser


def tool(*names: str) -> str:
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None and os.environ.get("CI"):
        pytest.fail(f"no {names[0]}: install it, CI must not skip the page of boards")
    if found is None:
        pytest.skip(f"no {names[0]} on this machine")
    return found


def run(*command: str | Path, **variables: str) -> None:
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **variables}, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


@pytest.fixture(scope="session")
def node() -> str:
    found = tool("node")
    if not (WEB / "node_modules").is_dir():
        run(tool("npm"), "ci", "--prefix", "web", "--no-audit", "--no-fund")
    return found


def test_the_pure_parts_are_right_and_agree_with_their_twins(node: str, tmp_path: Path) -> None:
    run(sys.executable, ROOT / "tools" / "golden.py", tmp_path, PYTHONPATH=str(ROOT / "src"))
    assert (tmp_path / "cost.json").read_bytes() == (WEB / "golden" / "cost.json").read_bytes(), "run tools/golden.py"
    run(node, WEB / "tools" / "test.mjs", "unit", ACCELBENCH_GOLDEN=str(tmp_path))


@pytest.mark.slow
def test_the_page_in_a_real_browser(node: str, tmp_path: Path) -> None:
    browser = tool("chromium", "chromium-browser", "google-chrome")
    run(sys.executable, ROOT / "tools" / "board_fixture.py", "200", tmp_path / "data", PYTHONPATH=str(ROOT / "src"))
    run(node, WEB / "tools" / "build.mjs", tmp_path)
    size = sum(file.stat().st_size for file in tmp_path.rglob("*") if file.is_file())
    assert size <= 3e6, f"{size} bytes"
    run(node, WEB / "tools" / "test.mjs", "browser", ACCELBENCH_BOARD=str(tmp_path), ACCELBENCH_CHROMIUM=browser)
