"""The README's first command in a clean clone, on a machine that has nothing of ours yet."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.e2e.pages import blocks

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.backend


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("needs a git checkout to clone")
    folder = tmp_path_factory.mktemp("clean") / "clone"
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(folder)], check=True)
    return folder


def make(target: str, clone: Path) -> str:
    """``make target`` in the clone with no other settings than its own home and those of pip."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    pip = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "REQUESTS_"))}
    done = subprocess.run(
        ["make", target],
        cwd=clone,
        env={**kept, **pip, "ACCELBENCH_HOME": str(clone.parent / "home")},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_readme_names_the_two_commands() -> None:
    assert blocks(ROOT / "README.md")[0] == ("sh", "make demo\nmake test\n")


@pytest.mark.slow
def test_demo_works_twice_and_reuses_what_it_made(clone: Path) -> None:
    for number in (1, 2):
        said = make("demo", clone)
        for word in ("digits-cnn", "resnet50", "onnxruntime", "openvino", "fp32", "bf16", "within", "index.html"):
            assert word in said
        assert len(list(clone.glob("accelbench-results/*/index.html"))) == number
    packages = {path.name.partition("-")[0].lower() for path in (clone.parent / "home").rglob("*.dist-info")}
    assert "openvino" in packages
    assert "torch" not in packages
    status = subprocess.run(["git", "status", "--porcelain"], cwd=clone, capture_output=True, text=True, check=True)
    assert status.stdout == ""
