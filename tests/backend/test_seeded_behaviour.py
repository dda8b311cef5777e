"""Seeded weights behave like trained ones: values stay in range at every depth, outputs depend on the feed and are not
degenerate, and lower precisions move them as far as they move those of trained networks."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import safetensors.numpy
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator
from tests.backend.behaviour import Probe, drift, probe, rms, stacked

from accelbench.envs.spec import BackendSpec
from accelbench.errors import Unsupported
from accelbench.metrics.detection import CERTAIN
from accelbench.model import Task
from accelbench.quality.accuracy import decisions
from accelbench.tensors import TensorSet
from accelbench.zoo import catalogue, seeded
from accelbench.zoo.facts import facts_of
from accelbench.zoo.materialise import slots
from accelbench.zoo.seeded import Moments
from accelbench.zoo.subject import from_task

SAMPLES = 8
PARAMETERS, FLOPS = 200e6, 200e9
"""What a task may have, and need per sample, to be run here."""

QUICK = ("op-lstm",)
RANGE = (1e-3, 1e3)
VARIES = 2.0**-6
"""Relative L2 of the outputs from their mean over the feeds, at least."""

BF16, INT8 = 0.03, 0.3
FACTOR = 4.0
"""Drift of drawn weights ÷ drift of trained ones, and the other way round, at most."""

Backend = Callable[[str], BackendSpec]


TASKS = [
    pytest.param(task, id=task.id, marks=() if task.id in QUICK else pytest.mark.slow)
    for task in catalogue.tasks().values()
    if any(source.kind == "seeded" for source in task.weights)
]


@pytest.mark.parametrize("task", TASKS)
def test_seeded_tasks_behave(task: Task, tmp_path: Path, backend: Backend) -> None:
    facts = facts_of(task)
    if facts.parameters > PARAMETERS or facts.flops > FLOPS:
        pytest.skip(f"{task.id} is too large for a test")
    runtime = backend("onnxruntime")
    seen = probe(from_task(task, "seeded"), SAMPLES, runtime, tmp_path / "probe")
    sizes = {name: rms(seen.tensors, name) for name in seen.inner}
    assert {name: size for name, size in sizes.items() if not RANGE[0] <= size <= RANGE[1]} == {}
    for name in seen.outputs:
        values = stacked(seen.tensors, name)
        assert np.isfinite(values).all()
        assert np.linalg.norm(values - values.mean(0)) > VARIES * np.linalg.norm(values), f"{name} hardly varies"
    assert degenerate(task, seen.tensors) is None
    assert drift(seen, backend("openvino"), "bf16", tmp_path / "bf16") < BF16
    with contextlib.suppress(Unsupported):
        assert drift(seen, runtime, "int8", tmp_path / "int8") < INT8


def degenerate(task: Task, outputs: TensorSet) -> str | None:
    """What is wrong with the decisions of a few samples, if anything."""
    made = decisions(task.metric, outputs)
    if "top1" in made and made["top1"].shape[1] == 1:
        return None if len(np.unique(made["top1"])) >= len(outputs) // 2 else "few classes"
    if "start" in made:
        spans = {(int(a), int(b)) for a, b in zip(made["start"], made["end"], strict=True)}
        return None if len(spans) >= len(outputs) // 2 else "few spans"
    if "score" in made:
        return None if made["score"].std() > 0.01 else "scores that are all alike"
    if "detections" in made:
        certain = made["detections"][..., 4] >= CERTAIN
        classes = np.unique(made["detections"][..., 5][certain])
        return None if certain.any(axis=1).all() and len(classes) >= len(outputs) // 2 else "few detections"
    return None


@pytest.mark.parametrize("name", ["digits-cnn", pytest.param("digits-resnet", marks=pytest.mark.slow)])
def test_drawn_weights_drift_as_trained_ones(name: str, tmp_path: Path, backend: Backend) -> None:
    """The two digits tasks have trained weights; here they get drawn ones too, made as those of ``resnet50`` are."""
    task = catalogue.find(name)
    drawn = tmp_path / "drawn.safetensors"
    safetensors.numpy.save_file(draw(task), drawn)
    drifts: dict[str, dict[str, float]] = {}
    for kind in ("trained", "drawn"):
        subject = from_task(task, None if kind == "trained" else str(drawn))
        seen = probe(subject, 64, backend("onnxruntime"), tmp_path / kind)
        drifts[kind] = {
            precision: drift(seen, backend(stack), precision, tmp_path / f"{kind}-{precision}")
            for stack, precision in (("openvino", "bf16"), ("onnxruntime", "int8"))
        }
        assert_in_range(seen)
    ratios = {precision: drifts["drawn"][precision] / drifts["trained"][precision] for precision in drifts["drawn"]}
    print(name, drifts, ratios)  # noqa: T201
    assert {precision for precision, ratio in ratios.items() if not 1 / FACTOR < ratio < FACTOR} == set()


def assert_in_range(seen: Probe) -> None:
    assert all(RANGE[0] <= rms(seen.tensors, name) <= RANGE[1] for name in (*seen.inner, *seen.outputs))


def draw(task: Task) -> dict[str, NDArray[np.float32]]:
    """He's initialisation, batch norms with the statistics of 64 pictures, and residual branches that end with a scale
    of a tenth: the rules of the zoo's convolutional networks."""
    graph = catalogue.graph(task)
    tensors: dict[str, NDArray[np.float32]] = {}
    for slot in slots(graph):
        if len(slot.shape) == 4:
            moments = Moments("normal", std=math.sqrt(2 / (slot.shape[0] * math.prod(slot.shape[2:]))))
        elif len(slot.shape) == 2:
            moments = Moments("normal", std=2.5 / math.sqrt(slot.shape[1]))
        else:
            ones = slot.name.endswith(("weight", "running_var"))
            moments = Moments("constant", mean=(0.1 if "bn2" in slot.name else 1.0) if ones else 0.0)
        tensors[slot.name] = seeded.draw(slot.name, slot.count, moments, 0).reshape(slot.shape)
    return measured(task, graph, tensors)


def measured(
    task: Task, graph: onnx.ModelProto, tensors: dict[str, NDArray[np.float32]]
) -> dict[str, NDArray[np.float32]]:
    """The tensors with the batch norms' statistics over the task's first pictures, as training mode finds them."""
    for tensor in graph.graph.initializer:
        if tensor.name in tensors:
            tensor.CopyFrom(onnx.numpy_helper.from_array(tensors[tensor.name], tensor.name))
    found: dict[str, str] = {}
    for node in graph.graph.node:
        if node.op_type == "BatchNormalization":
            del node.attribute[:]
            node.attribute.extend(
                onnx.helper.make_attribute(name, value) for name, value in (("training_mode", 1), ("momentum", 0.0))
            )
            del node.output[1:]
            node.output.extend([f"{node.output[0]}/mean", f"{node.output[0]}/variance"])
            found |= {node.input[3]: node.output[1], node.input[4]: node.output[2]}
    if not found:
        return tensors
    del graph.graph.output[:]
    graph.graph.output.extend(onnx.ValueInfoProto(name=name) for name in found.values())
    pictures = np.stack([record["image"] for record in TensorSet(from_task(task, None).feeds.path)[:64]])
    values = ReferenceEvaluator(graph).run(None, {"image": pictures})
    return tensors | {name: np.asarray(value, np.float32) for name, value in zip(found, values, strict=True)}
