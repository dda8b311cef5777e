from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from tests.backend.contract import computes, refuses
from tests.backend.models import Lab, expected, relative_l2

from accelbench.envs.spec import BackendSpec
from accelbench.envs.worker import Worker
from accelbench.model import Scenario, Target, TensorSpec
from accelbench.tensors import TensorSet, TensorWriter
from accelbench.worker.jobs import Job


@pytest.mark.parametrize(("scenario", "batch"), [("single_stream", 1), ("offline", 4)])
def test_float32_is_what_numpy_computes(
    here: Lab, backend: Callable[[str], BackendSpec], scenario: Scenario, batch: int
) -> None:
    spec = backend("onnxruntime")
    compiled = computes(here, spec, here.job(spec, "fp32", batch=batch), scenario, bound=1e-6)
    assert compiled.files == ("model.onnx", "model.data")
    assert {node for placement in compiled.placements for node in placement.nodes} == {
        "c1", "r1", "c2", "r2", "f", "mm", "add", "sm"
    }  # fmt: skip
    assert {placement.device for placement in compiled.placements} == {"cpu"}


@pytest.mark.parametrize(
    ("precision", "calibration", "low", "high"),
    [
        ("int8", None, 1e-4, 0.1),
        ("int8-static", "minmax", 1e-4, 0.1),
        ("int8-static", "percentile", 1e-4, 0.3),
        ("int8-static", "entropy", 1e-4, 0.5),
    ],
)
def test_int8_is_near_and_never_equal(
    here: Lab,
    tmp_path: Path,
    backend: Callable[[str], BackendSpec],
    precision: str,
    calibration: str | None,
    low: float,
    high: float,
) -> None:
    spec = backend("onnxruntime")
    job = here.job(spec, precision, batch=2)
    if calibration is not None:
        job = here.job(spec, precision, batch=2, calibration=calibration)
    with Worker(spec, tmp_path / "logs") as worker:
        compiled, outputs, _ = here.outputs(worker, job)
    assert low < relative_l2(outputs, expected(here.feeds)) < high
    assert compiled.executed_precision == "int8"
    assert "int8" in {placement.precision for placement in compiled.placements}


def test_int8_of_a_weight_that_an_embedding_shares(tmp_path: Path, backend: Callable[[str], BackendSpec]) -> None:
    """The weight of a decoder's first and last layer is one: a table that is looked up, and a transposed matrix."""
    table = np.random.default_rng(5).normal(size=(96, 32)).astype(np.float32)
    nodes = [
        onnx.helper.make_node("Gather", ["table", "ids"], ["hidden"], name="look"),
        onnx.helper.make_node("Gemm", ["hidden", "table"], ["y"], name="head", transB=1),
    ]
    graph = onnx.helper.make_graph(
        nodes,
        "tied",
        [onnx.helper.make_tensor_value_info("ids", onnx.TensorProto.INT64, [4])],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [4, 96])],
        [onnx.numpy_helper.from_array(table, "table")],
    )
    (tmp_path / "model").mkdir()
    (tmp_path / "work").mkdir()
    opsets = [onnx.helper.make_opsetid("", 17)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8), tmp_path / "model" / "model.onnx")
    ids = np.array([3, 95, 0, 41])
    with TensorWriter(tmp_path / "feeds") as writer:
        writer.append({"ids": ids})
    spec = backend("onnxruntime")
    job = Job(
        model=str(tmp_path / "model" / "model.onnx"),
        inputs=(TensorSpec("ids", "int64", (4,)),),
        outputs=(TensorSpec("y", "float32", (4, 96)),),
        target=Target(spec.name, "cpu", "int8", spec.options({})),
        batch=1,
        batched=False,
        purpose=None,
        work=str(tmp_path / "work"),
    )
    with Worker(spec, tmp_path / "logs") as worker:
        worker.load(worker.compile(job).compiled, job)
        worker.infer(tmp_path / "feeds", tmp_path / "out", batch=1, batched=False)
    assert 1e-4 < relative_l2(TensorSet(tmp_path / "out")[0]["y"], table[ids] @ table.T) < 0.05


def test_what_it_cannot_take(here: Lab, backend: Callable[[str], BackendSpec]) -> None:
    refuses(here, backend("onnxruntime"), "bf16", "precision bf16")


def test_threads_are_an_option_that_shows(here: Lab, tmp_path: Path, backend: Callable[[str], BackendSpec]) -> None:
    spec = backend("onnxruntime")
    with Worker(spec, tmp_path / "logs") as worker:
        assert worker.compile(here.job(spec, "fp32", threads="1")).compiled.settings["intra_op_threads"] == "1"
