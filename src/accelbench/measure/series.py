"""What the host told of itself during a timed pass, and the energy that follows from it.

A series is one quantity: the moments of its readings and their values. The host takes them outside of the measuring
process; they lie beside the columns, on the same clock. A quantity that nothing tells has no series.

Names are ``<thing>.<quantity>``. Energy comes from two quantities: ``energy`` (a counter in J, which may wrap) and
``power`` (in W). Things that tell either never contain one another.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelbench.errors import AccelbenchError
from accelbench.measure.columns import Columns

VERSION = 1
"""Of the stored form. 1: first."""

FEWEST_READINGS = 3
"""Energy is computed from at least so many readings of power, and from two of a counter."""

HOLD_NS = 1_000_000_000
"""A power counts for at most so long before its first and after its last reading."""


@dataclass(frozen=True)
class Series:
    """Readings of one quantity: ``time_ns`` since the pass began (negative: the warm-up), ascending; ``values`` in
    ``unit``; ``source`` is what told them. A counter that starts again from 0 does so at ``wraps_at``."""

    name: str
    unit: str
    source: str
    time_ns: tuple[int, ...]
    values: tuple[float, ...]
    wraps_at: float | None = None


def write(path: Path, series: Iterable[Series]) -> None:
    """Store the series in a new JSON file; moments that several series share are stored once."""
    times: list[tuple[int, ...]] = []
    rows = []
    for each in series:
        if each.time_ns not in times:
            times.append(each.time_ns)
        row = {"name": each.name, "unit": each.unit, "source": each.source, "time": times.index(each.time_ns)}
        rows.append({**row, "values": each.values, "wraps_at": each.wraps_at})
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8") as file:
        json.dump({"version": VERSION, "times_ns": times, "series": rows}, file, allow_nan=False)


def read(path: Path) -> tuple[Series, ...]:
    """The stored series. Raises AccelbenchError when the file is not of this form."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        if stored["version"] != VERSION:
            raise ValueError(f"version {stored['version']}, this accelbench reads {VERSION}")
        return tuple(_series(row, stored["times_ns"]) for row in stored["series"])
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise AccelbenchError(f"{path} holds no telemetry ({type(error).__name__}: {error})") from error


def energy_j(series: Series, begin_ns: int, end_ns: int) -> float | None:
    """Joules between two moments: of a counter the difference of its interpolated readings, of a power the integral of
    its linear interpolation. None when the series is neither, or its readings do not cover the time."""
    if len(series.values) < 2 or end_ns <= begin_ns:
        return None
    time, values = np.array(series.time_ns, np.float64), np.array(series.values, np.float64)
    if series.name.endswith(".energy") and series.unit == "J":
        if time[0] > begin_ns or time[-1] < end_ns:
            return None
        at_end, at_begin = np.interp([end_ns, begin_ns], time, _unwound(values, series.wraps_at))
        return float(at_end - at_begin)
    if series.name.endswith(".power") and series.unit == "W":
        if len(values) < FEWEST_READINGS or time[0] > begin_ns + HOLD_NS or time[-1] < end_ns - HOLD_NS:
            return None
        inside = (time > begin_ns) & (time < end_ns)
        moments = np.concatenate(([begin_ns], time[inside], [end_ns])).astype(np.float64)
        power = np.interp(moments, time, values)
        return float(np.sum(np.diff(moments) * (power[1:] + power[:-1]) / 2)) * 1e-9
    return None


def energy_per_sample_j(telemetry: Sequence[Series], columns: Columns) -> dict[str, float] | None:
    """Joules per sample of a pass for each thing that told its energy (``package-0``, ``dram-0``, ``gpu0``), from the
    first issue to the last end, over the samples that succeeded. None when no reading tells it, or nothing succeeded.

    Each is the energy of the whole thing, whoever used it; idle power is in it. A thing that tells both a counter and a
    power is taken by its counter."""
    samples = int(columns.units[columns.ok].sum())
    if not samples:
        return None
    begin, end = int(columns.issued.min()), int(columns.done.max())
    found: dict[str, float] = {}
    for each in sorted(telemetry, key=lambda series: series.name):
        energy = energy_j(each, begin, end)
        if energy is not None:
            found.setdefault(each.name.rpartition(".")[0], energy / samples)
    return found or None


def _unwound(values: NDArray[np.float64], wraps_at: float | None) -> NDArray[np.float64]:
    """A counter's readings as if it had never started again; it wraps at most once between two."""
    if wraps_at is None:
        return values
    wraps = np.concatenate(([0.0], np.cumsum(np.diff(values) < 0)))
    unwound: NDArray[np.float64] = values + wraps * wraps_at
    return unwound


def _series(row: Mapping[str, Any], times: Sequence[Sequence[int]]) -> Series:
    time, values = tuple(times[row["time"]]), tuple(row["values"])
    if len(time) != len(values):
        raise ValueError(f"{row['name']} has {len(values)} values at {len(time)} moments")
    return Series(row["name"], row["unit"], row["source"], time, values, row["wraps_at"])
