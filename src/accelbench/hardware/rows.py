"""All quantities of a device as one list: what they are of, and every figure that was told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from accelbench.hardware.units import Quantity
from accelbench.model import Device, DeviceFact, DeviceFigure
from accelbench.model.device import Facts, Figures


@dataclass(frozen=True)
class Row:
    """Figures of one quantity. ``name`` is its path in the record: ``engines.tensor.int8``, with the pattern of zeros
    in brackets where there is one; ``memory.main.bandwidth``, ``power.tdp``, ``links.0.down``."""

    name: str
    quantity: Quantity
    figures: Figures


def rows(device: Device) -> Iterator[Row]:
    """Every quantity that has a figure."""
    return (row for row in _rows(device) if row.figures)


def _rows(device: Device) -> Iterator[Row]:
    for engine in device.engines:
        for peak in engine.peaks:
            pattern = f"[{peak.sparsity}]" if peak.sparsity else ""
            yield Row(f"engines.{engine.name}.{peak.dtype}{pattern}", "operations", peak.figures)
    for level in device.memory:
        yield Row(f"memory.{level.level}.capacity", "bytes", level.capacity)
        yield Row(f"memory.{level.level}.bandwidth", "bytes_per_second", level.bandwidth)
    if device.elements is not None:
        yield Row("elements.bandwidth", "bytes_per_second", device.elements.bandwidth)
    for position, link in enumerate(device.links):
        yield Row(f"links.{position}.down", "bytes_per_second", link.down)
        yield Row(f"links.{position}.up", "bytes_per_second", link.up)
        yield Row(f"links.{position}.bandwidth", "bytes_per_second", link.bandwidth)
    for power in device.power:
        yield Row(f"power.{power.kind}", "watts", power.figures)
    yield Row("process", "nanometres", device.process)


def facts(device: Device) -> Iterator[tuple[str, Facts]]:
    """Every text that was told, by its path in the record."""
    return ((name, told) for name, told in _facts(device) if told)


def _facts(device: Device) -> Iterator[tuple[str, Facts]]:
    for engine in device.engines:
        yield f"engines.{engine.name}.dtypes", engine.dtypes
    for level in device.memory:
        yield f"memory.{level.level}.technology", level.technology
    if device.elements is not None:
        yield "elements.architecture", device.elements.architecture
        yield "elements.parallelism", device.elements.parallelism
    for position, link in enumerate(device.links):
        for name in ("name", "ports", "rdma", "detail"):
            yield f"links.{position}.{name}", getattr(link, name)
    yield "form_factor", device.form_factor
    yield "interface", device.interface
    yield "regions", device.regions
    for kind, shown in device.pictures.items():
        yield f"pictures.{kind}", shown


def evidence(device: Device) -> Iterator[tuple[str, DeviceFigure | DeviceFact]]:
    """Every figure and every text with the path of what it tells."""
    for row in rows(device):
        yield from ((row.name, figure) for figure in row.figures)
    for name, told in facts(device):
        yield from ((name, fact) for fact in told)
