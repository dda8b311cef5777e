from __future__ import annotations

import platform
from pathlib import Path

import pytest

from accelbench.report.host import CONTAINER, container, cpu_facts, cpu_limit, host_facts, memory_bytes

X86 = """processor\t: 0
model name\t: Some(R) CPU @ 2.00GHz
microcode\t: 0x2b000603
flags\t\t: fpu smep sse2 avx2 avx512_bf16 avx512_vnni avx_vnni amx_tile amx_bf16 f16c fma ht

processor\t: 1
model name\t: Another
"""
ARM = """processor : 0
Features : fp asimd aes asimdhp asimddp sve svebf16 i8mm bf16 sme sme2 smef16f32
CPU implementer : 0x48
CPU part : 0xd02
"""
RISCV = "processor : 0\nisa : rv64imafdcv_zvfh\nuarch : vendor,core\n"
LOONG = (
    "system type : generic\n\nCPU Family : Loongson-64bit\nModel Name : Loongson-3A6000\nFeatures : cpucfg lsx lasx\n"
)


@pytest.mark.parametrize(
    ("text", "name", "flags", "microcode"),
    [
        (
            X86,
            "Some(R) CPU @ 2.00GHz",
            ("amx_bf16", "amx_tile", "avx2", "avx512_bf16", "avx512_vnni", "avx_vnni", "f16c", "fma"),
            "0x2b000603",
        ),
        (
            ARM,
            "Arm implementer 0x48 part 0xd02",
            ("asimd", "asimddp", "asimdhp", "bf16", "i8mm", "sme", "sme2", "smef16f32", "sve", "svebf16"),
            None,
        ),
        (RISCV, "vendor,core", ("rv64imafdcv_zvfh",), None),
        (LOONG, "Loongson-3A6000", ("lasx", "lsx"), None),
        ("", None, (), None),
    ],
)
def test_cpu_facts(text: str, name: str | None, flags: tuple[str, ...], microcode: str | None) -> None:
    assert cpu_facts(text) == (name, flags, microcode)


def test_memory_is_in_bytes_or_absent() -> None:
    assert memory_bytes("MemTotal:       16318412 kB\nMemFree: 1 kB\n") == 16318412 * 1024
    assert memory_bytes("MemFree: 1 kB\n") is None


def test_a_quota_is_in_cpus_or_absent() -> None:
    assert cpu_limit("150000 100000\n") == 1.5
    assert cpu_limit("max 100000\n") is None
    assert cpu_limit("") is None


def test_facts_are_read_from_the_system(tmp_path: Path) -> None:
    for name, text in {
        "proc/cpuinfo": X86,
        "proc/meminfo": "MemTotal: 8 kB\n",
        "sys/fs/cgroup/cpu.max": "200000 100000\n",
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "performance\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    facts = host_facts(tmp_path)
    assert (facts.cpu, facts.memory_bytes, facts.cpu_limit) == ("Some(R) CPU @ 2.00GHz", 8192, 2.0)
    assert (facts.governor, facts.microcode) == ("performance", "0x2b000603")
    assert facts.logical_cpus >= 1


def test_what_a_system_does_not_tell_is_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "processor", lambda: "")
    facts = host_facts(tmp_path)
    assert (facts.cpu, facts.cpu_flags, facts.memory_bytes) == (None, (), None)
    assert (facts.cpu_limit, facts.governor, facts.microcode) == (None, None, None)


def test_this_host_can_be_read() -> None:
    facts = host_facts()
    assert facts.os == platform.system()
    assert facts.python == platform.python_version()


def test_distribution_firmware_drivers_and_container_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CONTAINER, raising=False)
    image = "ab" * 32
    for name, text in {
        "etc/os-release": 'NAME="Some"\nPRETTY_NAME="Some Linux 12 (twelve)"\n',
        "sys/class/dmi/id/bios_vendor": "Maker\n",
        "sys/class/dmi/id/bios_version": "2.1\n",
        "sys/module/nvidia/version": "580.82\n",
        "sys/module/e1000/version": "9\n",
        "run/.containerenv": f'engine="podman-5.4"\nname="mei"\nimageid="{image}"\n',
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    facts = host_facts(tmp_path)
    assert (facts.distribution, facts.firmware) == ("Some Linux 12 (twelve)", "Maker 2.1")
    assert facts.drivers == {"nvidia": "580.82"}
    assert facts.container == f"sha256:{image}"
    monkeypatch.setenv(CONTAINER, f"registry/image@sha256:{'cd' * 32}")
    assert host_facts(tmp_path).container == f"sha256:{'cd' * 32}"


def test_what_is_no_digest_is_no_container() -> None:
    assert container("latest", "") is None
    assert container("", 'imageid="latest"') is None
