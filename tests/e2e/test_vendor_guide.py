"""The vendor guide's example is a real backend: taken from the page, installed from outside the tree, run, removed."""

import json
import platform
import re
import shlex
from pathlib import Path

import pytest
from tests.e2e.command import accelbench, keys, rows_of
from tests.e2e.pages import blocks, dead_links, skeleton, text_of

from accelbench.envs.install import location
from accelbench.envs.spec import find, read
from accelbench.reference import BACKEND as REFERENCE

ROOT = Path(__file__).parents[2]
GUIDES = [ROOT / "docs" / name for name in ("vendor-guide.md", "vendor-guide.zh-CN.md")]
NAME = "onnx-reference"
PACKAGES = {"ml-dtypes", "numpy", "onnx", "protobuf", "typing-extensions"}
"""The example's requirements and what they need."""


def files(guide: Path) -> dict[str, str]:
    """The blocks that follow a line with nothing but a file's name."""
    return dict(re.findall(r"^`([\w.]+)`\n\n```\w+\n(.*?)^```$", text_of(guide), re.MULTILINE | re.DOTALL))


def lock(requirements: str) -> str:
    """The entries of accelbench's own lock for the example's packages."""
    entries = re.split(r"^(?=\S)", (ROOT / "requirements.lock").read_text(encoding="utf-8"), flags=re.MULTILINE)
    chosen = [entry for entry in entries if entry.partition("==")[0] in PACKAGES]
    for line in requirements.splitlines():
        assert any(re.match(rf"{re.escape(line)}(==|\s)", entry) for entry in chosen), f"not in the lock: {line}"
    return "".join(chosen)


def test_the_guides_differ_in_language_only() -> None:
    english, chinese = GUIDES
    assert list(files(english)) == ["backend.toml", "requirements.in", "adapter.py"]
    assert files(english) == files(chinese)
    assert blocks(english) == blocks(chinese)
    assert skeleton(english) == skeleton(chinese)


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)
def test_links_exist(guide: Path) -> None:
    assert dead_links(guide) == []


@pytest.mark.backend
def test_the_example_is_installed_run_and_removed(tmp_path: Path) -> None:
    folder, home = tmp_path / NAME, tmp_path / "home"
    (home / "envs").mkdir(parents=True)
    folder.mkdir()
    for name, text in files(GUIDES[0]).items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "requirements.lock").write_text(lock(files(GUIDES[0])["requirements.in"]), encoding="utf-8")
    assert read(folder).name == NAME
    assert accelbench("backend", "install", REFERENCE, cwd=tmp_path).returncode == 0
    ready = location(find(REFERENCE))
    (home / "envs" / ready.name).symlink_to(ready)

    reports = []
    for words in tried(GUIDES[0]):
        more = ["--scenario", "single_stream", "--json", "-o", "out"] if words[0] == "run" else []
        done = accelbench(*words, *more, cwd=tmp_path, ACCELBENCH_HOME=str(home))
        assert done.returncode == 0, done.stderr
        if words[0] == "run":
            assert_right(rows_of(done)[0])
            reports += [row["report"] for row in rows_of(done)]
        if words[:2] == ["backend", "show"]:
            assert platform.machine() in done.stdout

    assert len(reports) == 1
    shown = json.loads(accelbench("report", "show", "--raw", reports[0], cwd=tmp_path).stdout)[0]
    assert shown["quality"]["accuracy"] == shown["quality"]["reference_accuracy"]
    assert shown["environment"]["probes"] == {"onnx": shown["environment"]["packages"]["onnx"]}
    assert shown["builds"][0]["coverage"]["nodes"] == 1.0
    assert not (home / "backends" / NAME).exists()
    assert [path.name for path in (home / "envs").iterdir() if path.is_dir()] == [ready.name]
    listed = json.loads(accelbench("backend", "list", "--json", cwd=tmp_path, ACCELBENCH_HOME=str(home)).stdout)
    assert NAME not in [row["backend"] for row in listed]


def tried(guide: Path) -> list[list[str]]:
    """The commands of the block that ends with the backend's removal, without the word ``accelbench``."""
    block = next(text for kind, text in blocks(guide) if kind == "sh" and "backend remove" in text)
    lines = [shlex.split(line) for line in block.splitlines()]
    assert [line[0] for line in lines] == ["accelbench"] * 6
    return [line[1:] for line in lines]


def assert_right(row: dict[str, object]) -> None:
    wanted = {"backend": NAME, "status": "ok", "verdict": "within", "executed_precision": "fp32", "agreement": 1.0}
    assert keys(row, list(wanted)) == wanted
    drift = row["drift"]
    assert isinstance(drift, dict)
    assert 0 < drift["relative_l2"] < 1e-5
