"""Products beside the one in use today: ratios of what is known of both, and nothing where it is not.

A ratio is that of the other product to today's; a gain is the ratio where more is better and its inverse where less is.
The distance is the root of the weighted mean of squared logarithms of the ratios that are known.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from accelbench.hardware.prices import NONE, Own, offer
from accelbench.hardware.rows import Row, rows
from accelbench.hardware.units import base
from accelbench.model import Device, DeviceFigure, preferred

Relation = Literal["dominates", "close", "trade-off", "dominated", "not comparable"]

CLOSE = 1.2
"""Gains between this and its inverse are close."""

QUANTITIES: Mapping[str, tuple[str, ...]] = {
    "fp16": ("engines.tensor.fp16", "engines.tensor.bf16"),
    "int8": ("engines.tensor.int8",),
    "fp8": ("engines.tensor.fp8",),
    "memory": ("memory.main.capacity",),
    "bandwidth": ("memory.main.bandwidth",),
    "tdp": ("power.tdp",),
}
"""What products are compared by: dense peaks, main memory, rated power; the first row that is told."""

LESS_IS_BETTER = frozenset({"tdp"})


@dataclass(frozen=True)
class Ratio:
    """A quantity that is known of both products, with both figures."""

    name: str
    today: DeviceFigure
    other: DeviceFigure
    ratio: float

    @property
    def gain(self) -> float:
        """How many times better the other product is."""
        return 1 / self.ratio if self.name in LESS_IS_BETTER else self.ratio


@dataclass(frozen=True)
class Beside:
    """A product beside today's: ``distance`` is None where nothing is known of both."""

    device: Device
    relation: Relation
    ratios: tuple[Ratio, ...]
    distance: float | None

    @property
    def known(self) -> str:
        """How many of the quantities are known of both."""
        return f"{len(self.ratios)} of {len(QUANTITIES)} known"


@dataclass(frozen=True)
class Limits:
    """What a product must keep. A limit on something that nobody told of a product rules it out. Rents are in
    ``currency`` per hour and device, those of the user's ``own`` before the catalogue's."""

    max_tdp_w: float | None = None
    min_memory_bytes: float | None = None
    form_factor: str | None = None
    region: str | None = None
    max_rent: float | None = None
    currency: str = "USD"
    own: Own = NONE


def figure(device: Device, name: str) -> tuple[DeviceFigure, float] | None:
    """The figure that is taken for a quantity of ``QUANTITIES``, and its value in base units; None where nothing of the
    product itself is told."""
    told: dict[str, Row] = {row.name: row for row in rows(device)}
    for path in QUANTITIES[name]:
        taken = preferred(told[path].figures) if path in told else None
        if taken is not None and taken.scope in (None, device.scope):
            return taken, base(taken, told[path].quantity)
    return None


def beside(today: Device, other: Device, weights: Mapping[str, float] | None = None) -> Beside:
    """``other`` beside ``today``. ``weights`` are of the distance, 1 each unless told."""
    weight = {name: (weights or {}).get(name, 1.0) for name in QUANTITIES}
    ratios = []
    for name in QUANTITIES:
        one, two = figure(today, name), figure(other, name)
        if one is not None and two is not None:
            ratios.append(Ratio(name, one[0], two[0], two[1] / one[1]))
    whole = sum(weight[each.name] for each in ratios)
    squares = sum(weight[each.name] * math.log(each.ratio) ** 2 for each in ratios)
    comparable = whole > 0 and (today.scope == "instance") == (other.scope == "instance")
    relation = _relation([each.gain for each in ratios if weight[each.name] > 0]) if comparable else "not comparable"
    return Beside(other, relation, tuple(ratios), math.sqrt(squares / whole) if comparable else None)


def find(
    today: Device, devices: Iterable[Device], limits: Limits, weights: Mapping[str, float] | None = None
) -> tuple[list[Beside], dict[str, str]]:
    """The products that keep the limits, the nearest to today's first and those that cannot be compared last; and by
    their ids those that do not, with the first reason. Today's own product is in neither."""
    kept, ruled_out = [], {}
    for device in devices:
        if device.id == today.id:
            continue
        reason = against(device, limits)
        if reason is None:
            kept.append(beside(today, device, weights))
        else:
            ruled_out[device.id] = reason
    return sorted(kept, key=lambda each: (each.distance is None, each.distance or 0.0, each.device.id)), ruled_out


def against(device: Device, limits: Limits) -> str | None:
    """Why a product does not keep the limits; None where it does."""
    tdp, memory = figure(device, "tdp"), figure(device, "memory")
    if limits.max_tdp_w is not None and (tdp is None or tdp[1] > limits.max_tdp_w):
        return "its TDP is unknown" if tdp is None else f"TDP {tdp[1]:g} W"
    if limits.min_memory_bytes is not None and (memory is None or memory[1] < limits.min_memory_bytes):
        return "its memory is unknown" if memory is None else f"memory {memory[1] / 1e9:g} GB"
    if limits.form_factor is not None:
        told = [fact.text for fact in (*device.form_factor, *device.interface)]
        if not any(limits.form_factor.casefold() in text.casefold() for text in told):
            return f"form factor {' / '.join(told)}" if told else "its form factor is unknown"
    if limits.region is not None:
        places = [fact.text for fact in device.regions] + [each.region for each in device.prices if each.region]
        if not any(limits.region.casefold() in place.casefold() for place in places):
            return f"told to be had in {' / '.join(places)}" if places else "where it can be had is unknown"
    if limits.max_rent is not None:
        rent = offer(device, "rent", limits.currency, limits.own)
        if rent is None or rent.amount > limits.max_rent:
            return "its rent is unknown" if rent is None else f"rent from {rent.amount:g} {limits.currency}/h"
    return None


def _relation(gains: list[float]) -> Relation:
    if all(1 / CLOSE <= gain <= CLOSE for gain in gains):
        return "close"
    if all(gain >= 1 for gain in gains):
        return "dominates"
    return "dominated" if all(gain <= 1 for gain in gains) else "trade-off"
