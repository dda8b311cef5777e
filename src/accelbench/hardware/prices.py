"""What products cost, and in which currency: prices of the catalogue, and a user's own beside them (`prices.toml`).

[cost]                          # what the cost model starts from: the fields of `accelbench.cost.Inputs`
currency = "CNY"
kwh = 0.65

[[rates]]                       # one `from` is `rate` of `to`; takes the place of the rate that is shipped
from = "USD"
to = "CNY"
rate = 7.0
date = "2026-10-08"
source = "our treasury"

[[prices]]                      # as in the catalogue, of the device with this id
device = "nvidia-a30"
kind = "buy"
currency = "CNY"
amount = 32000
date = "2026-10"
note = "offer for 40"
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from accelbench.cost import Inputs
from accelbench.errors import UsageError
from accelbench.hardware import catalogue
from accelbench.model import Device, Price

OWN = "prices.toml"
"""The source of every price of a user's own."""

Kind = Literal["buy", "rent"]


@dataclass(frozen=True)
class Rate:
    """A rate of exchange: one ``of`` (``from`` in files) is ``rate`` of ``to``, as ``source`` told it on ``date``."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    of: Annotated[str, Field(alias="from")]
    to: str
    rate: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    date: str
    source: str


@dataclass(frozen=True)
class Own:
    """A user's own file: prices by device, rates before those that are shipped, and what the cost model starts from,
    with the names of the inputs that the file tells (``told``)."""

    prices: Mapping[str, tuple[Price, ...]] = field(default_factory=dict)
    rates: tuple[Rate, ...] = ()
    cost: Inputs = field(default_factory=Inputs)
    told: tuple[str, ...] = ()


NONE = Own()
"""Nothing private."""


@dataclass(frozen=True)
class Offer:
    """A price for one device in the currency that was asked for, and the price that it is made of."""

    amount: float
    price: Price

    @property
    def own(self) -> bool:
        """Whether it is a private one."""
        return self.price.source == OWN


_RATES, _INPUTS, _PRICE = TypeAdapter(tuple[Rate, ...]), TypeAdapter(Inputs), TypeAdapter(Price)


@cache
def shipped() -> tuple[Rate, ...]:
    """The rates that accelbench has, dated."""
    file = Path(__file__).parent / "rates.toml"
    return _RATES.validate_python(tomllib.loads(file.read_text(encoding="utf-8"))["rates"])


def inputs(told: Mapping[str, Any]) -> Inputs:
    """The inputs of the cost model, as told; numbers may be texts. Raises UsageError for one that there is not."""
    unknown = sorted(set(told) - set(Inputs.__dataclass_fields__))
    if unknown:
        raise UsageError(
            f"{unknown[0]!r} is no input of the cost model: there are {', '.join(Inputs.__dataclass_fields__)}"
        )
    try:
        return _INPUTS.validate_python(dict(told))
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(f"{first['loc'][0]}: {first['msg']}, not {first['input']!r}") from error


def read(path: Path) -> Own:
    """A user's own prices. Raises UsageError that names the file, the field and what is wrong."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path} cannot be read as TOML ({error})") from error
    unknown = sorted(set(tables) - {"cost", "rates", "prices"})
    if unknown:
        raise UsageError(f"{path}: {unknown[0]!r} is not known: it has [cost], [[rates]] and [[prices]]")
    try:
        rates = _RATES.validate_python(tables.get("rates", []))
        told = tables.get("cost", {})
        if not isinstance(told, dict):
            raise UsageError("cost is a table: [cost]")
        return Own(_prices(tables.get("prices", [])), rates, inputs(told), tuple(told))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(f"{path}: rates.{where}: {first['msg']}") from error
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error


def _prices(told: object) -> dict[str, tuple[Price, ...]]:
    if not isinstance(told, list) or not all(isinstance(each, dict) for each in told):
        raise UsageError("prices are tables of their own: [[prices]]")
    found: dict[str, list[Price]] = {}
    for position, each in enumerate(told):
        fields = {"basis": "vendor_claimed", **each, "source": OWN}
        device = catalogue.device(str(fields.pop("device", "")))
        try:
            price = _PRICE.validate_json(json.dumps(fields, default=str))
        except ValidationError as error:
            first = error.errors()[0]
            raise UsageError(f"prices.{position}.{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
        if not 0 < price.amount < float("inf") or price.devices < 1:
            raise UsageError(f"prices.{position}: the amount must be above 0, for one device or more")
        found.setdefault(device.id, []).append(price)
    return {name: tuple(prices) for name, prices in found.items()}


def exchange(of: str, to: str, rates: Sequence[Rate] = ()) -> float | None:
    """How many of ``to`` one ``of`` is: by ``rates``, then by those shipped, in either direction. None where nobody
    told."""
    if of == to:
        return 1.0
    for each in (*rates, *shipped()):
        if (each.of, each.to) == (of, to):
            return each.rate
        if (each.of, each.to) == (to, of):
            return 1 / each.rate
    return None


def offer(device: Device, kind: Kind, currency: str, own: Own = NONE) -> Offer | None:
    """The lowest price of a device in ``currency``: a private one where there is any that a rate is known for, else
    that of the catalogue."""
    for prices in (own.prices.get(device.id, ()), device.prices):
        offers = [
            Offer(price.amount / price.devices * rate, price)
            for price in prices
            if price.kind == kind and (rate := exchange(price.currency, currency, own.rates)) is not None
        ]
        if offers:
            return min(offers, key=lambda each: each.amount)
    return None
