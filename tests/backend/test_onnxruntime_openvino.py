from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from tests.backend import contract
from tests.backend.contract import computes, refuses
from tests.backend.models import Lab

from accelbench.envs.spec import BackendSpec
from accelbench.envs.worker import Worker
from accelbench.model import Purpose, Scenario
from accelbench.quality.coverage import coverage

pytestmark = pytest.mark.slow
Backend = Callable[[str], BackendSpec]
NAME = "onnxruntime-openvino"


@pytest.mark.parametrize(
    ("purpose", "scenario", "batch"), [("latency", "single_stream", 1), ("throughput", "offline", 4)]
)
def test_float32_is_what_numpy_computes(
    here: Lab, backend: Backend, purpose: Purpose, scenario: Scenario, batch: int
) -> None:
    spec = backend(NAME)
    job = here.job(spec, "fp32", batch=batch, purpose=purpose)
    compiled = computes(here, spec, job, scenario)
    assert compiled.settings["performance_hint"] == purpose.upper()
    assert compiled.files[:2] == ("model.onnx", "weights.bin")
    assert compiled.files[2].endswith(".blob")
    (whole,) = compiled.placements
    assert (whole.op, whole.device, whole.count) == ("OpenVINO subgraph", "cpu", 1)
    assert whole.nodes == ("add", "c1", "c2", "f", "mm", "r1", "r2", "sm")
    assert {path.name for path in Path(job.work).iterdir()} == {"model.onnx", "weights.bin", "cache"}


def test_what_openvino_does_not_take_falls_back_and_is_told(here: Lab, tmp_path: Path, backend: Backend) -> None:
    spec = backend(NAME)
    job = here.job(spec, "fp32")
    onnx.save(with_determinant(), job.model)
    with Worker(spec, tmp_path / "logs") as worker:
        compiled, outputs, _ = here.outputs(worker, job)
    assert np.isfinite(outputs).all()
    told = {(one.op, one.device, one.precision): one.nodes for one in compiled.placements}
    assert told["Det", "CPUExecutionProvider", "fp32"] == ("det",)
    assert "mul" in told["OpenVINO subgraph", "cpu", "fp32"]
    flops = dict.fromkeys(("mean", "det", "mul", "cut", "neg"), 1)
    found = coverage(compiled.placements, "cpu", flops)
    assert (found.nodes, found.fallbacks) == (0.8, ("Det ×1 on CPUExecutionProvider",))


def test_bfloat16_is_run_or_said_not_to_be(here: Lab, backend: Backend) -> None:
    spec = backend(NAME)
    contract.bfloat16_is_run_or_said_not_to_be(here, spec, here.job(spec, "bf16"))


def test_what_it_cannot_take(here: Lab, backend: Backend) -> None:
    refuses(here, backend(NAME), "int8", "precision int8: this adapter asks OpenVINO for fp32, bf16")


def test_threads_are_an_option_that_shows(here: Lab, tmp_path: Path, backend: Backend) -> None:
    spec = backend(NAME)
    with Worker(spec, tmp_path / "logs") as worker:
        settings = worker.compile(here.job(spec, "fp32", threads="1", streams="1")).compiled.settings
    assert (settings["inference_num_threads"], settings["intra_op_threads"], settings["num_streams"]) == ("1", "1", "1")


def with_determinant() -> onnx.ModelProto:
    """Means of an 8 × 8 picture times its determinant, of which OpenVINO has none."""
    node, value = onnx.helper.make_node, onnx.helper.make_tensor_value_info
    nodes = [
        node("Det", ["x"], ["d"], name="det"),
        node("Mul", ["x", "d"], ["m"], name="mul"),
        node("ReduceMean", ["m"], ["r"], name="mean", axes=[1, 2], keepdims=0),
        node("Concat", ["r", "r"], ["c"], name="cat", axis=1),
        node("Slice", ["c", "from", "to", "axis"], ["y"], name="cut"),
        node("Neg", ["y"], ["share"], name="neg"),
    ]
    bounds = {"from": [0], "to": [10], "axis": [1]}
    graph = onnx.helper.make_graph(
        nodes,
        "determinant",
        [value("x", 1, [1, 1, 8, 8])],
        [value("y", 1, [1, 10]), value("share", 1, [1, 10])],
        [onnx.numpy_helper.from_array(np.array(bound), name) for name, bound in bounds.items()],
    )
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
