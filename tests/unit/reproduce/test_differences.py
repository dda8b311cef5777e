from __future__ import annotations

from dataclasses import replace

from tests.unit.page import factory

from accelbench import model
from accelbench.reproduce.differences import differences, elsewhere

FIRST = factory.report("resnet50", "openvino", "fp32")


def test_a_report_differs_in_nothing_from_itself() -> None:
    assert elsewhere(FIRST, FIRST) == differences(FIRST, FIRST) == ()


def test_another_processor_is_another_machine() -> None:
    other = replace(FIRST, host=replace(FIRST.host, cpu="Another 9000", cpu_flags=("avx2", "avx512f")))
    assert elsewhere(FIRST, other) == (
        "cpu: Example Processor 8000, here Another 9000",
        "cpu flags: none, here avx512f",
    )
    assert differences(FIRST, other) == ()


def test_so_are_another_device_and_another_precision() -> None:
    other = replace(factory.report("resnet50", "openvino", "fp32", "bf16"), device=model.DeviceInfo("GPU", "Card 1"))
    assert elsewhere(FIRST, other) == (
        "device: Example Processor 8000, here Card 1",
        "executed precision: fp32, here bf16",
    )


def test_versions_and_probes_are_told_and_leave_times_comparable() -> None:
    assert FIRST.environment is not None
    packages = {**FIRST.environment.packages, "openvino": "2027.0.0"}
    del packages["protobuf"]
    environment = replace(FIRST.environment, packages=packages, probes={"driver": "550"}, python="3.12.1")
    host = replace(FIRST.host, kernel="6.2.0", microcode="0x1")
    other = replace(FIRST, environment=environment, host=host, accelbench="0.2.0")
    assert elsewhere(FIRST, other) == ()
    assert differences(FIRST, other) == (
        "kernel: 6.1.0, here 6.2.0",
        "microcode: none, here 0x1",
        "accelbench: 0.1.0, here 0.2.0",
        "environment's Python: 3.11.2, here 3.12.1",
        "package openvino: 2026.4.1, here 2027.0.0",
        "package protobuf: 7.35.0, here none",
        "probe driver: none, here 550",
    )
