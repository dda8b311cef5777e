"""Which product of the catalogue a name means, as drivers, systems, reports and tables tell it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from accelbench.hardware.catalogue import devices, vendors
from accelbench.model import Device, DeviceInfo, Host, Vendor

_MARKS = re.compile(r"\((?:r|tm|c)\)|[®™©]", re.IGNORECASE)
_BETWEEN = re.compile(r"[\W_]+")


def device_named(name: str) -> str | None:
    """The id of the product that ``name`` means: its id, its English or Chinese name, an alias, or a CPU's whole name.
    None where it means none that is known, or where it could be several."""
    return _device_named(name)


@cache
def _device_named(name: str) -> str | None:
    key = _key(name)
    if key in _index():
        return _index()[key]
    found = {each.id for each in devices().values() for pattern in each.matches if re.fullmatch(pattern, name.strip())}
    return found.pop() if len(found) == 1 else None


def vendor_named(name: str) -> str | None:
    """The id of the company that ``name`` means; None as above."""
    return _keys(vendors()).get(_key(name))


def device_of(info: DeviceInfo | None, host: Host) -> str | None:
    """The id of the product that a report ran on: by the name that its runtime gives, else, where the target is the
    CPU, by the name that the system gives the CPU; a CPU's product may be a share of so many logical CPUs ("NAME,
    1 CPUs"). None where neither is known."""
    if info is None:
        return None
    names = [info.name]
    if info.id.partition(":")[0].lower() == "cpu":
        known = [name for name in (info.name, host.cpu) if name is not None]
        names = [told for name in known for told in (f"{name}, {host.logical_cpus} CPUs", name)]
    return next((found for name in names if (found := device_named(name)) is not None), None)


@cache
def _index() -> dict[str, str]:
    return _keys(devices())


def _keys(records: Mapping[str, Device] | Mapping[str, Vendor]) -> dict[str, str]:
    """The id by each name of a record; a name of several records is none."""
    owners: dict[str, set[str]] = {}
    for record in records.values():
        for name in (record.id, record.names.en, record.names.zh, *record.aliases):
            if name:
                owners.setdefault(_key(name), set()).add(record.id)
    return {key: next(iter(ids)) for key, ids in owners.items() if len(ids) == 1 and key}


def _key(name: str) -> str:
    return _BETWEEN.sub("", _MARKS.sub("", name)).casefold()
