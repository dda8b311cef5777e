"""The page of boards travels in the wheel, and a repository of results becomes a site by its own workflow."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tests.unit.gate.test_repository import commands
from tests.unit.library import made

from accelbench.bundle.pack import pack

ROOT = Path(__file__).parents[2]
PAGE = ("index.html", "board.js", "board.css")

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def run(*words: str | Path, cwd: Path, **variables: str) -> str:
    done = subprocess.run(
        words, cwd=cwd, env={**os.environ, **variables}, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of this checkout, with the page in it."""
    if shutil.which("npm") is None:
        assert not os.environ.get("CI"), "no npm: install it, CI must not skip the page of boards"
        pytest.skip("no npm on this machine")
    run("make", "page", cwd=ROOT)
    room = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", room, ROOT, cwd=room)
    (found,) = room.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def tools(wheel: Path) -> Path:
    """Where the commands of an environment are that has nothing of this checkout but the wheel; what accelbench depends
    on is that of the tests."""
    environment = wheel.parent / "environment"
    run(sys.executable, "-m", "venv", environment, cwd=wheel.parent)
    run(environment / "bin/python", "-m", "pip", "install", "--quiet", "--no-deps", wheel, cwd=wheel.parent)
    (packages,) = environment.glob("lib/python*/site-packages")
    (others,) = (Path(each) for each in sys.path if each.endswith("site-packages") and "lib64" not in each)
    (packages / "others.pth").write_text(f"{others}\n")
    return environment / "bin"


def test_the_wheel_carries_the_page(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        carried = {name for name in archive.namelist() if name.startswith("accelbench/board/assets/")}
    assert carried == {f"accelbench/board/assets/{name}" for name in PAGE}


def test_the_workflow_makes_a_site_with_what_the_wheel_brings(tools: Path, tmp_path: Path) -> None:
    repository = tmp_path / "results-repository"
    run(tools / "accelbench", "repository", "new", repository, cwd=tmp_path)
    bundle = repository / "results/example/device/resnet50/one.accelbench.zip"
    bundle.parent.mkdir(parents=True)
    pack(made.put(tmp_path / "run", made.report()), bundle)
    step = commands((repository / ".github/workflows/board.yml").read_text())["Build the board"]
    said = run("bash", "-e", "-o", "pipefail", "-c", step, cwd=repository, PATH=f"{tools}:{os.environ['PATH']}")
    assert said.startswith("1 reports, 2 timed passes")
    site = repository / "_site"
    assert {file.name for file in site.iterdir()} == {*PAGE, "data"}
    assert len(list((site / "data/reports").iterdir())) == 1
