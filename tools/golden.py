"""Writes web/golden/*.json: inputs and results of the functions that the boards' page has twins of.

PYTHONPATH=src python tools/golden.py
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

GOLDEN = Path(__file__).parent.parent / "web" / "golden"
LIKE = ("nvidia-a30", "nvidia-h100-sxm", "amd-mi300x")


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
        })  # fmt: skip
    return found


def needed() -> list[dict[str, float]]:
    """Numbers of devices."""
    return [
        {"rate": rate, "throughput": throughput, "headroom": headroom, "spare": spare,
         "devices": cost.devices_needed(rate, throughput, headroom, spare)}
        for rate, throughput, headroom, spare in product((1.0, 1000.0, 1e6), (3.7, 1000.0), (0.0, 0.25), (0, 2))
    ]  # fmt: skip


def found() -> list[dict[str, object]]:
    """Products of the catalogue beside some of it."""
    answers: list[dict[str, object]] = []
    catalogue = devices()
    for like, tdp in product(LIKE, (None, 200.0)):
        if like not in catalogue:
            continue
        kept, out = find(catalogue[like], catalogue.values(), Limits(max_tdp_w=tdp))
        answers.append({
            "like": like, "tdp": tdp, "out": sorted(out),
            "kept": [[each.device.id, each.relation, each.distance, len(each.ratios)] for each in kept],
        })  # fmt: skip
    return answers


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
        ("cost", {"costs": costs(), "devices": needed()}),
        ("find", {"devices": [plain(each) for each in devices().values()], "answers": found()}),
    ):
        (folder / f"{name}.json").write_text(
            json.dumps(values, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
