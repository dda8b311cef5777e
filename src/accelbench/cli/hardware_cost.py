"""``accelbench hardware cost``: what a product costs by the hour and by the million, with every input beside it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from accelbench.cli.output import json_option, print_facts, print_json
from accelbench.cost import Inputs, per_million
from accelbench.errors import UsageError
from accelbench.hardware import catalogue, compare
from accelbench.hardware.prices import NONE, Offer, inputs, offer, read
from accelbench.model import Device
from accelbench.page.units import ABSENT

POSITIVE = click.FloatRange(min=0, min_open=True)

prices_option = click.option(
    "--prices",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Prices of your own (TOML, docs/boards.md), before the catalogue's.",
)


@click.command()
@click.argument("name", metavar="DEVICE")
@click.option("--throughput", type=POSITIVE, metavar="N", help="Samples per second, as a report has measured them.")
@click.option("--price", type=POSITIVE, metavar="AMOUNT", help="Of one device, or of an hour of it with pay=rent.")
@click.option("--watts", type=POSITIVE, metavar="W", help="Power in use, as measured; else the rated one is taken.")
@click.option("--against", type=POSITIVE, metavar="AMOUNT", help="What a million samples cost elsewhere: break even.")
@click.option("--set", "told", multiple=True, metavar="NAME=VALUE", help="Another input, as kwh=0.65 or currency=CNY.")
@prices_option
@json_option
def cost(
    name: str,
    throughput: float | None,
    price: float | None,
    watts: float | None,
    against: float | None,
    told: tuple[str, ...],
    prices: Path | None,
    json_: bool,
) -> None:
    """Show what an hour of DEVICE costs, and with its throughput what a million samples cost, the price at which it
    breaks even, and how many devices serve a rate. Nothing is assumed silently: every input is shown."""
    device, own = catalogue.device(name), read(prices) if prices else NONE
    given = inputs({**{key: getattr(own.cost, key) for key in own.told}, **_settings(told)})
    told_price = None if price is not None else offer(device, given.pay, given.currency, own)
    amount = price if price is not None else told_price.amount if told_price else None
    rated = compare.figure(device, "tdp")
    power = watts if watts is not None else rated[1] if rated else None
    found = _answer(given, amount, power, throughput, against)
    if json_:
        facts = {"device": device.id, "price": amount, "private": bool(told_price and told_price.own), "watts": power}
        print_json({**facts, "throughput": throughput, **found, "inputs": asdict(given)})
        return
    kind = "measured" if watts is not None else "rated"
    print_facts(
        {
            "device": device.names.en,
            "price": _priced(device, given, amount, told_price),
            "power": f"{power:g} W, {kind}" if power is not None else None,
            "throughput": f"{throughput:g} samples/s" if throughput else None,
            "an hour of use": _money(found["per_hour"], given),
            "a million samples": _money(found["per_million"], given),
            "breaks even at": _money(found["break_even"], given),
            f"devices for {given.need:g} samples/s": found["devices"],
            "inputs": ", ".join(f"{key}={_plain(value)}" for key, value in asdict(given).items()),
        }
    )


def _settings(words: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise UsageError(f"--set {word}: say NAME=VALUE, as kwh=0.65")
        found[key] = value
    return found


def _answer(
    given: Inputs, price: float | None, watts: float | None, throughput: float | None, against: float | None
) -> dict[str, Any]:
    """What is known; None for the rest."""
    kw = None if watts is None else watts / 1e3
    hour = None if price is None else given.hour(price, kw)
    return {
        "per_hour": hour,
        "per_million": None if hour is None or throughput is None else per_million(hour, throughput),
        "break_even": None if against is None or throughput is None else given.even(against, throughput, kw),
        "devices": None if throughput is None else given.devices(throughput),
    }


def _priced(device: Device, given: Inputs, amount: float | None, told: Offer | None) -> str:
    per = " per hour" if given.pay == "rent" else ""
    if amount is None:
        return f"unknown: nobody told one{per}; say --price, or --prices with a file of yours"
    if told is None:
        return f"{_money(amount, given)}{per}, as you say"
    source = device.sources.get(told.price.source or "")
    whose = "private" if told.own else source.title if source else "no source"
    dated = told.price.date or (source.date if source else None)
    return ", ".join(filter(None, (f"{_money(amount, given)}{per}", whose, dated)))


def _money(amount: float | None, given: Inputs) -> str:
    return ABSENT if amount is None else f"{amount:,.5g} {given.currency}"


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
