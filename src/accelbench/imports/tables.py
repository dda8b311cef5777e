"""Tables of anybody's in CSV: which column means what is said in a mapping file.

vendor = "Acme"                      # what the table does not tell, and holds for all of it
delimiter = ";"

[texts]                              # column = name
"Card" = "device"
"Network" = "task"
"SDK" = "software"

[[figures]]
column = "img/s"
name = "throughput"
unit = "samples/s"
batch = "BS"                         # a column, whose value qualifies the figure; so do scenario, precision
statistic = {is = "mean"}            # or a value that holds for all rows
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from accelbench.errors import UsageError
from accelbench.hardware.match import device_named, vendor_named
from accelbench.imports.csv_rows import csv_rows
from accelbench.imports.ledger import Ledger, claim
from accelbench.imports.source import Imported, Origin, described, number, text_of
from accelbench.model import STRICT, Named
from accelbench.zoo.catalogue import tasks

IS = Mapping[str, str | int]
NAMED = ("vendor", "device", "task")


@dataclass(frozen=True)
class FigureColumn:
    """A column of numbers: its name and unit here, and what qualifies it, each a column or ``{is = value}``."""

    __pydantic_config__ = STRICT

    column: str
    name: str
    unit: str | None = None
    batch: str | IS | None = None
    scenario: str | IS | None = None
    precision: str | IS | None = None
    statistic: str | IS | None = None


@dataclass(frozen=True)
class Mapped:
    """A mapping file: what each column means; what is not in it is kept as a note. ``vendor``, ``device`` and ``task``
    are for tables that are of one only."""

    __pydantic_config__ = STRICT

    texts: Mapping[str, str] = field(default_factory=dict)
    figures: tuple[FigureColumn, ...] = ()
    vendor: str | None = None
    device: str | None = None
    task: str | None = None
    delimiter: str = ","


_ADAPTER = TypeAdapter(Mapped)


def mapping(path: Path) -> Mapped:
    """The mapping file at ``path``. Raises UsageError that names the file and the field which is wrong."""
    try:
        fields = tomllib.loads(path.read_text(encoding="utf-8"))
        found = _ADAPTER.validate_json(json.dumps(fields, default=str))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path} cannot be read as TOML ({error})") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(f"{path}: {'.'.join(str(part) for part in first['loc'])}: {first['msg']}") from error
    if len(found.delimiter) != 1:
        raise UsageError(f"{path}: delimiter: {found.delimiter!r} is not one character")
    used = [*found.texts, *(each.column for each in found.figures)]
    twice = next((column for column in used if used.count(column) > 1), None)
    if twice is not None:
        raise UsageError(f"{path}: the column {twice!r} is mapped twice")
    if not found.figures:
        raise UsageError(f"{path}: figures: name at least one column of numbers")
    return found


def table(data: bytes, name: str, mapped: Mapped, origin: Origin) -> Iterator[Imported]:
    """A claim per row. Raises UsageError when the table has not a column that the mapping names, and as ``csv_rows``
    does."""
    for position, row, kept in csv_rows(text_of(data, name), name, mapped.delimiter):
        missing = [column for column in _columns(mapped) if column not in row]
        if missing:
            raise UsageError(f"{name}: has no column {missing[0]!r}, which the mapping names; it has {', '.join(row)}")
        source = described("csv", name, kept, origin, f"row {position}", data)
        book = Ledger(row)
        made = [_qualified(row, each) for each in mapped.figures]
        vendor, device, task = (_named(book, mapped, called) for called in NAMED)
        for column, called in mapped.texts.items():
            if called not in NAMED:
                book.text(called, (column,))
        for each, qualifiers in zip(mapped.figures, made, strict=True):
            book.figure(
                each.name,
                (each.column,),
                each.unit,
                batch=_batch(qualifiers["batch"]),
                scenario=qualifiers["scenario"],
                precision=qualifiers["precision"],
                statistic=qualifiers["statistic"],
            )
        book.rest("the mapping does not name it")
        yield Imported(claim("result", source, [book], vendor=vendor, device=device, task=task), {name: kept})


def _columns(mapped: Mapped) -> Iterator[str]:
    yield from mapped.texts
    for each in mapped.figures:
        yield each.column
        yield from (
            told for told in (each.batch, each.scenario, each.precision, each.statistic) if isinstance(told, str)
        )


def _qualified(row: Mapping[str, str | None], column: FigureColumn) -> dict[str, str | None]:
    def told(qualifier: str | IS | None) -> str | None:
        value = row[qualifier] if isinstance(qualifier, str) else (qualifier or {}).get("is")
        return None if value is None or not str(value).strip() else str(value).strip()

    return {name: told(getattr(column, name)) for name in ("batch", "scenario", "precision", "statistic")}


def _batch(text: str | None) -> int | None:
    value = number(text) if text is not None else None
    return value if isinstance(value, int) and value > 0 else None


def _named(book: Ledger, mapped: Mapped, called: str) -> Named | None:
    column = next((column for column, name in mapped.texts.items() if name == called), None)
    fixed = getattr(mapped, called)
    named = book.named((column,)) if column is not None else None
    if named is None and fixed is not None:
        named = Named(fixed, "", reason="the mapping says so of the whole table")
    if named is None:
        return None
    found = {"vendor": vendor_named, "device": device_named, "task": _task}[called](named.text)
    why = "; ".join(filter(None, (named.reason, "by its name" if found else None)))
    return replace(named, id=found, reason=why or None)


def _task(name: str) -> str | None:
    return name if name in tasks() else None
