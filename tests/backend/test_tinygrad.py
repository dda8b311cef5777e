from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from tests.backend.contract import computes
from tests.backend.models import Lab, unknown_operator

from accelbench import paths
from accelbench.envs.spec import BackendSpec
from accelbench.envs.worker import Worker
from accelbench.errors import Unsupported
from accelbench.model import Target, TensorSpec
from accelbench.tensors import TensorSet, TensorWriter
from accelbench.worker.jobs import Job

pytestmark = pytest.mark.slow
Backend = Callable[[str], BackendSpec]


@pytest.fixture
def tinygrad(backend: Backend, tmp_path: Path) -> BackendSpec:
    spec = backend("tinygrad")
    with Worker(spec, tmp_path / "look") as worker:
        try:
            worker.devices()
        except Unsupported as error:
            pytest.skip(str(error))
    return spec


@pytest.mark.parametrize("batch", [1, 4])
def test_float32_is_what_numpy_computes(here: Lab, tinygrad: BackendSpec, batch: int) -> None:
    job = plain(here.job(tinygrad, "fp32", batch=batch))
    compiled = computes(here, tinygrad, job)
    assert (compiled.files, compiled.placements) == (("model.pkl",), ())
    assert [path.name for path in Path(job.work).iterdir()] == ["model.pkl"]


def test_what_it_cannot_take(here: Lab, tmp_path: Path, tinygrad: BackendSpec) -> None:
    with Worker(tinygrad, tmp_path / "logs") as worker:
        with pytest.raises(Unsupported, match=r"no\.such\.domain"):
            job = here.job(tinygrad, "fp32")
            onnx.save(unknown_operator(), job.model)
            worker.compile(job)
        with pytest.raises(Unsupported, match="op='Det' is not supported"):
            job = here.job(tinygrad, "fp32")
            onnx.save(net([onnx.helper.make_node("Det", ["x"], ["y"])]), job.model)
            worker.compile(job)
        with pytest.raises(Unsupported, match="values that are computed decide on a shape"):
            job = here.job(tinygrad, "fp32")
            where, back = (
                onnx.helper.make_node("NonZero", ["x"], ["at"]),
                onnx.helper.make_node("Cast", ["at"], ["y"], to=1),
            )
            onnx.save(net([where, back]), job.model)
            worker.compile(job)


def test_a_shape_that_is_fed_is_refused_not_frozen(here: Lab, tmp_path: Path, tinygrad: BackendSpec) -> None:
    nodes = [
        onnx.helper.make_node("Cast", ["x"], ["whole"], to=onnx.TensorProto.INT64),
        onnx.helper.make_node("Reshape", ["whole", "flat"], ["row"]),
        onnx.helper.make_node("Slice", ["row", "from", "to"], ["first"]),
        onnx.helper.make_node("Abs", ["first"], ["places"]),
        onnx.helper.make_node("Slice", ["x", "places", "many", "axis"], ["y"]),
    ]
    job = here.job(tinygrad, "fp32")
    onnx.save(net(nodes), job.model)
    with (
        Worker(tinygrad, tmp_path / "logs") as worker,
        pytest.raises(Unsupported, match="operator Slice takes places for a constant, and it depends on the inputs"),
    ):
        worker.compile(job)


def test_integers_scalars_tables_and_results_that_need_no_arithmetic(tmp_path: Path, tinygrad: BackendSpec) -> None:
    """Integer inputs are divided by, a number of no dimensions is added, values are gathered by a constant of two
    dimensions, and an output is an input's reshaping."""
    node, value = onnx.helper.make_node, onnx.helper.make_tensor_value_info
    places = onnx.numpy_helper.from_array(np.arange(8)[::-1].reshape(2, 4).copy())
    gathering = [
        node("Constant", [], ["places"], value=places),
        node("Gather", ["a", "places"], ["two"]),
        node("Constant", [], ["flat"], value_ints=[-1]),
        node("Reshape", ["two", "flat"], ["y"]),
    ]
    whole, given = onnx.TensorProto.INT64, {"a": np.arange(8), "b": np.arange(1, 9), "c": np.array(3)}
    for kind, nodes, result in (
        ("some", [node("Div", ["a", "b"], ["d"]), node("Add", ["d", "c"], ["y"])], given["a"] // given["b"] + 3),
        ("none", [node("Identity", ["a"], ["y"])], given["a"]),
        ("gathered", gathering, given["a"][::-1]),
    ):
        folder = tmp_path / kind
        (folder / "work").mkdir(parents=True)
        graph = onnx.helper.make_graph(
            nodes,
            "whole",
            [value(name, whole, array.shape) for name, array in given.items()],
            [value("y", whole, [8])],
        )
        opsets = [onnx.helper.make_opsetid("", 17)]
        onnx.save(onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8), folder / "model.onnx")
        with TensorWriter(folder / "feeds") as writer:
            writer.append(given)
        job = Job(
            model=str(folder / "model.onnx"),
            inputs=tuple(TensorSpec(name, "int64", array.shape) for name, array in given.items()),
            outputs=(TensorSpec("y", "int64", (8,)),),
            target=Target("tinygrad", "cpu", "fp32", tinygrad.options({})),
            batch=1,
            batched=False,
            purpose=None,
            work=str(folder / "work"),
        )
        with Worker(tinygrad, folder / "logs") as worker:
            worker.load(worker.compile(job).compiled, job)
            worker.infer(folder / "feeds", folder / "out", batch=1, batched=False)
        np.testing.assert_array_equal(TensorSet(folder / "out")[0]["y"], result)


def test_without_clang_it_says_what_to_install(
    backend: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = backend("tinygrad")
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.setenv("PATH", str(empty))
    monkeypatch.delenv("CC", raising=False)
    with Worker(spec, tmp_path / "logs") as worker, pytest.raises(Unsupported, match="apt-get install clang"):
        worker.devices()


def test_nothing_is_left_at_home(here: Lab, tmp_path: Path, tinygrad: BackendSpec) -> None:
    home, ours = tmp_path / "home", paths.home()
    home.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        patch.setenv("ACCELBENCH_HOME", str(ours))
        with Worker(tinygrad, tmp_path / "logs") as worker:
            here.outputs(worker, plain(here.job(tinygrad, "fp32")))
    assert list(home.rglob("*")) == []


def plain(job: Job) -> Job:
    """The job, its model without the domain that it names and does not use: tinygrad knows no other than ONNX's."""
    model = onnx.load(job.model, load_external_data=False)
    del model.opset_import[1:]
    onnx.save(model, job.model)
    return job


def net(nodes: list[onnx.NodeProto]) -> onnx.ModelProto:
    value, constant = onnx.helper.make_tensor_value_info, onnx.numpy_helper.from_array
    constants = {"flat": [-1], "from": [0], "to": [1], "many": [8], "axis": [2]}
    graph = onnx.helper.make_graph(
        [*nodes, onnx.helper.make_node("Neg", ["y"], ["share"])],
        "net",
        [value("x", 1, [1, 1, 8, 8])],
        [value("y", 1, None), value("share", 1, None)],
        [constant(np.array(one), name) for name, one in constants.items()],
    )
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
