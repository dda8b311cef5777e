"""A task on real data through a real stack: whatever the batch, no item is lost and every score is the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.e2e.command import accelbench, rows_of
from tests.unit.zoo.datasets import question_task
from tests.unit.zoo.datasets.made import CONTEXT, question, squad, vocabulary

from accelbench.bench import Bench
from accelbench.envs.spec import BackendSpec
from accelbench.envs.worker import Worker
from accelbench.model import Plan, Stop, Target
from accelbench.quality.assess import assess
from accelbench.report.store import reports
from accelbench.tensors import TensorSet
from accelbench.zoo import catalogue
from accelbench.zoo.real import Asked
from accelbench.zoo.subject import from_task

WORDS = CONTEXT.split()


def context(number: int) -> str:
    """The words in another order; every fourth is longer than a window."""
    turned = " ".join(WORDS[number % len(WORDS) :] + WORDS[: number % len(WORDS)])
    return turned if number % 4 else f"{' '.join(f'w{place} x.' for place in range(90))} {turned}"


def data(folder: Path) -> Path:
    """22 questions, whose windows neither 7 nor 64 divides."""
    asked = [question(f"q{number}", "Who won the game?", "the Denver Broncos won") for number in range(22)]
    return squad(folder / "squad", *((context(number), [each]) for number, each in enumerate(asked)))


def test_scores_are_the_same_for_every_batch(tmp_path: Path, backend: Callable[[str], BackendSpec]) -> None:
    spec = backend("onnxruntime")
    home = tmp_path / "home"
    asked = Asked(str(data(tmp_path)), tokenizer=str(vocabulary(tmp_path)))
    folder = question_task.write(tmp_path / "task")
    with Worker(spec, tmp_path / "logs") as worker, pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACCELBENCH_HOME", str(home))
        subject = from_task(catalogue.load(folder), None, None, folder, None, asked)
        assert subject.real is not None
        assert subject.feeds.count % 7
        assert subject.feeds.count % 64
        target = Target(spec.name, worker.devices()[0].id, "fp32", spec.options({}))
        found = {}
        for batch in (1, 7, 64):
            work = tmp_path / f"work-{batch}"
            work.mkdir()
            bench = Bench(worker, subject, target, work, lambda _text: None)
            facts = bench.check(Plan("offline", Stop(max_s=1), batch=batch))
            assert facts.records == subject.feeds.count
            found[batch] = assess(
                subject.task, TensorSet(bench.outputs), TensorSet(tmp_path / "work-1" / "outputs"), None, 0,
                subject.real.judge,
            )  # fmt: skip
    single, answers = found[1]
    assert len(answers["answer_question"]) == 22
    assert len(set(answers["answer_answer"].tolist())) > 3, "the model says different things"
    assert single.scores[0].value > 0
    for quality, others in found.values():
        assert quality.scores == single.scores == quality.reference_scores
        assert quality.accuracy == single.scores[0]
        assert np.array_equal(others["answer_answer"], answers["answer_answer"])
    assert not list(home.glob("scratch/*"))


@pytest.mark.slow
def test_the_command_reports_data_scores_and_stages(tmp_path: Path, backend: Callable[[str], BackendSpec]) -> None:
    backend("onnxruntime")
    question_task.write(tmp_path / "task")
    words = ("run", "./task", "--data", data(tmp_path), "--tokenizer", vocabulary(tmp_path), "-b", "onnxruntime",
             "--quick", "--max-time", "1")  # fmt: skip
    done = accelbench(*words, "--stages", "--json", "-o", "scored", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    row = rows_of(done)[0]
    assert set(row["scores"]) == {"f1", "exact_match"}
    assert row["accuracy"] == row["scores"]["f1"]["value"]
    assert row["data"]["scored"] is True
    assert [row["stages"][name]["items"] for name in ("load", "preprocess", "postprocess")] == [22, 22, 22]
    (report, folder), *_ = reports(tmp_path / "scored")
    assert report.quality is not None
    assert report.quality.scores == report.quality.reference_scores
    with np.load(folder / "predictions.npz") as stored:
        assert stored["answer_answer"].tolist() == stored["reference_answer_answer"].tolist()

    again = accelbench("report", "show", "scored", cwd=tmp_path)
    assert "Stages of the host" in again.stdout

    done = accelbench(*words, "--weights", "seeded", "--samples", "5", "--stages", "-o", "drawn", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "labels not scored: they mean nothing for seeded weights" in " ".join(done.stdout.split())
    assert "postprocess" in done.stdout
    (report, folder), *_ = reports(tmp_path / "drawn")
    assert report.data is not None
    assert (report.data.items, report.data.scored) == (5, False)
    assert report.quality is not None
    assert report.quality.accuracy is None
    assert report.quality.agreement is not None
    assert "The labels were not scored" in (tmp_path / "drawn" / "index.html").read_text(encoding="utf-8")
    assert json.loads((folder / "report.json").read_text())["stages"][0]["name"] == "load"
