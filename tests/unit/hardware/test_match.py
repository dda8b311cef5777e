"""Which product a name means."""

from dataclasses import replace

import pytest

from accelbench.hardware.catalogue import devices
from accelbench.hardware.match import device_named, device_of, vendor_named
from accelbench.model import DeviceInfo, Host

HOST = Host("Linux", "6", "x86_64", "Intel(R) Xeon(R) Platinum 8380 CPU @ 2.30GHz", (), 2, None, "3.11")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("NVIDIA A100-SXM4-80GB", "nvidia-a100-sxm4-80gb"),
        ("nvidia a30", "nvidia-a30"),
        ("NVIDIA H100 80GB HBM3", "nvidia-h100-sxm"),
        ("NVIDIA® T4", "nvidia-t4"),
        ("英伟达 A30", "nvidia-a30"),
        ("Intel(R) Xeon(R) Processor", "intel-xeon-virtual"),
        ("Intel(R) Xeon(R) CPU @ 2.30GHz", "intel-xeon-virtual"),
        ("AMD EPYC Processor", "amd-epyc-virtual"),
        ("NVIDIA A100", None),
        ("CPU", None),
        ("", None),
        ("---", None),
    ],
)
def test_names_as_they_are_told(name: str, meant: str | None) -> None:
    assert device_named(name) == meant


def test_every_product_is_found_by_its_own_names() -> None:
    for device in devices().values():
        for name in (device.id, device.names.en, *device.aliases):
            assert device_named(name) == device.id, name


def test_vendors_by_their_names() -> None:
    assert [vendor_named(name) for name in ("AWS", "希姆计算", "nvidia", "nobody")] == [
        "aws",
        "stream-computing",
        "nvidia",
        None,
    ]


def test_what_a_report_ran_on() -> None:
    assert device_of(DeviceInfo("cpu", "CPU"), HOST) == "intel-xeon-platinum-8380"
    assert device_of(DeviceInfo("cuda:0", "NVIDIA A30"), HOST) == "nvidia-a30"
    assert device_of(DeviceInfo("npu:0", "Ascend NPU"), HOST) is None
    assert device_of(DeviceInfo("cpu", "CPU"), replace(HOST, cpu=None)) is None
    assert device_of(None, HOST) is None


def test_one_cpu_of_a_virtual_machine_is_a_product_of_its_own() -> None:
    shared = replace(HOST, cpu="Intel(R) Xeon(R) Processor")
    for info in (DeviceInfo("cpu", "CPU"), DeviceInfo("CPU", "Intel(R) Xeon(R) Processor")):
        assert device_of(info, shared) == "intel-xeon-virtual"
        assert device_of(info, replace(shared, logical_cpus=1)) == "intel-xeon-virtual-1"
    assert device_of(DeviceInfo("cpu", "CPU"), replace(HOST, logical_cpus=1)) == "intel-xeon-platinum-8380"
