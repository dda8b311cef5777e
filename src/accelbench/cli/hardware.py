"""``accelbench hardware``: the catalogue of products."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from accelbench.cli.hardware_cost import cost
from accelbench.cli.hardware_find import compare, find, probe
from accelbench.cli.hardware_vendors import list_vendors, show_vendor
from accelbench.cli.output import json_option, listing, print_facts, print_json, print_table
from accelbench.hardware import catalogue
from accelbench.hardware.lint import lint as findings
from accelbench.hardware.rows import Row, facts, rows
from accelbench.model import Device, DeviceFact, DeviceFigure, Price, preferred
from accelbench.page.units import ABSENT

COLUMNS = {
    "fp16": {"engines.tensor.fp16": "", "engines.tensor.bf16": " (bf16)"},
    "int8": {"engines.tensor.int8": ""},
    "fp8": {"engines.tensor.fp8": ""},
    "memory": {"memory.main.capacity": "", "memory.l1.capacity": " (on chip)"},
    "bandwidth": {"memory.main.bandwidth": "", "memory.l1.bandwidth": " (on chip)"},
    "TDP": {"power.tdp": "", "power.typical": " (typical)"},
}
"""Columns of the listing, and the quantities that they show, with a mark: the first that is told."""


@click.group()
def hardware() -> None:
    """The hardware catalogue: every figure with its source, its basis and its date."""


hardware.add_command(find)
hardware.add_command(compare)
hardware.add_command(probe)
hardware.add_command(cost)


@hardware.command("list")
@click.option("--vendor", help="Only products of this vendor, by its id.")
@click.option("--vendors", is_flag=True, help="The companies instead of their products.")
@json_option
def list_(vendor: str | None, vendors: bool, json_: bool) -> None:
    """List the products with their dense peaks, memory and power, or the companies. What nobody told is absent."""
    if vendors:
        list_vendors(json_)
        return
    found = [device for device in catalogue.devices().values() if vendor in (None, device.vendor)]
    if json_:
        print_json([_row(device) for device in found])
        return
    table = listing("device", "kind", "scope", *COLUMNS, "prices")
    for device in found:
        named = {row.name: row for row in rows(device)}
        cells = [_cell(named, marks) for marks in COLUMNS.values()]
        table.add_row(device.id, device.kind, device.scope, *cells, str(len(device.prices) or ABSENT))
    print_table(table)
    click.echo(f"\n{len(found)} products; peaks are dense ones of the tensor engine, figures those preferred")


@hardware.command()
@click.argument("name", metavar="DEVICE|VENDOR")
@json_option
def show(name: str, json_: bool) -> None:
    """Show all that is told of a product or of a company, and by whom. `*` marks the figure that is taken where several
    are told."""
    company = None if name in catalogue.devices() else catalogue.vendor(name)
    if company is not None:
        show_vendor(company, json_)
        return
    device = catalogue.device(name)
    vendor = catalogue.vendors().get(device.vendor)
    if json_:
        print_json({**asdict(device), "vendor_record": asdict(vendor) if vendor else None})
        return
    print_facts(
        {
            "name": " · ".join(filter(None, (device.names.en, device.names.zh))),
            "vendor": vendor.names.en if vendor else device.vendor,
            "kind, scope": f"{device.kind}, {device.scope}",
            "purpose": ", ".join(device.purpose) or None,
            "also called": ", ".join(device.aliases) or None,
            "note": device.note,
        }
    )
    table = listing("quantity", "figure", "basis", "source", "remarks")
    for row in rows(device):
        for figure in row.figures:
            taken = "*" if len(row.figures) > 1 and figure == preferred(row.figures) else ""
            table.add_row(
                row.name, f"{_number(figure)}{taken}", figure.basis, _source(device, figure), _remarks(figure)
            )
    for fact_name, told in facts(device):
        for fact in told:
            table.add_row(fact_name, fact.text, fact.basis, _source(device, fact), _remarks(fact))
    for price in device.prices:
        table.add_row(f"price, {price.kind}", _price(price), price.basis, _source(device, price), price.note or "")
    click.echo()
    print_table(table)


@hardware.command()
@json_option
def lint(json_: bool) -> None:
    """Show what is doubtful: sources that disagree, ratios off their family, sparse peaks entered as dense, GiB for GB,
    figures of another scope, missing sources. Exit code 1 when anything has to be settled."""
    found = findings(catalogue.devices(), catalogue.vendors())
    errors = sum(finding.level == "error" for finding in found)
    if json_:
        print_json([asdict(finding) for finding in found])
    else:
        table = listing("level", "rule", "record", "where", "finding")
        for finding in found:
            table.add_row(*asdict(finding).values())
        print_table(table)
        of = f"{len(catalogue.devices())} products and {len(catalogue.vendors())} companies"
        click.echo(f"\n{errors} errors, {len(found) - errors} warnings in {of}")
    if errors:
        raise SystemExit(1)


def _row(device: Device) -> dict[str, Any]:
    named = {row.name: preferred(row.figures) for row in rows(device)}
    return {
        "device": device.id,
        "name": device.names.en,
        "vendor": device.vendor,
        "kind": device.kind,
        "scope": device.scope,
        "figures": {name: asdict(figure) for name, figure in named.items() if figure is not None},
        "prices": [asdict(price) for price in device.prices],
    }


def _cell(named: dict[str, Row], marks: dict[str, str]) -> str:
    """The first of the quantities that is told."""
    for name, mark in marks.items():
        figure = preferred(named[name].figures) if name in named else None
        if figure is not None:
            return _number(figure) + mark
    return ABSENT


def _number(figure: DeviceFigure) -> str:
    return f"{figure.value:,} {figure.unit}"


def _source(device: Device, told: DeviceFigure | DeviceFact | Price) -> str:
    source = device.sources.get(told.source or "")
    dated = told.date or (source.date if source else None)
    return ", ".join(filter(None, (source.title if source else None, dated))) or ABSENT


def _remarks(told: DeviceFigure | DeviceFact) -> str:
    of = f"scope: {told.scope}" if isinstance(told, DeviceFigure) and told.scope else None
    how = told.derivation if isinstance(told, DeviceFigure) else None
    why = f"taken: {told.preferred}" if told.preferred else None
    return "; ".join(filter(None, (of, how, why, told.note)))


def _price(price: Price) -> str:
    amount = f"{price.amount:,g}" + (f"–{price.amount_to:,g}" if price.amount_to else "")
    per = " per hour" if price.kind == "rent" else ""
    many = f" for {price.devices}" if price.devices > 1 else ""
    return f"{amount} {price.currency}{per}{many}"
