"""A small convolutional network for the tests of backends, and what they need to run it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from accelbench.envs.spec import BackendSpec
from accelbench.envs.worker import Worker
from accelbench.model import Compiled, Measurement, Plan, Purpose, Scenario, Stop, Target, TensorSpec
from accelbench.tensors import TensorSet, TensorWriter
from accelbench.worker.infer import InferFacts
from accelbench.worker.jobs import Job

SAMPLES = 10
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Lab:
    """A folder with feeds, and a model per batch."""

    folder: Path

    @property
    def feeds(self) -> Path:
        return self.folder / "feeds"

    def job(
        self, spec: BackendSpec, precision: str, *, batch: int = 1, purpose: Purpose | None = None, **options: str
    ) -> Job:
        work = self.folder / f"work-{len(list(self.folder.iterdir()))}"
        work.mkdir()
        model = work.with_suffix(".model") / "model.onnx"
        model.parent.mkdir()
        onnx.save(convolutional(batch), model, save_as_external_data=True, location="weights.bin", size_threshold=0)
        return Job(
            model=str(model),
            inputs=(TensorSpec("x", "float32", (batch, 1, 8, 8)),),
            outputs=(TensorSpec("y", "float32", (batch, 10)), TensorSpec("share", "float32", (batch, 10))),
            target=Target(spec.name, "cpu", precision, spec.options(options, precision)),
            batch=batch,
            batched=True,
            purpose=purpose,
            work=str(work),
            calibration=str(self.feeds),
            calibration_count=8,
        )

    def outputs(self, worker: Worker, job: Job) -> tuple[Compiled, Floats, InferFacts]:
        """Compile, load and run all feeds. Gives what was compiled, outputs [samples, ...], facts."""
        compiled = worker.compile(job).compiled
        worker.load(compiled, job)
        out = Path(job.work).with_suffix(".out")
        facts = worker.infer(self.feeds, out, batch=job.batch, batched=True)
        return compiled, self.output(job, "y"), facts

    def output(self, job: Job, name: str) -> Floats:
        """What ``outputs`` left of the output called ``name``: [samples, ...]."""
        return np.stack([record[name] for record in TensorSet(Path(job.work).with_suffix(".out"))])

    def measured(
        self, worker: Worker, job: Job, compiled: Compiled, scenario: Scenario = "single_stream", max_s: float = 0.5
    ) -> Measurement:
        """A timed pass after ``outputs``."""
        work = Path(job.work)
        return worker.measure(
            Plan(scenario, Stop(max_s=max_s), batch=job.batch),
            feeds=self.feeds,
            outputs=work.with_suffix(".out"),
            columns=work.with_suffix(f".{scenario}"),
            batched=True,
            concurrency=compiled.concurrency,
        )


def lab(folder: Path) -> Lab:
    generator = np.random.default_rng(7)
    with TensorWriter(folder / "feeds") as writer:
        for _ in range(SAMPLES):
            writer.append({"x": generator.normal(size=(1, 8, 8)).astype(np.float32)})
    return Lab(folder)


def expected(feeds: Path) -> Floats:
    """The network's outputs, computed with NumPy in float64."""
    weights = {name: value.astype(np.float64) for name, value in _weights().items()}
    rows = []
    for record in TensorSet(feeds):
        hidden = np.maximum(_convolve(record["x"].astype(np.float64), weights["w1"]), 0)
        hidden = np.maximum(_convolve(hidden, weights["w2"]), 0)
        rows.append(hidden.reshape(-1) @ weights["w3"] + weights["b3"])
    return np.stack(rows).astype(np.float32)


def relative_l2(output: Floats, reference: Floats) -> float:
    return float(np.linalg.norm(output.astype(np.float64) - reference) / np.linalg.norm(reference))


def convolutional(batch: int) -> onnx.ModelProto:
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["a"], name="c1", pads=[1] * 4),
        helper.make_node("Relu", ["a"], ["b"], name="r1"),
        helper.make_node("Conv", ["b", "w2"], ["c"], name="c2", pads=[1] * 4),
        helper.make_node("Relu", ["c"], ["d"], name="r2"),
        helper.make_node("Flatten", ["d"], ["e"], name="f"),
        helper.make_node("MatMul", ["e", "w3"], ["g"], name="mm"),
        helper.make_node("Add", ["g", "b3"], ["y"], name="add"),
        helper.make_node("Softmax", ["y"], ["share"], name="sm"),
    ]
    return _model(nodes, {"x": [batch, 1, 8, 8]}, {"share": [batch, 10], "y": [batch, 10]}, _weights())


def many_kinds() -> onnx.ModelProto:
    """Small, large, scalar, bool and integer inputs; an output whose shape depends on the data."""
    nodes = [
        helper.make_node("ReduceSum", ["small"], ["total"], keepdims=0),
        helper.make_node("Add", ["large", "total"], ["sum"]),
        helper.make_node("Mul", ["small", "three"], ["tripled"]),
        helper.make_node("NonZero", ["count"], ["places"]),
        helper.make_node("Not", ["flag"], ["not_flag"]),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "many-kinds",
        [
            value("small", TensorProto.FLOAT, [2, 3]),
            value("large", TensorProto.FLOAT, [1, 32768]),
            value("flag", TensorProto.BOOL, []),
            value("count", TensorProto.INT64, [4]),
        ],
        [
            value("sum", TensorProto.FLOAT, [1, 32768]),
            value("tripled", TensorProto.FLOAT, [2, 3]),
            value("places", TensorProto.INT64, [1, "n"]),
            value("not_flag", TensorProto.BOOL, []),
        ],
        [numpy_helper.from_array(np.array(3, np.float32), "three")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def unknown_operator() -> onnx.ModelProto:
    nodes = [helper.make_node("Levitate", ["x"], ["y"], name="lev", domain="no.such.domain")]
    return _model(nodes, {"x": [1, 1, 8, 8]}, {"y": [1, 10]}, {})


def _model(
    nodes: list[Any], inputs: dict[str, Any], outputs: dict[str, Any], weights: dict[str, Floats]
) -> onnx.ModelProto:
    def values(shapes: dict[str, Any]) -> list[onnx.ValueInfoProto]:
        return [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()]

    tensors = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "net", values(inputs), values(outputs), tensors)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("no.such.domain", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def _weights() -> dict[str, Floats]:
    generator = np.random.default_rng(3)
    shapes = {"w1": ((16, 1, 3, 3), 0.3), "w2": ((32, 16, 3, 3), 0.1), "w3": ((2048, 10), 0.02), "b3": ((10,), 0.1)}
    return {name: (generator.normal(size=shape) * scale).astype(np.float32) for name, (shape, scale) in shapes.items()}


def _convolve(image: NDArray[np.float64], kernel: NDArray[np.float64]) -> NDArray[np.float64]:
    """3×3 convolution of an image [C, H, W] with kernel [M, C, 3, 3], padded to the same size."""
    padded = np.pad(image, ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    rows: NDArray[np.float64] = np.einsum("chwij,mcij->mhw", windows, kernel)
    return rows
