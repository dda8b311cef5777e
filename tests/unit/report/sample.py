"""A report as a real run makes it, for the tests and the benchmark of this room."""

from __future__ import annotations

from accelbench import model

SHA = "0123456789abcdef" * 4


def drift(output: str, bins: int) -> model.DriftSums:
    return model.DriftSums(
        output=output,
        count=32000,
        finite=32000,
        sum_e2=0.0123456789,
        sum_r2=98765.4321,
        sum_y2=98764.321,
        sum_ry=98764.9,
        max_abs=0.0078125,
        max_ulp=65536,
        nan_reference=0,
        nan_output=0,
        inf_reference=0,
        inf_output=0,
        bit_equal=17,
        error_bins={str(exponent): exponent * exponent for exponent in range(-bins // 2, bins // 2)},
        value_edges=tuple(edge / 8 for edge in range(bins + 1)),
        reference_bins=tuple(range(bins)),
        output_bins=tuple(range(bins)),
        signed_error_edges=tuple(edge / 4096 for edge in range(bins + 1)),
        signed_error_bins=tuple(range(bins)),
    )


def measurement(scenario: model.Scenario) -> model.Measurement:
    return model.Measurement(
        plan=model.Plan(scenario, model.Stop(max_s=3.0, min_s=1.0, ci_target=0.02)),
        columns=f"columns/{scenario}-1",
        queries=1234,
        stop_reason="interval",
        concurrency=1,
        warmup_queries=40,
        warmup_s=0.51,
        stationary=True,
        audit=model.Audit(
            canary_ns=tuple(60_000 + step for step in range(20)),
            calibration_before_ns=(1_000_123, 1_000_321),
            calibration_after_ns=(1_000_456, 1_000_654),
            overhead_ns=812.5,
            spin_share=0.01,
            steal_ns=0,
            rss_before_bytes=400 << 20,
            rss_after_bytes=401 << 20,
        ),
        integrity=model.Integrity(8, 0, 1.5e-7, seen_ns=(5_000_000,) * 8, unseen_ns=(5_010_000,) * 8),
    )


def build() -> model.Build:
    kinds = ("Convolution", "MatMul", "Pooling", "Eltwise", "Reorder", "Softmax", "Reshape", "FullyConnected")
    nodes = tuple(f"/layer1/node_{position}" for position in range(10))
    compiled = model.Compiled(
        files=("model.xml", "model.bin"),
        format="openvino-ir",
        executed_precision="bf16",
        placements=tuple(model.Placement(kind, "CPU", "bf16", len(nodes), nodes) for kind in kinds),
        settings={"INFERENCE_PRECISION_HINT": "bf16", "NUM_STREAMS": "1", "PERFORMANCE_HINT": "LATENCY"},
    )
    artifact = model.Artifact("model.xml", SHA, "openvino-ir", 51_000_000, "openvino 2026", "bf16", parent=SHA)
    return model.Build(1, "latency", 1.93, 0.41, compiled, model.Coverage(1.0, 1.0), (artifact,))


def report(bins: int = 64) -> model.Report:
    """A draft (no id, no files) of ResNet-50 on a CPU stack; ``bins`` sets the length of its histograms."""
    return model.Report(
        schema=model.REPORT_SCHEMA,
        id="",
        created="2026-01-02T03:04:05Z",
        accelbench="0.1.0",
        command=("accelbench", "run", "resnet50", "-b", "openvino", "--precision", "bf16", "-o", "out"),
        effort="quick",
        status="ok",
        reasons=(),
        task=model.TaskFacts("resnet50", 1, "regular", "vision", SHA, 8_178_892_800, SHA),
        weights=model.Weights("seeded", SHA, 25_557_032, "seed 7"),
        target=model.Target("openvino", "CPU", "bf16"),
        tolerance=model.Tolerance(max_relative_l2=0.02, min_agreement=0.99),
        untested=False,
        device=model.DeviceInfo("CPU", "Some CPU", {"capabilities": "FP32 BF16 INT8"}),
        host=model.Host(
            os="Linux",
            kernel="6.1.0",
            machine="x86_64",
            cpu="Some CPU",
            cpu_flags=("avx2", "avx512f", "amx_bf16"),
            logical_cpus=2,
            memory_bytes=8 << 30,
            python="3.11.7",
        ),
        environment=model.Environment("venv", "3.11.7", {f"package-{i}": f"{i}.0" for i in range(20)}, SHA, SHA),
        chain=(model.Artifact("resnet50.onnx", SHA, "onnx", 80_000, "accelbench", "fp32"),),
        builds=(build(), build()),
        quality=model.Quality(
            samples=32,
            accuracy=None,
            reference_accuracy=None,
            agreement=model.Score("top1", 0.96875, 0.03, 32),
            drift=(drift("logits", bins),),
            unready=0,
            constant=False,
            predictions="predictions.json",
        ),
        measurements=(measurement("single_stream"), measurement("offline")),
        files={},
    )
