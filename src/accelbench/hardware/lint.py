"""What is doubtful in the catalogue: told by the figures themselves, of one product and of its maker's others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from statistics import median
from typing import Literal

from accelbench.hardware.rows import Row, evidence, rows
from accelbench.hardware.units import base
from accelbench.model import Device, DeviceFigure, Vendor, VendorFact, preferred

Level = Literal["error", "warning"]

DISAGREE = 0.05
"""Sources whose largest figure is more than this above the smallest disagree."""
BINARY = 2**30 / 1e9
"""How much a GiB is more than a GB; a MiB than a MB is 2.4 % less than that, and within the tolerance."""
_NEAR = 0.005
STATUS_YEARS = 2
"""A status that is more calendar years older than the newest fact of all companies may no longer hold."""


@dataclass(frozen=True)
class Finding:
    """Something doubtful: an ``error`` has to be settled before the catalogue is used, a ``warning`` be known."""

    level: Level
    rule: str
    device: str
    """Id of the product, or of the company."""
    where: str
    text: str


def lint(devices: Mapping[str, Device], vendors: Mapping[str, Vendor]) -> list[Finding]:
    """All findings: product by product in the order of the rules, then company by company."""
    families = _families(devices.values())
    newest = max(
        (date for vendor in vendors.values() for fact in vendor.facts if (date := told_on(vendor, fact))), default=""
    )
    of_vendors = [found for each in vendors.values() for found in (*_unsourced(each), *_statuses(each, newest))]
    of_devices = [
        finding
        for device in devices.values()
        for finding in (
            *_sourceless(device),
            *_vendorless(device, vendors),
            *_disagreements(device),
            *_labels(device),
            *_scopes(device),
            *_sparse(device),
            *_ratio(device, families),
            *_prices(device),
        )
    ]
    return of_devices + of_vendors


def told_on(vendor: Vendor, fact: VendorFact) -> str | None:
    """When a fact of a company was so: its own date, else that of its source; None where neither is known."""
    source = vendor.sources.get(fact.source or "")
    return fact.date or (source.date if source else None)


def _unsourced(vendor: Vendor) -> Iterator[Finding]:
    """What is said of a company without naming who said it, or when."""
    for position, fact in enumerate(vendor.facts):
        where = f"facts.{position}.{fact.name}"
        if fact.source is None:
            yield Finding("error", "no-source", vendor.id, where, f"nobody is named who told it: {fact.text}")
        if told_on(vendor, fact) is None:
            yield Finding("warning", "no-date", vendor.id, where, f"nobody knows when it was so: {fact.text}")


def _statuses(vendor: Vendor, newest: str) -> Iterator[Finding]:
    """Companies are bought, listed and closed: what is known of that must not be much older than the catalogue."""
    told = [told_on(vendor, fact) or "" for fact in vendor.facts if fact.name in ("status", "listing")]
    if not told:
        yield Finding("warning", "no-status", vendor.id, "facts", "nobody is named who tells whether it goes on")
    elif max(told)[:4] and int(newest[:4]) - int(max(told)[:4]) > STATUS_YEARS:
        text = f"the last that is known of its status is of {max(told)}, the newest of the catalogue of {newest}"
        yield Finding("warning", "old-status", vendor.id, "facts", text)


def _sourceless(device: Device) -> Iterator[Finding]:
    for where, each in evidence(device):
        if each.source is None:
            yield Finding("error", "no-source", device.id, where, "nobody is named who told it")


def _vendorless(device: Device, vendors: Mapping[str, Vendor]) -> Iterator[Finding]:
    if device.vendor not in vendors:
        yield Finding("error", "no-vendor", device.id, "vendor", f"{device.vendor} has no record among the vendors")


def _disagreements(device: Device) -> Iterator[Finding]:
    """Figures of the same thing that are further apart than rounding explains."""
    for row in rows(device):
        alike = [figure for figure in row.figures if figure.scope in (None, device.scope)]
        values = [base(figure, row.quantity) for figure in alike]
        if len(values) < 2 or max(values) <= min(values) * (1 + DISAGREE):
            continue
        taken = preferred(row.figures)
        told = ", ".join(f"{figure.value:g} {figure.unit} ({figure.source})" for figure in alike)
        apart = f"{told}: {max(values) / min(values) - 1:.0%} apart"
        if _binary(values):
            yield Finding("warning", "gib-or-gb", device.id, row.name, f"{apart}, as a GiB is from a GB")
        if taken is not None and taken.preferred is not None:
            reason = f"taken is {taken.value:g} {taken.unit}: {taken.preferred}"
            yield Finding("warning", "disagree", device.id, row.name, f"{apart}; {reason}")
        else:
            yield Finding("error", "disagree", device.id, row.name, f"{apart}; prefer one, with a reason")


def _binary(values: Iterable[float]) -> bool:
    return any(abs(max(pair) / min(pair) / BINARY - 1) < _NEAR for pair in combinations(values, 2))


def _labels(device: Device) -> Iterator[Finding]:
    """TOPS count integers, TFLOPS numbers with a point."""
    for row in rows(device):
        if row.quantity != "operations":
            continue
        integers = row.name.rpartition(".")[2].startswith(("int", "uint"))
        for figure in row.figures:
            if figure.unit.endswith("FLOPS") == integers:
                text = f"{figure.value:g} {figure.unit}: the unit is that of the other kind of numbers"
                yield Finding("warning", "label", device.id, row.name, text)


def _scopes(device: Device) -> Iterator[Finding]:
    """What is taken must be of the product: else a whole machine's compute meets one chip's power."""
    for row in rows(device):
        taken = preferred(row.figures)
        if taken is None or taken.scope in (None, device.scope) or row.name == "power.system":
            continue
        text = f"{taken.value:g} {taken.unit} is of a {taken.scope}, the product is a {device.scope}"
        yield Finding("error", "scope", device.id, row.name, text)


def _sparse(device: Device) -> Iterator[Finding]:
    """A dense peak that one source doubles, or that is no less than the one with sparsity."""
    for engine in device.engines:
        dense = {peak.dtype: peak.figures for peak in engine.peaks if peak.sparsity is None}
        for dtype, figures in dense.items():
            values = [figure.value for figure in figures if figure.scope in (None, device.scope)]
            if any(abs(max(pair) / min(pair) - 2) < 2 * _NEAR for pair in combinations(values, 2)):
                text = "one source tells twice what another does: is it the peak with sparsity?"
                yield Finding("error", "sparse-as-dense", device.id, f"engines.{engine.name}.{dtype}", text)
        for peak in engine.peaks:
            taken, other = preferred(peak.figures), preferred(dense.get(peak.dtype, ()))
            if peak.sparsity and taken and other and taken.value <= other.value * (1 + DISAGREE):
                text = f"{taken.value:g} with {peak.sparsity} zeros is no more than the dense {other.value:g}"
                yield Finding(
                    "error", "sparse-as-dense", device.id, f"engines.{engine.name}.{peak.dtype}[{peak.sparsity}]", text
                )


def _ratio(device: Device, families: Mapping[str, float]) -> Iterator[Finding]:
    """The ratio of 8-bit to 16-bit peaks hardly differs among the products of one maker."""
    found, family = _int8_ratio(device), families.get(device.vendor)
    if found is not None and family is not None and abs(found / family - 1) > DISAGREE:
        text = f"int8 is {found:.3g} times fp16; of the maker's products it is {family:.3g} as a rule"
        yield Finding("warning", "int8-ratio", device.id, "engines.tensor", text)


def _families(devices: Iterable[Device]) -> dict[str, float]:
    """By vendor the median of int8 ÷ fp16, for those with two products at least."""
    ratios: dict[str, list[float]] = {}
    for device in devices:
        found = _int8_ratio(device)
        if found is not None:
            ratios.setdefault(device.vendor, []).append(found)
    return {vendor: median(told) for vendor, told in ratios.items() if len(told) > 1}


def _int8_ratio(device: Device) -> float | None:
    named = {row.name: row for row in rows(device)}
    int8 = _value(named.get("engines.tensor.int8"))
    half = _value(named.get("engines.tensor.fp16")) or _value(named.get("engines.tensor.bf16"))
    return int8 / half if int8 and half else None


def _value(row: Row | None) -> float | None:
    taken: DeviceFigure | None = preferred(row.figures) if row is not None else None
    return base(taken, row.quantity) if taken is not None and row is not None else None


def _prices(device: Device) -> Iterator[Finding]:
    for position, price in enumerate(device.prices):
        where = f"prices.{position}"
        if price.source is None:
            yield Finding("error", "no-source", device.id, where, "nobody is named who told it")
        if price.date is None:
            yield Finding("warning", "no-date", device.id, where, "nobody knows when this price held")
