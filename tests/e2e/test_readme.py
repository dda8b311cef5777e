"""Both READMEs say the same, link to what exists, and name commands and options that there are."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from tests.e2e.command import inside
from tests.e2e.pages import blocks, dead_links, skeleton, text_of

ROOT = Path(__file__).parents[2]
READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]
GROUPS = ("zoo", "backend", "report", "store", "hardware", "import", "board")


def commands(program: str) -> list[list[str]]:
    """The words of each command line of ``program`` in the English README, in its blocks and in its text."""
    inline = re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text_of(READMES[0]))
    lines = [line for _, block in blocks(READMES[0]) for line in block.splitlines()] + inline
    return [shlex.split(line) for line in lines if line.startswith(f"{program} ")]


def verbs(words: list[str]) -> list[str]:
    return words[1:3] if words[1] in GROUPS else words[1:2]


def test_both_have_the_same_commands_and_parts() -> None:
    english, chinese = READMES
    assert len(blocks(english)) >= 3
    assert blocks(english) == blocks(chinese)
    assert skeleton(english) == skeleton(chinese)


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_links_exist(readme: Path) -> None:
    assert dead_links(readme) == []


def test_targets_of_make_exist() -> None:
    for words in commands("make"):
        done = subprocess.run(["make", "-n", words[1]], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("words", commands("accelbench"), ids=" ".join)
def test_commands_and_their_options_exist(tmp_path: Path, words: list[str]) -> None:
    done = inside(*verbs(words), "--help", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"Usage: accelbench {' '.join(verbs(words))} " in done.stdout
    for option in (word for word in words if word.startswith("-")):
        assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", done.stdout), f"{option} is not in the help"


def test_options_in_the_text_are_those_of_run(tmp_path: Path) -> None:
    named = re.findall(r"`(--?[a-z][\w-]*)", text_of(READMES[0]))
    assert len(named) >= 3
    offered = inside("run", "--help", cwd=tmp_path).stdout
    assert [option for option in named if not re.search(rf"{re.escape(option)}(?![\w-])", offered)] == []
