"""What a sample costs on a device: every input is named, nothing is assumed silently.

    $/h = [(device + host + network)·CRF(rate, years) + support] ÷ (8760·utilisation) + kW·PUE·$/kWh + porting

or the rent in the place of purchase and energy. CRF is the capital recovery factor, the yearly payment on one unit of
capital: r·(1 + r)ⁿ ÷ ((1 + r)ⁿ − 1), and 1 ÷ n without interest (R. de Neufville, *Applied Systems Analysis*, 1990,
chapter 11). An hour is one of use: a device that stands idle half of the time costs twice as much in it. A million
samples take 10⁶ ÷ (throughput·3600) hours. All amounts are in one currency, per device.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from accelbench.errors import UsageError

Currency = Literal["USD", "CNY"]

HOURS = 8760.0
"""Of a year."""

PowerKind = Literal["wall", "board", "tdp"]
LADDER: tuple[PowerKind, ...] = ("wall", "board", "tdp")
"""Kinds of power, the best first: measured at the wall, measured on the board, as rated. Two products are compared by
the best kind that both have, and by no other."""


@dataclass(frozen=True)
class Capital:
    """How purchases are paid: ``rate`` of interest per year (0.08), over ``years``."""

    rate: float
    years: float

    @property
    def recovery(self) -> float:
        """The capital recovery factor, per year."""
        _positive("years", self.years)
        _at_least_zero("rate", self.rate)
        if self.rate == 0:
            return 1 / self.years
        return self.rate / -math.expm1(-self.years * math.log1p(self.rate))


@dataclass(frozen=True)
class Operation:
    """How devices are run: the share of all hours in use, the energy's price per kWh with the data centre's power usage
    effectiveness, and what support costs per device and year."""

    utilisation: float
    kwh: float
    pue: float
    support: float = 0.0


@dataclass(frozen=True)
class Porting:
    """What it costs once to bring the models over, spread over a fleet and its life."""

    cost: float
    devices: int
    years: float


@dataclass(frozen=True)
class Purchase:
    """A device that is bought: its price, its share of a host and of a network, and the power that it draws in use."""

    device: float
    kw: float
    host: float = 0.0
    network: float = 0.0


@dataclass(frozen=True)
class Rent:
    """A device that is rented, energy included: the price of an hour, which is paid whether it is used or not."""

    hour: float


@dataclass(frozen=True)
class Inputs:
    """All that a cost starts from beside a product's price, power and throughput, with what is assumed where nobody
    says otherwise, under the names that the page's links have. Amounts are in ``currency``.

    ``pay`` for a purchase or by the hour; ``rate`` of interest over ``years``; the share of hours in ``use``; ``kwh``,
    the price of energy, with the data centre's ``pue``; per device and year ``support``; per device its share of a
    ``host`` and of a ``network``; ``port``, what the models' move costs once, for a ``fleet`` of devices. ``need``
    samples per second are to be served, with a share of ``headroom`` and ``spare`` devices.
    """

    currency: Currency = "USD"
    pay: Literal["buy", "rent"] = "buy"
    rate: float = 0.08
    years: float = 4.0
    use: float = 0.6
    kwh: float = 0.1
    pue: float = 1.4
    support: float = 0.0
    host: float = 0.0
    network: float = 0.0
    port: float = 0.0
    fleet: int = 1
    need: float = 1000.0
    headroom: float = 0.2
    spare: int = 1

    @property
    def operation(self) -> Operation:
        """How devices are run."""
        return Operation(self.use, self.kwh, self.pue, self.support)

    @property
    def capital(self) -> Capital:
        """How purchases are paid."""
        return Capital(self.rate, self.years)

    @property
    def porting(self) -> Porting:
        """What the move costs."""
        return Porting(self.port, self.fleet, self.years)

    def hour(self, price: float, kw: float | None) -> float | None:
        """The cost of an hour at a price, bought or rented as ``pay`` says. None for a purchase whose power nobody
        knows."""
        if self.pay == "rent":
            return per_hour(Rent(price), self.operation, porting=self.porting)
        if kw is None:
            return None
        return per_hour(Purchase(price, kw, self.host, self.network), self.operation, self.capital, self.porting)

    def even(self, other_per_million: float, throughput: float, kw: float | None) -> float | None:
        """The price, or the rent of an hour, at which a million samples cost what they do on another product. None for
        a purchase whose power nobody knows."""
        if self.pay == "rent":
            return break_even_rent(other_per_million, throughput, self.operation, self.porting)
        if kw is None:
            return None
        return break_even(
            *(other_per_million, throughput, kw, self.operation, self.capital),
            host=self.host,
            network=self.network,
            porting=self.porting,
        )

    def devices(self, throughput: float) -> int:
        """How many devices serve ``need``, each at ``throughput``."""
        return devices_needed(self.need, throughput, self.headroom, self.spare)


def per_hour(
    bill: Purchase | Rent, operation: Operation, capital: Capital | None = None, porting: Porting | None = None
) -> float:
    """The cost of an hour of use. A purchase needs ``capital``. Raises UsageError for what cannot be (a utilisation
    beyond 1, negative amounts)."""
    _share("utilisation", operation.utilisation)
    once = _porting(porting, operation) if porting else 0.0
    if isinstance(bill, Rent):
        _at_least_zero("rent", bill.hour)
        return bill.hour / operation.utilisation + once
    if capital is None:
        raise UsageError("a purchase needs a rate of interest and the years that it is used")
    invested = _at_least_zero("device", bill.device) + _shares(bill.host, bill.network)
    yearly = invested * capital.recovery + _at_least_zero("support", operation.support)
    return yearly / (HOURS * operation.utilisation) + _energy(bill.kw, operation) + once


def per_million(hour: float, throughput: float) -> float:
    """The cost of a million samples at ``throughput`` samples per second, when an hour costs ``hour``."""
    return hour * 1e6 / (_positive("throughput", throughput) * 3600)


def break_even(
    other_per_million: float,
    throughput: float,
    kw: float,
    operation: Operation,
    capital: Capital,
    *,
    host: float = 0.0,
    network: float = 0.0,
    porting: Porting | None = None,
) -> float:
    """The price at which a device of this throughput and power costs as much per million samples as another product
    does. Negative: it would be dearer even as a gift."""
    _share("utilisation", operation.utilisation)
    once = _porting(porting, operation) if porting else 0.0
    hour = other_per_million * _positive("throughput", throughput) * 3600 / 1e6
    yearly = (hour - _energy(kw, operation) - once) * HOURS * operation.utilisation
    return (yearly - _at_least_zero("support", operation.support)) / capital.recovery - _shares(host, network)


def break_even_rent(
    other_per_million: float, throughput: float, operation: Operation, porting: Porting | None = None
) -> float:
    """The rent of an hour at which a device of this throughput costs as much per million samples as another product
    does. Negative: it would be dearer even as a gift."""
    _share("utilisation", operation.utilisation)
    once = _porting(porting, operation) if porting else 0.0
    hour = other_per_million * _positive("throughput", throughput) * 3600 / 1e6
    return (hour - once) * operation.utilisation


def devices_needed(rate: float, throughput: float, headroom: float = 0.0, spare: int = 0) -> int:
    """How many devices serve ``rate`` samples per second, each at ``throughput`` under the bound that was asked for,
    with a share of ``headroom`` left free, and ``spare`` ones on top."""
    if not 0 <= headroom < 1:
        raise UsageError(f"headroom is a share from 0 to below 1, not {headroom:g}")
    return math.ceil(_positive("rate", rate) / (_positive("throughput", throughput) * (1 - headroom))) + spare


def common_power(*known: Mapping[PowerKind, float]) -> PowerKind | None:
    """The best kind of power that all products have; None where there is none, and power cannot be compared."""
    return next((kind for kind in LADDER if all(kind in each for each in known)), None)


def _shares(host: float, network: float) -> float:
    return _at_least_zero("host", host) + _at_least_zero("network", network)


def _energy(kw: float, operation: Operation) -> float:
    if operation.pue < 1:
        raise UsageError(f"a power usage effectiveness is 1 or more, not {operation.pue:g}")
    return _at_least_zero("kw", kw) * operation.pue * _at_least_zero("kwh", operation.kwh)


def _porting(porting: Porting, operation: Operation) -> float:
    life = _positive("devices", porting.devices) * _positive("years", porting.years) * HOURS * operation.utilisation
    return _at_least_zero("porting", porting.cost) / life


def _share(name: str, value: float) -> float:
    if not 0 < value <= 1:
        raise UsageError(f"{name} is a share above 0 and up to 1, not {value:g}")
    return value


def _positive(name: str, value: float) -> float:
    if not value > 0 or math.isinf(value):
        raise UsageError(f"{name} must be above 0, not {value:g}")
    return value


def _at_least_zero(name: str, value: float) -> float:
    if not value >= 0 or math.isinf(value):
        raise UsageError(f"{name} must not be below 0: {value:g}")
    return value
