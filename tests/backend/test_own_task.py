"""A model and samples become a task, which is checked and run, through the real command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from tests.e2e.command import accelbench, rows_of

from accelbench.zoo import catalogue
from accelbench.zoo.materialise import materialise

pytestmark = pytest.mark.backend


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a user's ``digits.onnx`` with its weights, and ``digits.npz`` with labelled samples."""
    folder = tmp_path_factory.mktemp("given")
    task = catalogue.find("digits-cnn")
    model = onnx.load(str(materialise(task, catalogue.folder(task), batch=1).path))
    graph = catalogue.graph(task).graph
    for mine, theirs in ((model.graph.input, graph.input), (model.graph.output, graph.output)):
        mine[0].CopyFrom(theirs[0])
    onnx.save_model(model, folder / "digits.onnx")
    with np.load(catalogue.folder(task) / "data.npz") as stored:
        np.savez(folder / "digits.npz", image=stored["x"][:64], labels=stored["y"][:64])
        np.savez(folder / "same.npz", image=stored["x"][:1].repeat(9, axis=0))
        np.savez(folder / "wrong.npz", image=stored["x"][:9], labels=stored["y"][:9] + 90)
    return folder


def findings(text: str) -> dict[str, dict[str, Any]]:
    return {each["check"]: each for each in json.loads(text)["findings"]}


def test_added_checked_and_run(given: Path, tmp_path: Path) -> None:
    model, data = given / "digits.onnx", given / "digits.npz"
    done = accelbench("zoo", "add", model, "--data", data, "--domain", "vision", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {finding["kind"] for finding in findings(done.stdout).values()} == {"fine"}
    shown = json.loads(accelbench("zoo", "show", "./digits", "--json", cwd=tmp_path).stdout)
    assert (shown["metric"]["name"], shown["tolerance"]["min_accuracy"]) == ("top1", 0.99)
    assert shown["graph_sha256"] == catalogue.find("digits-cnn").graph_sha256, "nothing of the graph is lost or added"
    (tmp_path / "digits").rename(tmp_path / "moved")
    (row,) = rows_of(
        accelbench(
            *("run", "./moved", "-b", "onnxruntime", "--quick", "--scenario", "single_stream", "--json", "-o", "out"),
            cwd=tmp_path,
        )
    )
    assert (row["task"], row["status"], row["verdict"], row["accuracy"]) == ("digits", "ok", "within", 1.0)
    (report,) = json.loads(accelbench("report", "show", row["report"], "--raw", cwd=tmp_path).stdout)
    assert (report["task"]["tier"], report["task"]["roster"]) == ("user", None)


@pytest.mark.slow
def test_samples_that_are_all_the_same_are_a_problem(given: Path, tmp_path: Path) -> None:
    done = accelbench("zoo", "add", given / "digits.onnx", "--data", given / "same.npz", "--json", cwd=tmp_path)
    assert done.returncode == 1
    found = findings(done.stdout)
    assert (found["samples"]["kind"], found["samples"]["text"]) == ("problem", "all samples are the same")
    assert found["outputs"]["text"] == "the outputs hardly depend on the sample"
    assert found["metric"]["kind"] == "remark"


@pytest.mark.slow
def test_nothing_is_left_of_what_cannot_become_a_task(given: Path, tmp_path: Path) -> None:
    done = accelbench("zoo", "add", given / "digits.onnx", "--data", given / "wrong.npz", cwd=tmp_path)
    assert done.returncode == 2
    assert "labels of shape (9,) are of no metric for outputs of (10,)" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_check_by_itself(tmp_path: Path) -> None:
    folder = catalogue.folder(catalogue.find("digits-cnn"))
    done = accelbench("zoo", "check", folder, "--json", cwd=tmp_path)
    assert done.returncode == 0
    assert findings(done.stdout)["metric"]["text"] == "top1: the reference reaches 0.9926"
    assert "is no folder" in accelbench("zoo", "check", "absent", cwd=tmp_path).stderr
