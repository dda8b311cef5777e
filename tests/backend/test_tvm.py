from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from tests.backend.contract import computes, refuses
from tests.backend.models import Lab, expected, relative_l2

from accelbench.envs.spec import BackendSpec
from accelbench.envs.worker import Worker
from accelbench.errors import Unsupported

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("batch", [1, 4])
def test_float32_is_what_numpy_computes(here: Lab, backend: Callable[[str], BackendSpec], batch: int) -> None:
    spec = backend("tvm")
    job = here.job(spec, "fp32", batch=batch)
    compiled = computes(here, spec, job)
    assert compiled.files == ("model.so", "ports.json")
    assert {path.name for path in Path(job.work).iterdir()} == set(compiled.files)
    assert compiled.placements == ()
    assert '"mcpu":' in compiled.settings["target"]
    assert compiled.settings["layout"] == "NHWC, OHWI"


def test_shapes_that_are_computed_are_folded(here: Lab, tmp_path: Path, backend: Callable[[str], BackendSpec]) -> None:
    """The front end has neither a constant that is a list nor a squeeze of one size of a shape."""
    spec = backend("tvm")
    job = here.job(spec, "fp32", batch=2)
    make = onnx.helper.make_node
    model = onnx.load(job.model)
    place = next(place for place, node in enumerate(model.graph.node) if node.op_type == "Flatten")
    model.graph.node[place].CopyFrom(make("Reshape", ["d", "to"], ["e"], name="f"))
    nodes = [
        make("Constant", [], ["rest"], value_ints=[-1]),
        make("Shape", ["x"], ["sizes"], start=0, end=1),
        make("Squeeze", ["sizes"], ["size"]),
        make("Reshape", ["size", "rest"], ["one"]),
        make("Concat", ["one", "rest"], ["to"], axis=0),
    ]
    for node in reversed(nodes):
        model.graph.node.insert(0, node)
    onnx.save(model, job.model, save_as_external_data=True, location="all.bin", size_threshold=0)
    with Worker(spec, tmp_path / "logs") as worker:
        compiled, outputs, _ = here.outputs(worker, job)
    assert compiled.settings["folded_shape_nodes"] == "5"
    assert relative_l2(outputs, expected(here.feeds)) < 1e-5


def test_what_it_cannot_take(here: Lab, backend: Callable[[str], BackendSpec]) -> None:
    refuses(here, backend("tvm"), "bf16", "precision bf16: this adapter compiles for fp32")


def test_without_a_compiler_it_says_so(
    here: Lab, tmp_path: Path, backend: Callable[[str], BackendSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = backend("tvm")
    monkeypatch.setenv("PATH", str(tmp_path))
    with Worker(spec, tmp_path / "logs") as worker, pytest.raises(Unsupported, match="none is on PATH"):
        worker.compile(here.job(spec, "fp32"))


def test_threads_are_an_option_that_shows(here: Lab, tmp_path: Path, backend: Callable[[str], BackendSpec]) -> None:
    spec = backend("tvm")
    with Worker(spec, tmp_path / "logs") as worker:
        compiled, _, _ = here.outputs(worker, here.job(spec, "fp32", threads="1"))
    assert compiled.settings["threads"] == "1"
