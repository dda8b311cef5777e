"""The companies of the catalogue, for ``accelbench hardware list --vendors`` and ``show VENDOR``."""

from __future__ import annotations

from dataclasses import asdict
from typing import get_args, get_type_hints

import click

from accelbench.cli.output import listing, print_facts, print_json, print_table
from accelbench.hardware import catalogue
from accelbench.hardware.lint import told_on
from accelbench.model import Vendor, VendorFact
from accelbench.page.units import ABSENT

KINDS: tuple[str, ...] = get_args(get_type_hints(VendorFact)["name"])


def list_vendors(json_: bool) -> None:
    """Print every company: what was last told of it, and how much of each kind."""
    found = list(catalogue.vendors().values())
    if json_:
        print_json([asdict(each) for each in found])
        return
    table = listing("vendor", "name", "products", "last told of", *KINDS)
    for each in found:
        dates = [date for fact in each.facts if (date := told_on(each, fact))]
        counts = [sum(fact.name == kind for fact in each.facts) for kind in KINDS]
        table.add_row(
            each.id, _name(each), str(_products(each)), max(dates, default=ABSENT), *(str(n or ABSENT) for n in counts)
        )
    print_table(table)
    gaps = sum(not any(fact.name == kind for fact in each.facts) for each in found for kind in KINDS)
    click.echo(
        f"\n{len(found)} companies; numbers are of sourced facts; {gaps} of {len(found) * len(KINDS)} are unknown"
    )


def show_vendor(vendor: Vendor, json_: bool) -> None:
    """Print what is told of a company, by whom and when, the newest of each kind first, and what nobody told."""
    if json_:
        print_json(asdict(vendor))
        return
    unknown = [kind for kind in KINDS if not any(fact.name == kind for fact in vendor.facts)]
    print_facts(
        {
            "name": _name(vendor),
            "website": vendor.website,
            "also called": ", ".join(vendor.aliases) or None,
            "products": f"{_products(vendor)} (accelbench hardware list --vendor {vendor.id})",
            "unknown": ", ".join(unknown) or None,
        }
    )
    table = listing("fact", "date", "told", "basis", "source", "address")
    for kind in KINDS:
        told = [fact for fact in vendor.facts if fact.name == kind]
        for fact in sorted(told, key=lambda fact: told_on(vendor, fact) or "", reverse=True):
            source = vendor.sources.get(fact.source or "")
            text = fact.text + (f" ({fact.note})" if fact.note else "")
            title, url = (source.title, source.url) if source else (None, None)
            table.add_row(kind, told_on(vendor, fact) or ABSENT, text, fact.basis, title or ABSENT, url or ABSENT)
    click.echo()
    print_table(table)


def _name(vendor: Vendor) -> str:
    return " · ".join(filter(None, (vendor.names.en, vendor.names.zh)))


def _products(vendor: Vendor) -> int:
    return sum(device.vendor == vendor.id for device in catalogue.devices().values())
