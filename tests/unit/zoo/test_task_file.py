"""The text of a task is read as the same task."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelbench.model import Dataset, Task
from accelbench.zoo import catalogue, task_file

TASKS = list(catalogue.tasks().values())
WORDS = st.text(st.characters(codec="utf-8"), max_size=20)


def again(task: Task, folder: Path) -> Task:
    (folder / "task.toml").write_text(task_file.text(task), encoding="utf-8", newline="")
    return catalogue.load(folder)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)
def test_every_shipped_task(task: Task, tmp_path: Path) -> None:
    assert again(task, tmp_path) == task


@given(WORDS, st.dictionaries(WORDS, WORDS | st.integers(-(2**40), 2**40) | st.booleans() | st.floats(-9, 9)))
def test_any_words_and_options(
    tmp_path_factory: pytest.TempPathFactory, title: str, options: dict[str, str | int | bool | float]
) -> None:
    task = replace(TASKS[0], title=title or "t", dataset=Dataset("k", 1, options=options))
    assert again(task, tmp_path_factory.mktemp("task")) == task
