"""The products and companies that are known, each a TOML file, read strictly."""

from __future__ import annotations

import difflib
import json
import math
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from accelbench.errors import UsageError
from accelbench.hardware.rows import evidence, facts, rows
from accelbench.hardware.units import SCALES
from accelbench.model import Device, Vendor

DEVICES = Path(__file__).parent / "devices"
VENDORS = Path(__file__).parent / "vendors"

Record = TypeVar("Record", Device, Vendor)

_DEVICE, _VENDOR = TypeAdapter(Device), TypeAdapter(Vendor)
_DATE = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?")
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@cache
def devices() -> Mapping[str, Device]:
    """Every product of the catalogue by its id, in the order of ids."""
    return load_all(DEVICES, load_device)


@cache
def vendors() -> Mapping[str, Vendor]:
    """Every company of the catalogue by its id, in the order of ids."""
    return load_all(VENDORS, load_vendor)


def device(name: str) -> Device:
    """The product with this id. Raises UsageError with the nearest ids."""
    known = devices()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else "see 'accelbench hardware list'"
        raise UsageError(f"no device of the catalogue is called {name!r}: {hint}")
    return known[name]


def vendor(name: str) -> Vendor | None:
    """The company with this id, name or alias; None where none is known by it."""
    key = name.casefold()
    return next(
        (
            each
            for each in vendors().values()
            if key in {told.casefold() for told in (each.id, each.names.en, each.names.zh or "", *each.aliases)}
        ),
        None,
    )


def load_all(folder: Path, load: Callable[[Path], Record]) -> dict[str, Record]:
    """The records of a folder by their ids. Raises UsageError as ``load`` does, and for an alias that two have."""
    found = {record.id: record for record in (load(path) for path in sorted(folder.glob("*.toml")))}
    owner: dict[str, str] = {}
    for record in found.values():
        for alias in record.aliases:
            other = owner.setdefault(alias.casefold(), record.id)
            if other != record.id:
                raise UsageError(f"{folder}: aliases: {alias!r} is {other} and {record.id}; a name means one of them")
    return found


def load_device(path: Path) -> Device:
    """The product in a TOML file. Raises UsageError that names the file, the field and what is wrong: an unknown,
    missing or mistyped field, a unit that does not fit, a source that the file does not list, a number that is not
    positive, two preferred figures for one quantity, a date that is none, an id that is not the file's name."""
    read = _load(path, _DEVICE)
    for problem in _problems(read):
        raise UsageError(f"{path}: {problem}")
    return read


def load_vendor(path: Path) -> Vendor:
    """The company in a TOML file. Raises as ``load_device`` does."""
    read = _load(path, _VENDOR)
    for position, fact in enumerate(read.facts):
        if fact.source is not None and fact.source not in read.sources:
            raise UsageError(f"{path}: facts.{position}.source: {fact.source!r} is not among the file's sources")
        if not _dated(fact.date):
            raise UsageError(f"{path}: facts.{position}.date: {fact.date!r} is not YYYY, YYYY-MM or YYYY-MM-DD")
    for name, source in read.sources.items():
        if not _dated(source.date):
            raise UsageError(f"{path}: sources.{name}.date: {source.date!r} is not YYYY, YYYY-MM or YYYY-MM-DD")
    return read


def _load(path: Path, adapter: TypeAdapter[Record]) -> Record:
    try:
        fields = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path} cannot be read as TOML ({error})") from error
    try:
        read = adapter.validate_json(json.dumps(fields, default=str))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{path}: {field}: {first['msg']}") from error
    if read.id != path.stem or not _ID.fullmatch(read.id):
        raise UsageError(f"{path}: id: {read.id!r} must be the file's name, of small letters, digits and hyphens")
    return read


def _problems(read: Device) -> Iterator[str]:
    """What the types do not say."""
    for row in rows(read):
        units = SCALES[row.quantity]
        for figure in row.figures:
            if figure.unit not in units:
                yield f"{row.name}.unit: {figure.unit!r} is none of {', '.join(units)}"
            if not (math.isfinite(figure.value) and figure.value > 0):
                yield f"{row.name}.value: {figure.value} is not a positive number; what is unknown is left out"
            if (figure.derivation is not None) != (figure.basis == "derived"):
                yield f"{row.name}.derivation: a derived figure says how it was computed, and only that"
    told = [(row.name, row.figures) for row in rows(read)] + list(facts(read))
    for name, found in told:
        if sum(each.preferred is not None for each in found) > 1:
            yield f"{name}.preferred: at most one can be preferred"
    for name, each in evidence(read):
        yield from _sourced(name, each.source, each.date, read)
    for position, price in enumerate(read.prices):
        yield from _sourced(f"prices.{position}", price.source, price.date, read)
        if not 0 < price.amount <= (price.amount_to or price.amount):
            yield f"prices.{position}.amount: must be positive, and not above amount_to"
    for name, source in read.sources.items():
        if not _dated(source.date):
            yield f"sources.{name}.date: {source.date!r} is not YYYY, YYYY-MM or YYYY-MM-DD"
    for pattern in read.matches:
        try:
            re.compile(pattern)
        except re.error as error:
            yield f"matches: {pattern!r} is no regular expression ({error})"


def _sourced(name: str, source: str | None, date: str | None, read: Device) -> Iterator[str]:
    if source is not None and source not in read.sources:
        yield f"{name}.source: {source!r} is not among the file's sources"
    if not _dated(date):
        yield f"{name}.date: {date!r} is not YYYY, YYYY-MM or YYYY-MM-DD"


def _dated(date: str | None) -> bool:
    return date is None or _DATE.fullmatch(date) is not None
