"""What a repository of results has, and that its workflow does what it says: its own commands are run."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from tests.unit.gate.factory import Stock

from accelbench.errors import UsageError
from accelbench.gate.repository import new

WORKFLOW = ".github/workflows/check.yml"


def commands(workflow: str) -> dict[str, str]:
    """The commands of a workflow's steps by their names."""
    found = {}
    for step in re.split(r"\n      - ", workflow):
        name = re.search(r"^name: (.+)$", step, re.MULTILINE)
        lines = re.search(r"^ +run: (?:\|\n((?: {10}.*\n?)+)|(.+))", step, re.MULTILINE)
        if name and lines:
            found[name[1]] = re.sub(r"^ {10}", "", lines[1] or lines[2], flags=re.MULTILINE)
    return found


def git(*words: str, cwd: Path) -> str:
    own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    name = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main"]
    done = subprocess.run(
        ["git", *name, *words], cwd=cwd, env={**os.environ, **own}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path, stock: Stock) -> Path:
    """A clone in which a submission was handed in, after a first commit without one."""
    folder = tmp_path / "repository"
    new(folder)
    git("init", cwd=folder)
    git("add", ".", cwd=folder)
    git("commit", "-m", "new", cwd=folder)
    shutil.copytree(stock.sound, folder.joinpath(*stock.sound.parts[-3:]))
    git("add", ".", cwd=folder)
    git("commit", "-m", "a submission", cwd=folder)
    return folder


def run(command: str, repository: Path, tmp_path: Path, code: int = 0) -> tuple[int, list[str]]:
    """Run a step with an ``accelbench`` that notes its words and ends with ``code``."""
    tools = tmp_path / "tools"
    tools.mkdir(exist_ok=True)
    noted = tmp_path / "noted"
    fake = tools / "accelbench"
    fake.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >> {noted}\nexit {code}\n')
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    base = git("rev-parse", "HEAD~1", cwd=repository)
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", command],
        cwd=repository,
        env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "BASE": base},
        capture_output=True,
        check=False,
    )
    return done.returncode, noted.read_text().splitlines() if noted.exists() else []


def test_it_has_guides_in_both_languages_forms_and_the_workflow(tmp_path: Path) -> None:
    names = {str(path) for path in new(tmp_path / "new")}
    assert {"README.md", "CONTRIBUTING.md", "README.zh-CN.md", "CONTRIBUTING.zh-CN.md", ".gitignore", WORKFLOW} <= names
    assert {".github/PULL_REQUEST_TEMPLATE.md", ".github/ISSUE_TEMPLATE/doubt.yml"} <= names
    texts = [(tmp_path / "new" / name).read_text(encoding="utf-8") for name in names]
    assert not any("@ACCELBENCH@" in text for text in texts)


def test_it_is_never_made_over_another(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="exists already"):
        new(tmp_path)


def test_embargoed_results_are_not_committed(repository: Path) -> None:
    (repository / "private").mkdir()
    (repository / "private/secret.txt").write_text("secret")
    assert git("status", "--short", cwd=repository) == ""


def test_the_workflow_checks_every_submission(repository: Path, tmp_path: Path) -> None:
    step = commands((repository / WORKFLOW).read_text())["Check every submission"]
    assert run(step, repository, tmp_path) == (
        0,
        ["check results/example-devices/example-8000/ --sarif findings.sarif"],
    )
    assert run(step, repository, tmp_path, code=1)[0] == 1


def test_the_workflow_installs_what_changed(repository: Path, tmp_path: Path) -> None:
    step = commands((repository / WORKFLOW).read_text())["Make the environments of what changed"]
    assert run(step, repository, tmp_path) == (0, ["check --install results/example-devices/example-8000"])
    assert run(step, repository, tmp_path, code=1)[0] == 1
