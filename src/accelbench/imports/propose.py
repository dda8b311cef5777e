"""A specification that was imported as the record of a device: a proposal, to be checked by a person."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal

from accelbench.model import (
    Claim,
    ClaimFigure,
    Device,
    DeviceFact,
    DeviceFigure,
    Engine,
    Link,
    MemoryLevel,
    Names,
    Peak,
    Power,
    ProcessingElements,
    Scope,
    Source,
)
from accelbench.model.device import EngineName, Facts, Figures

SOURCE = "bytemlperf"


def propose(claim: Claim) -> Device:
    """The device that a specification tells of. Its figures are third parties' until somebody finds them with the
    vendor; id (where the catalogue has none), kind, scope and whether a peak is dense are guesses. Nothing is added:
    what the file does not tell, or tells as zero, is absent."""
    name = claim.device.text if claim.device else claim.source.name
    vendor = claim.vendor.id or claim.vendor.text if claim.vendor else "unknown"
    source = Source(
        title=f"ByteMLPerf vendor_zoo, {claim.source.name}",
        url=claim.source.url,
        cites=tuple(each.text for each in claim.texts if each.name == "source"),
    )
    return Device(
        id=claim.device.id if claim.device and claim.device.id else _slug(f"{vendor}-{name}"),
        vendor=_slug(vendor),
        names=Names(en=name),
        kind="asic",
        scope=_scope(claim),
        sources={SOURCE: source},
        purpose=tuple(_purposes(claim.text("purpose") or "")),
        engines=tuple(_engines(claim)),
        memory=tuple(_memory(claim)),
        elements=_elements(claim),
        links=tuple(_links(claim)),
        power=tuple(Power("tdp", told) for told in [_figures(claim, "power.tdp")] if told),
        process=_figures(claim, "process"),
        form_factor=_facts(claim, "form_factor"),
        interface=_facts(claim, "interface"),
        pictures={
            kind: _facts(claim, f"pictures.{kind}") for kind in _PICTURES if claim.text(f"pictures.{kind}") is not None
        },
    )


_PICTURES: tuple[Literal["product", "memory", "elements"], ...] = ("product", "memory", "elements")
_ENGINES: tuple[EngineName, ...] = ("scalar", "vector", "tensor")
_LEVELS: tuple[Literal["main", "l1", "l2"], ...] = ("main", "l1", "l2")


def _purposes(text: str) -> Iterator[Literal["training", "inference"]]:
    if "training" in text.lower():
        yield "training"
    if "inference" in text.lower():
        yield "inference"


def _scope(claim: Claim) -> Scope:
    return "card" if "card" in (claim.text("form_factor") or "").lower() else "module"


def _engines(claim: Claim) -> Iterator[Engine]:
    for name in _ENGINES:
        dtypes = _facts(claim, f"engines.{name}.dtypes")
        told = [figure for figure in claim.figures if figure.name == f"engines.{name}.peak" and figure.value > 0]
        if dtypes or told:
            yield Engine(name, dtypes, tuple(Peak(str(figure.precision), figures=_told([figure])) for figure in told))


def _memory(claim: Claim) -> Iterator[MemoryLevel]:
    for level in _LEVELS:
        made = MemoryLevel(
            level,
            _facts(claim, f"memory.{level}.technology"),
            _figures(claim, f"memory.{level}.capacity"),
            _figures(claim, f"memory.{level}.bandwidth"),
        )
        if made != MemoryLevel(level):
            yield made


def _elements(claim: Claim) -> ProcessingElements | None:
    made = ProcessingElements(
        _facts(claim, "elements.architecture"),
        _facts(claim, "elements.parallelism"),
        _figures(claim, "elements.bandwidth"),
    )
    return None if made == ProcessingElements() else made


def _links(claim: Claim) -> Iterator[Link]:
    ports = _facts(claim, "links.ports") + tuple(
        DeviceFact(str(figure.value), "third_party", SOURCE) for figure in claim.figures if figure.name == "links.ports"
    )
    made = Link(
        name=_facts(claim, "links.name"),
        ports=ports,
        down=_figures(claim, "links.down"),
        up=_figures(claim, "links.up"),
        rdma=_facts(claim, "links.rdma"),
        detail=_facts(claim, "links.down") + _facts(claim, "links.up"),
    )
    if made != Link(name=()):
        yield made


def _facts(claim: Claim, name: str) -> Facts:
    told = [each.text for each in claim.texts if each.name == name]
    return tuple(DeviceFact(" ".join(text.split()), "third_party", SOURCE) for text in told)


def _figures(claim: Claim, name: str) -> Figures:
    return _told(figure for figure in claim.figures if figure.name == name and figure.value > 0)


def _told(figures: Iterable[ClaimFigure]) -> Figures:
    return tuple(
        DeviceFigure(figure.value, str(figure.unit), "third_party", SOURCE, note=figure.caveat) for figure in figures
    )


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-") or "unknown"
