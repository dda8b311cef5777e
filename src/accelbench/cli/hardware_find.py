"""``accelbench hardware find``, ``compare`` and ``probe``: the product in use, and others beside it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from accelbench.cli.hardware_cost import prices_option
from accelbench.cli.output import json_option, listing, print_json, print_table
from accelbench.errors import UsageError
from accelbench.hardware import catalogue
from accelbench.hardware import compare as comparing
from accelbench.hardware import probe as probing
from accelbench.hardware.compare import QUANTITIES, Beside, Limits
from accelbench.hardware.prices import NONE, read
from accelbench.model import Device, DeviceFigure
from accelbench.page.units import ABSENT
from accelbench.report.host import host_facts

POSITIVE = click.FloatRange(min=0, min_open=True)


@click.command()
@click.option("--like", required=True, metavar="DEVICE", help="The product in use today.")
@click.option("--max-tdp", type=POSITIVE, metavar="W", help="Rated power at most.")
@click.option("--min-memory", type=POSITIVE, metavar="GB", help="Main memory at least.")
@click.option("--form-factor", metavar="TEXT", help="Part of the form factor or interface, as `Single Slot` or `PCIe`.")
@click.option("--region", metavar="TEXT", help="Part of a region that a seller names, as `us-east5` or `asia`.")
@click.option("--max-rent", type=POSITIVE, metavar="USD", help="Lowest rent per hour that is told, at most.")
@prices_option
@click.option("--sources", is_flag=True, help="Both figures of every ratio, and who told them.")
@click.option("--weight", "weights", multiple=True, metavar="NAME=N", help="Weight of a quantity in the distance.")
@json_option
def find(
    like: str,
    max_tdp: float | None,
    min_memory: float | None,
    form_factor: str | None,
    region: str | None,
    max_rent: float | None,
    prices: Path | None,
    sources: bool,
    weights: tuple[str, ...],
    json_: bool,
) -> None:
    """Find products like the one in use today that keep hard limits, the nearest first. Where a limit is on something
    that nobody told of a product, it is ruled out; what is unknown is never taken for zero."""
    today = catalogue.device(like)
    own = read(prices) if prices else NONE
    limits = Limits(max_tdp, min_memory * 1e9 if min_memory else None, form_factor, region, max_rent, own=own)
    kept, ruled_out = comparing.find(today, catalogue.devices().values(), limits, _weights(weights))
    if json_:
        print_json({"like": today.id, "found": [_as_json(today, each) for each in kept], "ruled_out": ruled_out})
        return
    if sources:
        _print_sources(today, kept)
        return
    table = listing("device", "relation", "distance", *QUANTITIES, "known")
    table.add_row(f"[bold]{today.id}[/]", "today", ABSENT, *(_told(today.id, name) for name in QUANTITIES), ABSENT)
    for each in kept:
        ratios = {ratio.name: f"×{ratio.ratio:.2f}" for ratio in each.ratios}
        distance = ABSENT if each.distance is None else f"{each.distance:.2f}"
        cells = [ratios.get(name, ABSENT) for name in QUANTITIES]
        table.add_row(each.device.id, each.relation, distance, *cells, each.known)
    print_table(table)
    click.echo(
        f"\n{len(kept)} products keep the limits, {len(ruled_out)} do not; ratios are to {today.id}"
        " (--sources: who told the figures; --json: why others do not)"
    )


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="DEVICE DEVICE...")
@json_option
def compare(names: tuple[str, ...], json_: bool) -> None:
    """Compare two to six products side by side: what is told of each, and its ratio to the first."""
    if not 2 <= len(names) <= 6 or len(set(names)) < len(names):
        raise UsageError("hardware compare takes two to six different products")
    first, *others = (catalogue.device(name) for name in names)
    found = [comparing.beside(first, other) for other in others]
    if json_:
        print_json({"first": first.id, "others": [_as_json(first, each) for each in found]})
        return
    table = listing("quantity", *names)
    for name in QUANTITIES:
        cells = [_told(first.id, name)]
        for each in found:
            ratio = next((f" ×{ratio.ratio:.2f}" for ratio in each.ratios if ratio.name == name), "")
            cells.append(_told(each.device.id, name) + ratio)
        table.add_row(name, *cells)
    table.add_row("relation", "", *(f"{each.relation}, {each.known}" for each in found))
    print_table(table)


@click.command()
@json_option
def probe(json_: bool) -> None:
    """Show which products of the catalogue this machine has: its CPU, and the GPUs that NVIDIA's driver lists."""
    found = probing.probe(host_facts().cpu)
    if json_:
        print_json([asdict(each) for each in found])
        return
    table = listing("device", "called", "told by")
    for each in found:
        table.add_row(each.id or ABSENT, each.name, each.told_by)
    print_table(table)


def _weights(words: tuple[str, ...]) -> dict[str, float]:
    found = {}
    for word in words:
        name, _, value = word.partition("=")
        try:
            found[name] = float(value)
        except ValueError:
            raise UsageError(f"--weight {word}: say NAME=NUMBER, as tdp=2") from None
        if name not in QUANTITIES or not 0 <= found[name] < float("inf"):
            raise UsageError(f"--weight {word}: weights are not negative, and of {', '.join(QUANTITIES)}")
    return found


def _told(device: str, name: str) -> str:
    found = comparing.figure(catalogue.device(device), name)
    return ABSENT if found is None else f"{found[0].value:,} {found[0].unit}"


def _print_sources(today: Device, kept: list[Beside]) -> None:
    table = listing("device", "quantity", "ratio", f"of {today.id}", "told by", "of the other", "told by")
    for each in kept:
        for ratio in each.ratios:
            one, two = _figure(today, ratio.today), _figure(each.device, ratio.other)
            table.add_row(each.device.id, ratio.name, f"×{ratio.ratio:.2f}", *one, *two)
    print_table(table)


def _figure(device: Device, figure: DeviceFigure) -> tuple[str, str]:
    source = device.sources.get(figure.source or "")
    dated = figure.date or (source.date if source else None)
    told_by = ", ".join(filter(None, (source.title if source else None, dated, figure.basis)))
    return f"{figure.value:,} {figure.unit}", told_by


def _as_json(today: Device, each: Beside) -> dict[str, Any]:
    return {
        "device": each.device.id,
        "relation": each.relation,
        "distance": each.distance,
        "known": len(each.ratios),
        "of": len(QUANTITIES),
        "ratios": {
            ratio.name: {
                "ratio": ratio.ratio,
                "today": _sourced(today, ratio.today),
                "other": _sourced(each.device, ratio.other),
            }
            for ratio in each.ratios
        },
    }


def _sourced(device: Device, figure: DeviceFigure) -> dict[str, Any]:
    """A figure with the whole of its source beside the key."""
    source = device.sources.get(figure.source or "")
    return {**asdict(figure), "told_by": asdict(source) if source else None}
