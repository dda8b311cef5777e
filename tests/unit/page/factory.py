"""Reports with their columns on disk, as runs make them: two good ones, and the ways in which others end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from accelbench import model
from accelbench.measure.columns import Columns
from accelbench.quality.drift import accumulate
from accelbench.tensors import TensorSet, TensorWriter

SHA = "0123456789abcdef" * 4
Entries = list[tuple[model.Report, Path]]
MS = 1_000_000


def tensor_set(folder: Path, values: np.ndarray[tuple[int, ...], np.dtype[np.float32]], name: str) -> TensorSet:
    with TensorWriter(folder) as writer:
        for row in values:
            writer.append({name: row})
    return TensorSet(folder)


def drift(folder: Path, noise: float, name: str = "logits", nan: int = 0, rows: int = 64) -> model.DriftSums:
    """Sums of normal values against themselves with relative noise, the first ``nan`` of them NaN."""
    rng = np.random.default_rng(7)
    reference = rng.standard_normal((rows, 1000)).astype(np.float32) * np.float32(2.5)
    output = reference + np.float32(noise) * rng.standard_normal(reference.shape).astype(np.float32)
    output[0, :nan] = np.nan
    sets = [tensor_set(folder / side, values, name) for side, values in (("r", reference), ("y", output))]
    return accumulate(sets[0], sets[1])[0]


def quality(*sums: model.DriftSums, accuracy: float | None = None, agreement: float = 0.9844) -> model.Quality:
    score = None if accuracy is None else model.Score("top1", accuracy, 0.0069, 360)
    return model.Quality(
        samples=360,
        accuracy=score,
        reference_accuracy=score,
        agreement=model.Score("top1", agreement, 0.0155, 64),
        drift=sums,
        unready=0,
        constant=False,
    )


def columns(folder: Path, queries: int, median_ns: int, units: int = 1, seed: int = 3) -> None:
    rng = np.random.default_rng(seed)
    took = (median_ns * np.exp(0.08 * rng.standard_normal(queries))).astype(np.int64)
    took[:: max(2, queries // 7)] *= 3
    done = np.cumsum(took + 2_000)
    issued = done - took
    Columns(
        scheduled=issued,
        issued=issued,
        done=done,
        units=np.full(queries, units, dtype=np.int32),
        ok=np.ones(queries, dtype=np.bool_),
        feed=(np.arange(queries) % 8).astype(np.int32),
        pauses=np.empty((0, 2), dtype=np.int64),
    ).write(folder)


QUIET = model.Audit(
    canary_ns=(60_000,) * 8,
    calibration_before_ns=(81_000,) * 8,
    calibration_after_ns=(81_000,) * 8,
    overhead_ns=1900.0,
    rss_before_bytes=400 * MS,
    rss_after_bytes=400 * MS,
)
"""A pass in which nothing disturbed."""


def measurement(scenario: model.Scenario, batch: int, queries: int) -> model.Measurement:
    return model.Measurement(
        plan=model.Plan(scenario, model.Stop(max_s=3.0), batch=batch),
        columns=f"columns/{scenario}-{batch}",
        queries=queries,
        stop_reason="time",
        concurrency=1,
        warmup_queries=24,
        warmup_s=0.31,
        stationary=True,
        audit=QUIET,
        integrity=model.Integrity(checked=12, mismatched=0, worst_relative_l2=0.0),
    )


def loadgen(plan: model.Plan) -> model.LoadGen:
    """A run of ``plan`` that LoadGen calls valid and in which a query failed."""
    return model.LoadGen(
        plan=plan,
        version="6.0.17",
        valid=True,
        reasons=("1 of 9 queries failed",),
        samples=1,
        queries=9,
        expected_ns=2000.0,
        expected_rate=5e5,
        figures={"50.00 percentile latency (ns)": 2008.0},
        settings={"scenario": "Offline"},
        complaints=(),
        logs="logs/loadgen-offline-1",
    )


def build(batch: int, purpose: model.Purpose, executed: str) -> model.Build:
    compiled = model.Compiled(
        files=("model.xml",),
        format="OpenVINO IR",
        executed_precision=executed,
        settings={"INFERENCE_PRECISION_HINT": executed, "NUM_STREAMS": "1", "PERFORMANCE_HINT": purpose.upper()},
    )
    compiled_file = model.Artifact(
        name=f"model-{batch}.xml",
        sha256=f"{batch:02d}" * 32,
        format="OpenVINO IR",
        size_bytes=51_300_000,
        maker="openvino 2026.4.1",
        precision=executed,
        parent=SHA,
        seconds=2.75,
    )
    coverage = model.Coverage(nodes=1.0, flops=1.0)
    return model.Build(batch, purpose, 2.75 + batch / 10, 0.12, compiled, coverage, (compiled_file,))


def report(task: str, backend: str, precision: str, executed: str | None = None) -> model.Report:
    executed = executed or precision
    return model.Report(
        schema=model.REPORT_SCHEMA,
        id="5f0c" * 16,
        created="2026-03-04T05:06:07Z",
        accelbench="0.1.0",
        command=("accelbench", "run", task, "-b", backend, "--precision", precision, "--quick"),
        effort="quick",
        status="ok",
        reasons=(),
        task=model.TaskFacts(task, 1, "regular", "vision", SHA, 8_200_000_000, SHA),
        weights=model.Weights("seeded", SHA, 25_557_032, "Philox stream, seed 17"),
        target=model.Target(backend, "CPU", precision),
        tolerance=model.Tolerance(max_relative_l2=5e-3, min_agreement=0.95),
        untested=False,
        device=model.DeviceInfo("CPU", "Example Processor 8000"),
        host=model.Host("Debian 12", "6.1.0", "x86_64", "Example Processor 8000", ("avx2",), 2, 8 << 30, "3.11.2"),
        environment=model.Environment(
            "venv", "3.11.2", {"numpy": "2.4.0", "openvino": "2026.4.1", "protobuf": "7.35.0"}, SHA, SHA
        ),
        chain=(model.Artifact("resnet50.onnx", SHA, "ONNX", 102_000_000, "accelbench 0.1.0", "fp32"),),
        builds=(build(1, "latency", executed), build(8, "throughput", executed)),
        quality=None,
        measurements=(measurement("single_stream", 1, 900), measurement("offline", 8, 120)),
        files={},
    )


def timed(root: Path, name: str, made: model.Report, median_ns: int = 21 * MS) -> tuple[model.Report, Path]:
    folder = root / name
    for each in made.measurements:
        batch = each.plan.batch
        columns(folder / each.columns, each.queries, median_ns * (1 + batch) // 2, batch)
    return made, folder


def failed(task: str = "bert-base", status: model.Status = "failed") -> model.Report:
    reason = "worker crashed (signal 11) while compiling" if status == "failed" else "operator Einsum has no kernel"
    return replace(
        report(task, "faulty", "fp32"),
        status=status,
        reasons=(reason,),
        weights=None,
        device=None,
        environment=None,
        chain=(),
        builds=(),
        measurements=(),
    )


def entries(root: Path) -> Entries:
    """Six reports under ``root``: within, out of tolerance, NaN, other shapes, failed, unsupported."""
    scratch = root / "tensors"
    fine = replace(
        report("resnet50", "openvino", "bf16"),
        quality=quality(drift(scratch / "a", 6e-3), drift(scratch / "b", 4e-3, "features")),
    )
    far = replace(report("resnet50", "openvino", "int8"), quality=quality(drift(scratch / "c", 0.2), agreement=0.9))
    exact = replace(
        report("digits-cnn", "onnxruntime", "fp32"),
        quality=quality(drift(scratch / "d", 0.0, rows=8), accuracy=0.9778),
    )
    nan = replace(
        report("digits-cnn", "openvino", "bf16", "fp32"),
        quality=quality(drift(scratch / "e", 1e-3, nan=5, rows=8), accuracy=0.9),
    )
    mismatch = replace(
        drift(scratch / "f", 1e-3, name='<script>alert("out")</script>', rows=1),
        mismatch="shape [1, 10] in record 0, the reference has [10]",
        count=0, finite=0, bit_equal=0, reference_bins=(), output_bins=(), value_edges=(), signed_error_edges=(),
        signed_error_bins=(), sum_e2=0.0, sum_r2=0.0, sum_y2=0.0, sum_ry=0.0, max_ulp=None, error_bins={},
    )  # fmt: skip
    other = replace(report("digits-cnn", "faulty", "fp32"), quality=quality(mismatch, accuracy=None))
    return [
        timed(root, "1", fine),
        timed(root, "2", far, 9 * MS),
        timed(root, "3", exact, 150_000),
        timed(root, "4", nan, 90_000),
        timed(root, "5", other, 30_000),
        (failed(), root / "6"),
        (failed("widedeep", "unsupported"), root / "7"),
    ]
