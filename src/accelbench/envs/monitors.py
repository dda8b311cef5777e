"""Commands that tell of devices while they run, a line at a time: vendors' monitors, and what a backend declares.

Each is started once per timed pass, since starting one costs more than a reading. A line is parsed by a function of
its own; a line that tells nothing gives no reading.
"""

from __future__ import annotations

import json
import math
import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from accelbench.envs.sensors import Reading

Parse = Callable[[str], list[Reading]]

NVIDIA_FIELDS = {
    "power.draw": ("power", "W", 1.0),
    "temperature.gpu": ("temperature", "°C", 1.0),
    "clocks.sm": ("frequency", "Hz", 1e6),
    "utilization.gpu": ("utilisation", "%", 1.0),
    "memory.used": ("memory", "B", 2.0**20),
}
AMD_COLUMNS = {
    "POWER": ("power", "W", 1.0),
    "GPU_T": ("temperature", "°C", 1.0),
    "GPU_TEMP": ("temperature", "°C", 1.0),
    "GFX_CLK": ("frequency", "Hz", 1e6),
    "GFX_CLOCK": ("frequency", "Hz", 1e6),
    "GFX%": ("utilisation", "%", 1.0),
    "GFX_UTIL": ("utilisation", "%", 1.0),
}
"""Columns of `amd-smi monitor`, by the names of its older and newer releases."""

AMD_CELL = re.compile(r"(N/A|[\d.]+)(?: (?:W|°C|MHz|%))?(?=\s|$)")


@dataclass(frozen=True)
class Monitor:
    """A command that prints lines until it is ended. ``parse`` is made anew for each run, as it may hold state."""

    source: str
    argv: tuple[str, ...]
    parse: Callable[[], Parse]


def monitors(which: Callable[[str], str | None] = shutil.which) -> list[Monitor]:
    """The monitors of vendors that are on PATH here."""
    found = []
    if path := which("nvidia-smi"):
        query = f"--query-gpu={','.join(('index', *NVIDIA_FIELDS))}"
        argv = (path, query, "--format=csv,noheader,nounits", "--loop-ms=500")
        found.append(Monitor("nvidia-smi", argv, lambda: nvidia_smi))
    if path := which("amd-smi"):
        watch = (path, "monitor", "--power-usage", "--temperature", "--gfx", "--watch", "1")
        found.append(Monitor("amd-smi", watch, amd_smi))
    return found


def nvidia_smi(line: str) -> list[Reading]:
    """Readings from one line of ``nvidia-smi --query-gpu=index,… --format=csv,noheader,nounits``."""
    cells = [cell.strip() for cell in line.split(",")]
    if len(cells) != 1 + len(NVIDIA_FIELDS) or not cells[0].isdigit():
        return []
    return _readings(f"gpu{cells[0]}", zip(NVIDIA_FIELDS.values(), cells[1:], strict=True))


def amd_smi() -> Parse:
    """A parser of the table that ``amd-smi monitor --watch`` prints: a header, then a row per GPU."""
    columns: list[str] = []

    def parse(line: str) -> list[Reading]:
        words = line.split()
        if "GPU" in words:
            columns[:] = words
            return []
        cells = AMD_CELL.findall(line)
        if not columns or len(cells) != len(columns):
            return []
        row = dict(zip(columns, cells, strict=True))
        known = [(AMD_COLUMNS[name], cell) for name, cell in row.items() if name in AMD_COLUMNS]
        return _readings(f"gpu{row['GPU']}", known)

    return parse


def json_lines(line: str) -> list[Reading]:
    """A reading from one line of a backend's own command: ``{"name": "npu0.power", "unit": "W", "value": 12.5}``."""
    try:
        told = json.loads(line)
    except ValueError:
        return []
    if not isinstance(told, dict) or set(told) != {"name", "unit", "value"}:
        return []
    name, unit, value = told["name"], told["unit"], told["value"]
    if not (isinstance(name, str) and isinstance(unit, str)) or isinstance(value, bool):
        return []
    if not isinstance(value, int | float) or not math.isfinite(value):
        return []
    return [Reading(name, unit, float(value))]


def declared(argv: Sequence[str]) -> Monitor:
    """The command that a backend's ``[telemetry]`` declares."""
    return Monitor("backend", tuple(argv), lambda: json_lines)


def _readings(thing: str, cells: Iterable[tuple[tuple[str, str, float], str]]) -> list[Reading]:
    found = []
    for (quantity, unit, scale), cell in cells:
        try:
            found.append(Reading(f"{thing}.{quantity}", unit, float(cell) * scale))
        except ValueError:  # N/A, [Not Supported]
            continue
    return found
