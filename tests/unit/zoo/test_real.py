"""Real data become feeds, are judged, and every step of that can be timed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.unit.zoo.datasets import question_task
from tests.unit.zoo.datasets.made import CONTEXT, question, squad, vocabulary

from accelbench.errors import UsageError
from accelbench.model import RealData, Task
from accelbench.tensors import TensorSet, TensorWriter
from accelbench.zoo import catalogue
from accelbench.zoo import real as module
from accelbench.zoo.real import Asked, Real, real
from accelbench.zoo.subject import from_task

LONG = " ".join(f"w{number} x." for number in range(90)) + " Denver won."


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ACCELBENCH_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def task(tmp_path: Path) -> Task:
    return catalogue.load(question_task.write(tmp_path / "task"))


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    squad(
        tmp_path / "data" / "squad",
        (CONTEXT, [question(f"q{number}", "Who won the game?", "Denver Broncos") for number in range(3)]),
        (LONG, [question("long", "Who won?", "Denver")]),
    )
    return Asked(str(tmp_path / "data"), tokenizer=str(vocabulary(tmp_path)))


def quiet(_text: str) -> None:
    pass


def logits(found: Real, folder: Path) -> TensorSet:
    """Outputs that rise towards the end of the context of every window, and from window to window."""
    with TensorWriter(folder) as writer:
        for number, note in enumerate(TensorSet(found.folder / "notes")):
            rising = (np.arange(question_task.LENGTH) + 1000.0 * number) * (note["offsets"][:, 0] >= 0)
            writer.append({"start_logits": rising, "end_logits": rising})
    return TensorSet(folder)


def test_records_are_feeds_and_notes_stay_beside_them(task: Task, asked: Asked) -> None:
    found = real(task, asked, quiet)
    samples = TensorSet(found.feeds.path)
    assert samples.names == ["input_ids", "attention_mask"]
    assert (found.loaded.items, found.feeds.count) == (4, len(samples))
    assert len(samples) > 4, "a long context has several windows"
    assert found.feeds.sha256 == samples.sha256()
    assert found.calibration.count == found.feeds.count, "all items are used, so they calibrate too"
    facts = found.facts(scored=False)
    assert (facts.loader, facts.items, facts.records, facts.scored) == ("squad", 4, len(samples), False)
    assert facts.sha256 == found.loaded.sha256
    assert facts.tokenizer_sha256 is not None


def test_a_second_time_they_come_from_the_cache(task: Task, asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    first = real(task, asked, quiet)
    monkeypatch.setattr(module, "_write", None)
    assert real(task, asked, quiet).feeds.sha256 == first.feeds.sha256
    with pytest.raises(TypeError):
        real(task, replace(asked, samples=2), quiet)


def test_an_answer_is_made_of_all_windows_of_its_item(task: Task, asked: Asked, tmp_path: Path) -> None:
    found = real(task, asked, quiet)
    table, scores = found.judge(logits(found, tmp_path / "outputs"))
    assert table["question"].tolist() == ["q0", "q1", "q2", "long"]
    assert table["answer"].tolist() == [".", ".", ".", "."], "the end of the context, in the last window"
    assert [score.name for score in scores] == ["f1", "exact_match"]
    assert scores[0].samples == 4


def test_every_stage_is_timed_item_by_item(
    task: Task, asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(0, 10**9, 1000))
    found = real(task, asked, quiet)
    outputs = logits(found, tmp_path / "outputs")
    monkeypatch.setattr("accelbench.zoo.real.time.perf_counter_ns", lambda: next(clock))
    load, prepare = found.stages
    assert (load.name, load.ns) == ("load", (1000 + found.loaded.opening_ns,) * 4)
    assert (prepare.name, prepare.ns) == ("preprocess", (1000,) * 4)
    assert found.loaded.opening_ns > 0, "the file was parsed"
    answer = found.postprocess(outputs)
    assert (answer.name, answer.ns) == ("postprocess", (1000,) * 4)
    monkeypatch.setattr(module, "STAGED", 3)
    assert len(found.postprocess(outputs).ns) == 3


def test_a_subject_on_real_data(task: Task, asked: Asked, tmp_path: Path) -> None:
    subject = from_task(task, None, None, tmp_path / "task", None, asked)
    plain = from_task(task, None, None, tmp_path / "task")
    assert subject.real is not None
    assert plain.real is None
    assert subject.feeds.sha256 == subject.real.feeds.sha256 != plain.feeds.sha256
    assert subject.task_hash == plain.task_hash, "real data are no part of the task"
    assert subject.scored
    assert not from_task(task, "seeded", None, tmp_path / "task", None, asked).scored


def test_the_real_table_is_no_part_of_the_hash(task: Task, tmp_path: Path) -> None:
    other = replace(task, real=RealData("imagenet", {"resize": 1}))
    assert catalogue.task_hash(other, tmp_path / "task") == catalogue.task_hash(task, tmp_path / "task")
    assert catalogue.task_hash(replace(task, version=2), tmp_path / "task") != catalogue.task_hash(
        task, tmp_path / "task"
    )


def test_what_is_wrong_is_said(task: Task, asked: Asked, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="questions has no loader of real data: leave --data out"):
        real(replace(task, real=None), asked, quiet)
    with pytest.raises(UsageError, match=r"unknown loader 'mine': known are .*squad"):
        real(replace(task, real=RealData("mine")), asked, quiet)
    with pytest.raises(UsageError, match="nowhere: there is no such folder or file"):
        real(task, replace(asked, data=str(tmp_path / "nowhere")), quiet)
    wide = tuple(replace(spec, dtype="int32") for spec in task.inputs)
    with pytest.raises(
        UsageError, match=r"gives int64\[128\] for input input_ids of task questions, which wants int32"
    ):
        real(replace(task, inputs=wide), asked, quiet)
    with pytest.raises(UsageError, match="no vocabulary to download is pinned for this task"):
        real(task, replace(asked, tokenizer="download"), quiet)


def test_every_shipped_task_names_a_loader_that_there_is() -> None:
    for each in catalogue.tasks().values():
        assert each.real is None or each.real.loader in module.LOADERS
