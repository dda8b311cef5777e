"""A product of the hardware catalogue, and its maker: figures and facts, each with where it was read.

Sources may disagree, so every quantity is a tuple: all that were read survive, and one may be preferred, with a
reason. What nobody told is an empty tuple or None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from accelbench.model.strict import STRICT

Basis = Literal["vendor_claimed", "measured", "derived", "third_party"]
Scope = Literal["die", "card", "module", "instance"]
DeviceKind = Literal["gpu", "asic", "cpu"]
EngineName = Literal["scalar", "vector", "tensor"]
PowerKind = Literal["tdp", "typical", "measured_max", "system", "all_in"]


@dataclass(frozen=True)
class Source:
    """Where figures were read: a page, a data sheet, a file. ``date`` is that of its publication, as far as it is
    known (``2024``, ``2024-05`` or ``2024-05-31``); ``cites`` what it names as its own sources."""

    __pydantic_config__ = STRICT

    title: str
    url: str | None = None
    date: str | None = None
    cites: tuple[str, ...] = ()


@dataclass(frozen=True)
class DeviceFigure:
    """A number as one source tells it, in that source's unit. ``source`` is a key of the record's ``sources``.

    ``scope`` is set where the figure is of something else than the product (one chip of a card, a whole instance).
    ``preferred`` is the reason for which this figure is taken where several are told; ``derivation`` how a derived
    figure was computed."""

    __pydantic_config__ = STRICT

    value: int | float
    unit: str
    basis: Basis
    source: str | None = None
    date: str | None = None
    scope: Scope | None = None
    preferred: str | None = None
    derivation: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class DeviceFact:
    """A text as one source tells it; else as a figure."""

    __pydantic_config__ = STRICT

    text: str
    basis: Basis
    source: str | None = None
    date: str | None = None
    preferred: str | None = None
    note: str | None = None


Figures = tuple[DeviceFigure, ...]
Facts = tuple[DeviceFact, ...]


@dataclass(frozen=True)
class Names:
    """What a product or a company is called."""

    __pydantic_config__ = STRICT

    en: str
    zh: str | None = None


@dataclass(frozen=True)
class Peak:
    """Operations per second of one type at best. ``sparsity`` is the pattern of zeros that it takes (``2:4``,
    ``32x``); None: dense."""

    __pydantic_config__ = STRICT

    dtype: str
    sparsity: str | None = None
    figures: Figures = ()


@dataclass(frozen=True)
class Engine:
    """The scalar, vector or tensor units together: the types that they compute in, and their peaks."""

    __pydantic_config__ = STRICT

    name: EngineName
    dtypes: Facts = ()
    peaks: tuple[Peak, ...] = ()


@dataclass(frozen=True)
class MemoryLevel:
    """``main`` memory, or a level of buffers and caches (``l1`` is nearest to the arithmetic), of the whole product."""

    __pydantic_config__ = STRICT

    level: Literal["main", "l1", "l2", "l3", "host"]
    technology: Facts = ()
    capacity: Figures = ()
    bandwidth: Figures = ()


@dataclass(frozen=True)
class ProcessingElements:
    """How the arithmetic is organised, and what flows between its parts."""

    __pydantic_config__ = STRICT

    architecture: Facts = ()
    parallelism: Facts = ()
    bandwidth: Figures = ()


@dataclass(frozen=True)
class Link:
    """How products of this kind talk to each other. ``bandwidth`` is the sum of both directions."""

    __pydantic_config__ = STRICT

    name: Facts
    ports: Facts = ()
    down: Figures = ()
    up: Figures = ()
    bandwidth: Figures = ()
    rdma: Facts = ()
    detail: Facts = ()


@dataclass(frozen=True)
class Power:
    """``tdp`` as rated; ``typical``; ``measured_max`` of the device alone; ``system``, of the whole machine;
    ``all_in``: at the utility, cooling and host included, per device."""

    __pydantic_config__ = STRICT

    kind: PowerKind
    figures: Figures


@dataclass(frozen=True)
class Price:
    """A price as seen: ``amount`` (up to ``amount_to`` where a range was told) of ``currency`` for ``devices`` of the
    product, once (``buy``) or per hour (``rent``). ``date`` is when it held, where known."""

    __pydantic_config__ = STRICT

    kind: Literal["buy", "rent"]
    currency: str
    amount: float
    basis: Basis
    source: str | None = None
    date: str | None = None
    amount_to: float | None = None
    devices: int = 1
    term: str | None = None
    region: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class Device:
    """A product of the catalogue. ``scope`` says what one of it is; every figure is of that unless it says otherwise.

    ``regions`` is where it can be had, as the seller names places; nothing told is unknown, not nowhere.
    ``aliases`` are names by which drivers, reports and tables call it: a text equals one of them but for case, spaces,
    marks and punctuation. ``matches`` are regular expressions for whole names of CPUs as the system tells them."""

    __pydantic_config__ = STRICT

    id: str
    vendor: str
    names: Names
    kind: DeviceKind
    scope: Scope
    sources: Mapping[str, Source] = field(default_factory=dict)
    purpose: tuple[Literal["training", "inference"], ...] = ()
    aliases: tuple[str, ...] = ()
    matches: tuple[str, ...] = ()
    engines: tuple[Engine, ...] = ()
    memory: tuple[MemoryLevel, ...] = ()
    elements: ProcessingElements | None = None
    links: tuple[Link, ...] = ()
    power: tuple[Power, ...] = ()
    process: Figures = ()
    form_factor: Facts = ()
    interface: Facts = ()
    regions: Facts = ()
    pictures: Mapping[Literal["product", "memory", "elements"], Facts] = field(default_factory=dict)
    prices: tuple[Price, ...] = ()
    note: str | None = None


@dataclass(frozen=True)
class VendorFact:
    """Something that a source says of a company. ``date`` is when it was so: of a deal, a release, a listing; where
    None, the date of the source counts. Sources that disagree are facts of one name; all survive.

    ``status``: independent, owned by whom, in what change; ``funding`` and ``listing``: rounds and stock exchanges;
    ``generation``: products and when they came or are announced for; ``software``: releases; ``support``: where help
    is found; ``contact``; ``export``: who may not be delivered to, or by whom."""

    __pydantic_config__ = STRICT

    name: Literal["status", "funding", "listing", "generation", "software", "support", "contact", "export"]
    text: str
    basis: Basis
    source: str | None = None
    date: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class Vendor:
    """A company whose products are in the catalogue."""

    __pydantic_config__ = STRICT

    id: str
    names: Names
    sources: Mapping[str, Source] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    website: str | None = None
    facts: tuple[VendorFact, ...] = ()


def preferred(figures: Figures) -> DeviceFigure | None:
    """The figure to take: the one that is preferred, else the first that was entered; None where nothing is told."""
    return next((figure for figure in figures if figure.preferred is not None), figures[0] if figures else None)
