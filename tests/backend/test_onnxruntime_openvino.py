from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from tests.backend.models import Lab, expected, relative_l2, unknown_operator

from accelbench.envs.spec import BackendSpec
from accelbench.envs.worker import Worker
from accelbench.errors import Unsupported
from accelbench.model import Purpose, Scenario
from accelbench.quality.coverage import coverage

pytestmark = pytest.mark.slow
Backend = Callable[[str], BackendSpec]
NAME = "onnxruntime-openvino"


@pytest.mark.parametrize(
    ("purpose", "scenario", "batch"), [("latency", "single_stream", 1), ("throughput", "offline", 4)]
)
def test_float32_is_what_numpy_computes(
    here: Lab, tmp_path: Path, backend: Backend, purpose: Purpose, scenario: Scenario, batch: int
) -> None:
    spec = backend(NAME)
    job = here.job(spec, "fp32", batch=batch, purpose=purpose)
    with Worker(spec, tmp_path / "logs") as worker:
        assert worker.devices()[0].id == "cpu"
        compiled, outputs, facts = here.outputs(worker, job)
        measured = here.measured(worker, job, compiled, scenario)
    assert relative_l2(outputs, expected(here.feeds)) < 1e-5
    assert np.allclose(here.output(job, "share").sum(axis=1), 1)
    assert (facts.records, facts.unready) == (10, 0)
    assert compiled.executed_precision == "fp32"
    assert compiled.files[:2] == ("model.onnx", "weights.bin")
    assert compiled.files[2].endswith(".blob")
    assert compiled.settings["performance_hint"] == purpose.upper()
    (whole,) = compiled.placements
    assert (whole.op, whole.device, whole.count) == ("OpenVINO subgraph", "cpu", 1)
    assert whole.nodes == ("add", "c1", "c2", "f", "mm", "r1", "r2", "sm")
    assert {path.name for path in Path(job.work).iterdir()} == {"model.onnx", "weights.bin", "cache"}
    assert measured.queries > 0
    assert measured.errors == ()
    assert measured.integrity is not None
    assert measured.integrity.mismatched == 0


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


def test_bfloat16_is_run_or_said_not_to_be(here: Lab, tmp_path: Path, backend: Backend) -> None:
    spec = backend(NAME)
    with Worker(spec, tmp_path / "logs") as worker:
        compiled, outputs, _ = here.outputs(worker, here.job(spec, "bf16"))
    drift = relative_l2(outputs, expected(here.feeds))
    assert compiled.executed_precision in ("bf16", "fp32")
    if compiled.executed_precision == "bf16":
        assert 1e-3 < drift < 2e-2
    else:
        assert drift < 1e-5


def test_what_it_cannot_take(here: Lab, tmp_path: Path, backend: Backend) -> None:
    spec = backend(NAME)
    with Worker(spec, tmp_path / "logs") as worker:
        with pytest.raises(Unsupported, match="precision int8: this adapter asks OpenVINO for fp32, bf16"):
            worker.compile(here.job(spec, "int8"))
        job = here.job(spec, "fp32")
        onnx.save(unknown_operator(), job.model)
        with pytest.raises(Unsupported, match="Levitate"):
            worker.compile(job)


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
