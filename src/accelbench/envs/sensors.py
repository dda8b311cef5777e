"""What a Linux host tells of itself in /proc and /sys. Everything is read below a root folder, so that recorded trees
can stand for a host; what is not there, or may not be read, has no reading.

Sources: proc_pid_stat(5), proc_pid_statm(5); the kernel's documents on cpufreq, thermal, hwmon and powercap.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

TICKS = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
MOST_FREQUENCIES = 16
"""On hosts with many cores the frequencies of so many of them, evenly spread, are read."""

CPU_SENSORS = ("coretemp", "k10temp", "zenpower", "cpu_thermal")
CPU_ZONES = ("x86_pkg_temp", "cpu")

UTIME, CSTIME = 11, 14
"""Positions of the first and the last of the four CPU times in /proc/PID/stat, after the command's name."""


class Reading(NamedTuple):
    """One value of one quantity. ``wraps_at``: where a counter starts again."""

    name: str
    unit: str
    value: float
    wraps_at: float | None = None


@dataclass(frozen=True)
class Sensor:
    """Files with one number each, which make one quantity: ``combine`` of the numbers, times ``scale``."""

    name: str
    unit: str
    source: str
    files: tuple[Path, ...]
    scale: float
    combine: Callable[[Sequence[float]], float] = max
    wraps_at: float | None = None

    def read(self) -> Reading | None:
        numbers = [number for number in map(_number, self.files) if number is not None]
        if not numbers:
            return None
        return Reading(self.name, self.unit, self.combine(numbers) * self.scale, self.wraps_at)


def sensors(root: Path = Path("/")) -> list[Sensor]:
    """The sensors of this host that can be read: CPU frequency, temperature, energy."""
    found = [*_frequency(root), *_temperature(root), *_energy(root)]
    return [sensor for sensor in found if sensor.read() is not None]


def process_tree(pid: int, root: Path = Path("/")) -> tuple[float, int] | None:
    """CPU seconds used so far and resident bytes of a process and all its descendants, those that ended and were
    waited for included in the former; None when it has gone."""
    folder = root / "proc" / str(pid)
    try:
        times = (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        cpu_s = sum(int(field) for field in times[UTIME : CSTIME + 1]) / TICKS
        resident = int((folder / "statm").read_text(encoding="ascii").split()[1]) * PAGE_BYTES
    except (OSError, ValueError, IndexError):
        return None
    for file in folder.glob("task/*/children"):
        for child in _text(file).split():
            of_child = process_tree(int(child), root)
            if of_child is not None:
                cpu_s, resident = cpu_s + of_child[0], resident + of_child[1]
    return cpu_s, resident


def _frequency(root: Path) -> Iterator[Sensor]:
    files = sorted(root.glob("sys/devices/system/cpu/cpufreq/policy*/scaling_cur_freq"))
    chosen = tuple(files[:: -(-len(files) // MOST_FREQUENCIES) or 1])
    yield Sensor("cpu.frequency", "Hz", "cpufreq", chosen, 1e3, fmean)


def _temperature(root: Path) -> Iterator[Sensor]:
    hwmon = tuple(
        file
        for folder in sorted(root.glob("sys/class/hwmon/hwmon*"))
        if _text(folder / "name") in CPU_SENSORS
        for file in sorted(folder.glob("temp*_input"))
    )
    zones = tuple(
        folder / "temp"
        for folder in sorted(root.glob("sys/class/thermal/thermal_zone*"))
        if _text(folder / "type").startswith(CPU_ZONES)
    )
    yield Sensor("cpu.temperature", "°C", "hwmon" if hwmon else "thermal", hwmon or zones, 1e-3)


def _energy(root: Path) -> Iterator[Sensor]:
    """Processor packages and their memory. The parts of a package are in it, the platform's counter contains it: both
    are left out."""
    for folder in sorted(root.glob("sys/class/powercap/intel-rapl:*")):
        name, domain = _text(folder / "name"), folder.name.split(":")[1]
        if name == "dram":
            name = f"dram-{domain}"
        elif not name.startswith("package"):
            continue
        range_uj = _number(folder / "max_energy_range_uj")
        wraps_at = None if range_uj is None else range_uj * 1e-6
        yield Sensor(f"{name}.energy", "J", "powercap", (folder / "energy_uj",), 1e-6, max, wraps_at)


def _number(file: Path) -> float | None:
    try:
        return float(_text(file))
    except ValueError:
        return None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
