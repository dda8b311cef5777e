"""The shipped tasks are whole, small and speak only of themselves."""

from __future__ import annotations

import gzip
import hashlib
import json
import math

import numpy as np
import onnx
import pytest
import safetensors

from accelbench.model import Task
from accelbench.zoo import catalogue
from accelbench.zoo.materialise import slots
from accelbench.zoo.weights import choose, graph_bytes

TASKS = list(catalogue.tasks().values())
IDS = [task.id for task in TASKS]
PARAMETERS = {
    "digits-cnn": 25_866,
    "digits-resnet": 273_370,
    "resnet50": 25_557_032 + 2 * 26_560,  # and the statistics of its batch norms
    "bert-base": 108_893_186,
    "widedeep": 29_260_622,
}


@pytest.fixture(params=TASKS, ids=IDS)
def task(request: pytest.FixtureRequest) -> Task:
    assert isinstance(request.param, Task)
    return request.param


def graph_of(task: Task) -> onnx.ModelProto:
    return onnx.load_from_string(graph_bytes(task, catalogue.folder(task)))


@pytest.mark.parametrize("name", PARAMETERS)
def test_graph_has_its_real_size(name: str) -> None:
    assert sum(slot.count for slot in slots(graph_of(catalogue.find(name)))) == PARAMETERS[name]


def test_graph_has_no_weights(task: Task) -> None:
    graph = graph_of(task)
    inline = [t for t in graph.graph.initializer if t.data_location != onnx.TensorProto.EXTERNAL]
    assert sum(math.prod(t.dims) for t in inline) < 20_000
    assert len(graph.SerializeToString()) < 2_000_000


def test_signature_is_the_tasks(task: Task) -> None:
    graph = graph_of(task).graph
    for specs, values in ((task.inputs, graph.input), (task.outputs, graph.output)):
        assert [spec.name for spec in specs] == [value.name for value in values]
        for spec, value in zip(specs, values, strict=True):
            tensor = value.type.tensor_type
            assert spec.shape == tuple(dim.dim_param or dim.dim_value for dim in tensor.shape.dim)
            assert spec.dtype == onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type).name
            assert not task.batched or spec.shape[0] == "batch"


def test_external_data_is_aligned_and_gapless(task: Task) -> None:
    places = []
    for tensor in graph_of(task).graph.initializer:
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            where = {entry.key: entry.value for entry in tensor.external_data}
            assert where["location"] == "weights.bin"
            places.append((int(where["offset"]), int(where["length"])))
    end = 0
    for offset, length in sorted(places):
        assert offset == -(-end // 64) * 64
        end = offset + length


def test_nothing_of_the_exporter_is_left(task: Task) -> None:
    model = graph_of(task)
    assert not model.metadata_props
    assert not model.doc_string
    assert all(not n.doc_string and not n.metadata_props for n in model.graph.node)
    text = model.SerializeToString()
    assert not any(word in text for word in (b"/home", b"/root", b"/tmp", b"site-packages", b".py"))
    assert max(opset.version for opset in model.opset_import) >= 18


def test_weights_are_there_for_every_slot(task: Task) -> None:
    if any(source.kind == "package" for source in task.weights):
        pytest.skip("its weights are in a package, which nobody need have")
    folder = catalogue.folder(task)
    source = choose(task, folder, slots(graph_of(task)))
    assert source.kind in ("shipped", "seeded")
    for smallest in sorted(slots(graph_of(task)), key=lambda slot: slot.count)[:1]:
        assert sum(piece.size for piece in source.pieces(smallest)) == smallest.count


def test_every_tensor_with_moments_is_one_of_the_graph(task: Task) -> None:
    held = {slot.name for slot in slots(graph_of(task))}
    for source in task.weights:
        if source.kind == "seeded":
            moments = json.loads((catalogue.folder(task) / str(source.file)).read_text(encoding="utf-8"))
            assert set(moments["tensors"]) <= held, "a weight that the exporter folded into a constant cannot be loaded"


def test_batch_norms_are_kept() -> None:
    count = {task.id: sum(n.op_type == "BatchNormalization" for n in graph_of(task).graph.node) for task in TASKS}
    assert count["digits-resnet"] == 19
    assert count["resnet50"] == 53


def test_files_stay_small_and_carry_no_time_stamp() -> None:
    sizes = {task.id: sum(p.stat().st_size for p in catalogue.folder(task).iterdir()) for task in TASKS}
    assert sizes["digits-cnn"] < 300_000
    assert sizes["digits-resnet"] < 1_300_000
    assert sum(sizes.values()) <= 5_000_000
    for task in TASKS:
        assert (catalogue.folder(task) / task.graph).read_bytes()[4:8] == bytes(4)


def test_statistics_are_float16_positive_and_in_range() -> None:
    folder = catalogue.folder(catalogue.find("resnet50"))
    moments = json.loads((folder / "moments.json").read_text())
    data = (folder / "statistics.safetensors").read_bytes()
    assert hashlib.sha256(data).hexdigest() == moments["statistics_sha256"]
    with safetensors.safe_open(folder / "statistics.safetensors", "numpy") as tensors:
        names = list(tensors.keys())
        assert sorted(names) == sorted(n for n, m in moments["tensors"].items() if m["kind"] == "stored")
        for name in names:
            values = tensors.get_tensor(name)
            assert values.dtype == np.float16
            assert np.isfinite(values).all()
            assert not name.endswith("running_var") or values.min() > 0


def test_held_out_digits_are_whole() -> None:
    task = catalogue.find("digits-cnn")
    data = (catalogue.folder(task) / str(task.dataset.file)).read_bytes()
    assert hashlib.sha256(data).hexdigest() == task.dataset.sha256
    with np.load(catalogue.folder(task) / "data.npz") as stored:
        x, y = stored["x"], stored["y"]
    assert (x.dtype, x.shape) == (np.float32, (task.dataset.count, 1, 8, 8))
    assert (y.dtype, y.shape) == (np.int64, (task.dataset.count,))
    assert (float(x.min()), float(x.max())) == (0.0, 1.0)
    assert set(np.bincount(y) // 10) == {5}  # balanced: 52 to 55 of each


def test_graph_file_is_gzip_of_the_frozen_graph(task: Task) -> None:
    packed = (catalogue.folder(task) / task.graph).read_bytes()
    assert hashlib.sha256(gzip.decompress(packed)).hexdigest() == task.graph_sha256
