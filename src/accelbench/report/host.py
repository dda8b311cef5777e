"""Facts of the machine that a report is made on. What a system does not tell is absent."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

from accelbench.model import Host

FLAGS = re.compile(
    r"f16c|fma|avx\w*|amx\w*|sse4_[12]|ssse3"  # x86
    r"|fphp|asimd\w*|sve\w*|sme(2\w*|[bfi]\w*)?|i8mm|bf16|svei8mm|svebf16|fcma"  # Arm
    r"|lsx|lasx"  # LoongArch
    r"|vsx|mma|arch_3\w*"  # POWER
)
"""The instruction sets, as Linux names them, that decide on the speed and the numerics of inference."""


DRIVERS = (
    "amdgpu", "apex", "davinci", "habanalabs", "hailo_pci", "i915", "intel_vpu", "iluvatar", "mlu", "musa", "neuron",
    "npu", "nvidia", "qaic", "rknpu", "tenstorrent", "xe",
)  # fmt: skip
"""Kernel modules that drive accelerators."""

DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
CONTAINER = "ACCELBENCH_CONTAINER"
"""The variable by which who starts a container tells the digest of its image."""


def host_facts(root: Path = Path("/")) -> Host:
    """The facts of this host, read from ``proc`` and ``sys`` under ``root``."""
    cpu, flags, microcode = cpu_facts(_read(root / "proc/cpuinfo"))
    return Host(
        os=platform.system(),
        kernel=platform.release(),
        machine=platform.machine(),
        cpu=cpu or platform.processor() or None,
        cpu_flags=flags,
        logical_cpus=_usable_cpus(),
        memory_bytes=memory_bytes(_read(root / "proc/meminfo")),
        python=platform.python_version(),
        cpu_limit=cpu_limit(_read(root / "sys/fs/cgroup/cpu.max")),
        governor=_read(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").strip() or None,
        microcode=microcode,
        distribution=distribution(_read(root / "etc/os-release")),
        firmware=_firmware(root / "sys/class/dmi/id"),
        drivers=_drivers(root / "sys/module"),
        container=container(os.environ.get(CONTAINER, ""), _read(root / "run/.containerenv")),
    )


def cpu_facts(cpuinfo: str) -> tuple[str | None, tuple[str, ...], str | None]:
    """Name, flags that matter (sorted) and microcode of the first CPU in the text of ``/proc/cpuinfo``.

    An Arm CPU has no name there; its implementer and part number stand in for it.
    """
    facts: dict[str, str] = {}
    for line in cpuinfo.splitlines():
        key, colon, value = line.partition(":")
        if colon:
            facts.setdefault(key.strip().lower(), value.strip())
    name = facts.get("model name") or facts.get("cpu model") or facts.get("uarch") or facts.get("cpu")
    if not name and "cpu implementer" in facts:
        name = f"Arm implementer {facts['cpu implementer']} part {facts.get('cpu part', 'unknown')}"
    words = (facts.get("flags") or facts.get("features") or "").lower().split()
    flags = {word for word in words if FLAGS.fullmatch(word)}
    if facts.get("isa"):  # RISC-V: one word, its extensions appended
        flags.add(facts["isa"])
    return name or None, tuple(sorted(flags)), facts.get("microcode")


def memory_bytes(meminfo: str) -> int | None:
    """Installed memory from the text of ``/proc/meminfo``."""
    found = re.search(r"^MemTotal:\s+(\d+) kB", meminfo, re.MULTILINE)
    return int(found[1]) * 1024 if found else None


def cpu_limit(cpu_max: str) -> float | None:
    """How many CPUs a control group's quota allows, from the text of its ``cpu.max``: ``quota period`` in µs."""
    found = re.fullmatch(r"(\d+) (\d+)\s*", cpu_max)
    return int(found[1]) / int(found[2]) if found else None


def distribution(os_release: str) -> str | None:
    """The system's own name from the text of ``/etc/os-release``."""
    found = re.search(r"""^PRETTY_NAME=["']?([^"'\n]+)""", os_release, re.MULTILINE)
    return found[1].strip() if found else None


def container(told: str, containerenv: str) -> str | None:
    """The digest of the container's image: as whoever started it says, or as Podman does in ``/run/.containerenv``. A
    container cannot find out by itself."""
    found = DIGEST.search(told)
    if found:
        return found[0]
    image = re.search(r'^imageid="(?:sha256:)?([0-9a-f]{64})"', containerenv, re.MULTILINE)
    return f"sha256:{image[1]}" if image else None


def _firmware(folder: Path) -> str | None:
    """Maker, version and date of the machine's firmware."""
    told = [_read(folder / name).strip() for name in ("bios_vendor", "bios_version", "bios_date")]
    return " ".join(filter(None, told)) or None


def _drivers(folder: Path) -> dict[str, str]:
    told = {name: _read(folder / name / "version").strip() for name in DRIVERS}
    return {name: version for name, version in told.items() if version}


def _usable_cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
