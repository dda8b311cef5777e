"""Writes web/golden/*.json: inputs and results of the functions that the page of boards has twins of. cost.json is kept
in the tree; find.json has the whole catalogue, and is made when it is wanted.

PYTHONPATH=src python tools/golden.py [FOLDER]
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

from accelbench import cost
from accelbench.hardware.catalogue import devices
from accelbench.hardware.compare import Limits, find
from accelbench.hardware.prices import OWN, Own, Rate, offer
from accelbench.model import Device, Price

GOLDEN = Path(__file__).parent.parent / "web" / "golden"
LIMITS = (
    Limits(),
    Limits(max_tdp_w=200.0),
    Limits(min_memory_bytes=80e9, form_factor="pcie"),
    Limits(max_rent=2.0),
    Limits(region="us"),
)
WEIGHTS = {"tdp": 2.0, "fp8": 0.0}
MINE = Own(
    {
        "nvidia-a30": (
            Price("buy", "CNY", 32_000.0, "vendor_claimed", OWN),
            Price("buy", "CNY", 120_000.0, "vendor_claimed", OWN, devices=4),
        ),
        "nvidia-h100-sxm": (
            Price("rent", "EUR", 1.0, "vendor_claimed", OWN),
            Price("rent", "USD", 2.25, "vendor_claimed", OWN),
        ),
    },
    (Rate("USD", "CNY", 7.25, "2026-10-08", "our treasury"),),
)


def costs() -> list[dict[str, object]]:
    """Costs of an hour, of a million samples, and the price to break even, over a grid of inputs."""
    found: list[dict[str, object]] = []
    for rate, years, use, kwh, port in product((0.0, 0.08), (3.0, 5.0), (0.3, 1.0), (0.0, 0.12), (0.0, 50_000.0)):
        operation = cost.Operation(use, kwh, 1.4, 250.0)
        capital, porting = cost.Capital(rate, years), cost.Porting(port, 8, years)
        hour = cost.per_hour(cost.Purchase(9_000.0, 0.165, 1_500.0, 300.0), operation, capital, porting)
        million = cost.per_million(hour, 1234.5)
        found.append({
            "rate": rate, "years": years, "use": use, "kwh": kwh, "port": port,
            "hour": hour, "rented": cost.per_hour(cost.Rent(2.5), operation, porting=porting), "million": million,
            "even": cost.break_even(
                million, 617.25, 0.3, operation, capital, host=1_500.0, network=300.0, porting=porting
            ),
            "even_rent": cost.break_even_rent(million, 617.25, operation, porting),
        })  # fmt: skip
    return found


def needed() -> list[dict[str, float]]:
    """Numbers of devices."""
    return [
        {"rate": rate, "throughput": throughput, "headroom": headroom, "spare": spare,
         "devices": cost.devices_needed(rate, throughput, headroom, spare)}
        for rate, throughput, headroom, spare in product((1.0, 1000.0, 1e6), (3.7, 1000.0), (0.0, 0.25), (0, 2))
    ]  # fmt: skip


def offers() -> dict[str, object]:
    """The lowest prices of all products, by the catalogue and with a user's own."""
    return {
        "own": [{"device": name, **plain(price)} for name, prices in MINE.prices.items() for price in prices],
        "rates": [{"from": each.of, "to": each.to, "rate": each.rate} for each in MINE.rates],
        "answers": [
            [name, kind, currency, *((told.amount, told.own) if told else (None, None))]
            for (name, device), kind, currency in product(devices().items(), ("buy", "rent"), ("USD", "CNY"))
            for told in [offer(device, kind, currency, MINE)]
        ],
    }


def found() -> list[dict[str, object]]:
    """All products of the catalogue beside each of it."""
    answers: list[dict[str, object]] = []
    for today, (limits, weights) in product(devices().values(), ((each, {}) for each in LIMITS)):
        answers.append(_found(today, limits, weights))
        if limits == LIMITS[0]:
            answers.append(_found(today, limits, WEIGHTS))
    return answers


def _found(today: Device, limits: Limits, weights: dict[str, float]) -> dict[str, object]:
    kept, out = find(today, devices().values(), limits, weights)
    return {
        "like": today.id,
        "limits": [
            limits.max_tdp_w,
            limits.min_memory_bytes,
            limits.form_factor or "",
            limits.region or "",
            limits.max_rent,
        ],
        "weights": weights,
        "out": sorted(out),
        "kept": [[each.device.id, each.relation, each.distance, len(each.ratios)] for each in kept],
    }


def plain(value: Any) -> Any:
    """A record as the board's data have it: what is None or empty left out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        told = {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {name: item for name, item in told.items() if item is not None and item not in ({}, [])}
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, tuple) else value


def main() -> None:
    """Writes all files."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else GOLDEN
    for name, values in (
        ("cost", {"inputs": plain(cost.Inputs()), "costs": costs(), "devices": needed()}),
        ("find", {"devices": [plain(each) for each in devices().values()], "answers": found(), "offers": offers()}),
    ):
        (folder / f"{name}.json").write_text(
            json.dumps(values, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
