"""The guide to the zoo: its links exist, its examples run, and the cards are those of the tasks that there are."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from tests.e2e.command import accelbench
from tests.e2e.pages import blocks, dead_links, text_of

from accelbench.zoo import catalogue, roster
from accelbench.zoo.materialise import materialise

ROOT = Path(__file__).parents[2]
GUIDE, CARDS = ROOT / "docs" / "zoo.md", ROOT / "docs" / "tasks.md"


def lines(kind: str) -> list[list[str]]:
    return [shlex.split(line) for found, block in blocks(GUIDE) if found == kind for line in block.splitlines()]


@pytest.mark.parametrize("page", [GUIDE, CARDS], ids=lambda path: path.name)
def test_links_exist(page: Path) -> None:
    assert dead_links(page) == []


def test_every_task_of_the_newest_roster_has_its_card() -> None:
    found = re.findall(r"^\| `(.+?)` \| (.*?) \| (\w+) \|", text_of(CARDS), re.MULTILINE)
    told = [(task.id, task.title.replace("|", "/"), task.domain) for task in catalogue.select(roster.newest())]
    assert found == told, "run python tools/cards.py"
    for entry in roster.newest().tasks.values():
        assert entry.reason.replace("|", "/") in text_of(CARDS)


@pytest.mark.slow
def test_the_cards_are_written_by_their_tool(tmp_path: Path) -> None:
    for name in ("tools", "docs"):
        (tmp_path / name).mkdir()
    copy = tmp_path / "tools" / "cards.py"
    copy.write_text(text_of(ROOT / "tools" / "cards.py"))
    subprocess.run([sys.executable, copy], check=True)
    assert text_of(tmp_path / "docs" / "tasks.md") == text_of(CARDS)


@pytest.mark.slow
@pytest.mark.backend
def test_the_examples_run(tmp_path: Path) -> None:
    task = catalogue.find("digits-cnn")
    model, graph = onnx.load(str(materialise(task, catalogue.folder(task), batch=1).path)), catalogue.graph(task).graph
    for mine, theirs in ((model.graph.input, graph.input), (model.graph.output, graph.output)):
        mine[0].CopyFrom(theirs[0])
    onnx.save_model(model, tmp_path / "digits.onnx")
    with np.load(catalogue.folder(task) / "data.npz") as stored:
        np.save(tmp_path / "pictures.npy", stored["x"][:64])
        np.save(tmp_path / "classes.npy", stored["y"][:64])
    (program,) = (block for kind, block in blocks(GUIDE) if kind == "python")
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    for words in lines("sh"):
        assert words[0] == "accelbench"
        done = accelbench(*words[1:], cwd=tmp_path)
        assert done.returncode == 0, (words, done.stderr)
    assert (tmp_path / "my-digits" / "task.toml").is_file()
