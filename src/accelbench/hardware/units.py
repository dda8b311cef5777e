"""The units that figures of the catalogue come in, and what they are in one base unit per quantity."""

from __future__ import annotations

from typing import Literal

from accelbench.model import DeviceFigure

Quantity = Literal["operations", "bytes", "bytes_per_second", "watts", "nanometres"]

SCALES: dict[Quantity, dict[str, float]] = {
    "operations": {"TOPS": 1e12, "TFLOPS": 1e12, "GOPS": 1e9, "GFLOPS": 1e9, "PFLOPS": 1e15, "POPS": 1e15},
    "bytes": {"kB": 1e3, "KiB": 2**10, "MB": 1e6, "MiB": 2**20, "GB": 1e9, "GiB": 2**30, "TB": 1e12, "TiB": 2**40},
    "bytes_per_second": {"GB/s": 1e9, "GiB/s": 2**30, "TB/s": 1e12, "TiB/s": 2**40, "Tbit/s": 1e12 / 8},
    "watts": {"W": 1.0, "kW": 1e3},
    "nanometres": {"nm": 1.0},
}
"""What one of a unit is in the base unit of its quantity: operations per second, bytes, bytes per second, W, nm."""


def base(figure: DeviceFigure, quantity: Quantity) -> float:
    """The figure in the base unit of its quantity. KeyError for a unit of another quantity."""
    return figure.value * SCALES[quantity][figure.unit]
