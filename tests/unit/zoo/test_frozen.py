"""A version of a task never changes its meaning: each hash is that which was recorded when it was frozen."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from accelbench.zoo import catalogue

FROZEN = Path(__file__).with_name("frozen.json")
FREEZE = Path(__file__).parents[3] / "tools" / "freeze.py"


def test_no_frozen_task_has_changed() -> None:
    recorded = json.loads(FROZEN.read_text())
    for task in catalogue.tasks().values():
        versions = recorded.get(task.id, {})
        assert str(task.version) in versions, f"freeze it: python tools/freeze.py {task.id}"
        assert catalogue.task_hash(task) == versions[str(task.version)], (
            f"{task.id} version {task.version} means something else than when it was frozen: undo the change, or give "
            "it a new version and freeze that"
        )


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the tool beside a copy of the record, in a tree of the same form."""
    for path in (FREEZE, FROZEN):
        target = tmp_path / path.relative_to(FREEZE.parents[1])
        target.parent.mkdir(parents=True)
        shutil.copyfile(path, target)
    return tmp_path


def freeze(tree: Path, *names: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, tree / "tools" / "freeze.py", *names], capture_output=True, text=True, check=False
    )


def test_freezing_again_changes_nothing_and_a_new_one_is_recorded(copied: Path) -> None:
    record = copied / "tests" / "unit" / "zoo" / "frozen.json"
    whole = record.read_text()
    assert freeze(copied, "digits-cnn").returncode == 0
    assert record.read_text() == whole
    entries = json.loads(whole)
    del entries["digits-cnn"]
    record.write_text(json.dumps(entries))
    assert freeze(copied, "digits-cnn").returncode == 0
    assert record.read_text() == whole


def test_a_recorded_version_is_never_changed(copied: Path) -> None:
    record = copied / "tests" / "unit" / "zoo" / "frozen.json"
    entries = json.loads(record.read_text())
    entries["digits-cnn"]["1"] = "0" * 64
    record.write_text(json.dumps(entries))
    done = freeze(copied, "digits-cnn")
    assert done.returncode == 1
    assert "digits-cnn version 1 is frozen as 000000000000" in done.stderr
    assert "version = 2" in done.stderr
    assert json.loads(record.read_text()) == entries
