"""Models of other formats become tasks, through converters in environments of their own."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from tests.e2e.command import accelbench, rows_of

from accelbench.envs import convert
from accelbench.envs.convert import TFLITE, TORCH, Tool
from accelbench.reference import reference
from accelbench.tensors import stack
from accelbench.zoo import catalogue
from accelbench.zoo.subject import from_task

pytestmark = [pytest.mark.backend, pytest.mark.slow]
MAKE = Path(__file__).with_name("tools_make.py")


def made(tool: Tool, folder: Path) -> None:
    python = convert.install(tool, lambda _: None) / "bin" / "python"
    subprocess.run([python, "-I", MAKE, tool.name, folder], check=True, capture_output=True)


def added(model: str, folder: Path) -> str:
    """The task ``name`` of ``model`` and ``name.npz`` in ``folder``, added, sound and run there."""
    name = Path(model).stem
    done = accelbench("zoo", "add", f"./{model}", "--data", f"{name}.npz", "-o", f"my-{name}", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["sound"]
    words = ("run", f"./my-{name}", "-b", "onnxruntime", "--quick", "--scenario", "single_stream", "--json")
    (row,) = rows_of(accelbench(*words, "-o", f"out-{name}", cwd=folder))
    assert (row["status"], row["verdict"]) == ("ok", "within")
    return f"my-{name}"


def test_torch_programs_and_a_transformers_folder(tmp_path: Path) -> None:
    made(TORCH, tmp_path)
    for model, batched in (("net.pt2", True), ("bert", True)):
        task = catalogue.load(tmp_path / added(model, tmp_path))
        assert task.batched is batched
    bert = catalogue.load(tmp_path / "my-bert")
    assert [spec.name for spec in bert.inputs] == ["input_ids", "attention_mask"]
    assert [(spec.name, spec.shape) for spec in bert.outputs] == [("logits", ("batch", 3))]
    names = {tensor.name for tensor in catalogue.graph(bert, tmp_path / "my-bert").graph.initializer}
    assert "bert.embeddings.word_embeddings.weight" in names


def test_a_tflite_file_computes_what_it_did(tmp_path: Path) -> None:
    made(TFLITE, tmp_path)
    folder = tmp_path / added("dense.tflite", tmp_path)
    subject = from_task(catalogue.load(folder), None, folder=folder)
    outputs = reference(subject).outputs
    assert outputs is not None
    with np.load(tmp_path / "dense-truth.npz") as truth:
        (found,) = stack(list(outputs)).values()
        np.testing.assert_allclose(found.reshape(12, 5), truth["y"], rtol=1e-5, atol=1e-6)
