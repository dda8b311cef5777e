"""``accelbench import``: results and specifications that others published, kept as claims."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from accelbench.cli.groups import grouped
from accelbench.cli.output import json_option, listing, print_json, print_table
from accelbench.errors import UsageError
from accelbench.imports import store
from accelbench.imports.explain import Explained, explain
from accelbench.imports.find import Found, find, imported, read_bytemlperf, read_mlperf
from accelbench.imports.source import Imported, Origin, load
from accelbench.imports.tables import mapping, table
from accelbench.model import Claim
from accelbench.page.units import ABSENT

Row = tuple[Path, Claim, Path | None, bool]
"""A source file, the claim, its folder in the store where it was stored, and whether it is new there."""

WIDTH = 48
"""Letters of a value that are shown."""


@dataclass(frozen=True)
class Wanted:
    """What is done with what is read."""

    store: Path | None
    explained: bool
    url: str | None
    commit: str | None

    def origin(self) -> Origin:
        """Where the sources come from. UsageError where nothing is wanted."""
        if self.store is None and not self.explained:
            raise UsageError("say --store DIR to keep what is read, or --explain to see what would become of it")
        return Origin(self.url, self.commit)


wanted_options = grouped(
    "wanted",
    Wanted,
    (
        click.option(
            "--store", type=click.Path(path_type=Path), help="Keep the claims in this store (a run's folder)."
        ),
        click.option("--explain", "explained", is_flag=True, help="Show what becomes of every field."),
        click.option("--url", help="Where the source is published; kept with the claim."),
        click.option("--commit", help="The commit of the source there."),
    ),
)
path_argument = click.argument("path", type=click.Path(exists=True, path_type=Path))


@click.group("import")
def import_() -> None:
    """Bring in what others published: kept as told, with its source, and always marked as claimed.

    Every field of a source is mapped to a name, kept as a note, or refused with a reason; `--explain` shows which.
    """


@import_.command("bytemlperf")
@path_argument
@wanted_options
@json_option
def bytemlperf(path: Path, wanted: Wanted, json_: bool) -> None:
    """Import general reports and hardware specifications of ByteMLPerf: a JSON file, or all in a folder."""
    what = "general report or hardware specification of ByteMLPerf"
    _finish(find(path, read_bytemlperf, frozenset({".json"}), what, wanted.origin()), wanted, json_)


@import_.command("mlperf")
@path_argument
@wanted_options
@json_option
def mlperf(path: Path, wanted: Wanted, json_: bool) -> None:
    """Import MLPerf Inference: LoadGen's logs, system descriptions, and the published tables of results in JSON or CSV;
    a file, or all in a folder."""
    what = "log of LoadGen's, system description or table of results of MLPerf's"
    _finish(find(path, read_mlperf, frozenset({".json", ".csv", ".txt"}), what, wanted.origin()), wanted, json_)


@import_.command("csv")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--mapping",
    "mapping_file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A TOML file that says what each column means.",
)
@wanted_options
@json_option
def csv(file: Path, mapping_file: Path, wanted: Wanted, json_: bool) -> None:
    """Import a table in CSV, a claim per row, by a mapping file (see docs/hardware.md)."""
    mapped = mapping(mapping_file)
    rows = tuple(table(load(file), file.name, mapped, wanted.origin()))
    if not rows:
        raise UsageError(f"{file} has no rows below its first line")
    _finish([Found(file, rows)], wanted, json_)


def _finish(found: list[Found], wanted: Wanted, json_: bool) -> None:
    """Store what was found, then tell of it."""
    if wanted.store is not None:
        store.prepare(wanted.store)
    rows = [_kept(path, one, wanted.store) for path, one in imported(found)]
    if json_:
        print_json([_as_json(*row, explained=wanted.explained) for row in rows])
        return
    if wanted.explained:
        _print_fields(rows)
    else:
        _print_claims(rows)
    skipped = sum(each.skipped for each in found)
    counts = [sum(fields) for fields in zip(*(_fates(claim) for _, claim, _, _ in rows), strict=True)]
    click.echo(
        f"\n{len(rows)} claims; fields: {counts[0]} mapped, {counts[1]} kept as notes, {counts[2]} refused"
        + (f"; {skipped} other files passed over" if skipped else "")
        + (f"; stored in {wanted.store}" if wanted.store else "; nothing was stored")
    )


def _kept(path: Path, one: Imported, where: Path | None) -> Row:
    if where is None:
        return path, store.FORM.identify(one.claim), None, False
    folder, new = store.put(where, one)
    return path, store.open_claim(folder), folder, new


def _fates(claim: Claim) -> tuple[int, int, int]:
    """How many fields were mapped, kept as notes and refused."""
    told: dict[str, set[str]] = {"mapped": set(), "note": set(), "refused": set()}
    for line in explain(claim):
        told[line.fate].add(line.field)
    return len(told["mapped"]), len(told["note"]), len(told["refused"])


def _as_json(path: Path, claim: Claim, folder: Path | None, new: bool, *, explained: bool) -> dict[str, Any]:
    mapped, notes, refused = _fates(claim)
    row: dict[str, Any] = {
        "file": str(path),
        "id": claim.id,
        "kind": claim.kind,
        "source": asdict(claim.source),
        "trust": claim.trust,
        "device": asdict(claim.device) if claim.device else None,
        "task": asdict(claim.task) if claim.task else None,
        "mapped": mapped,
        "notes": notes,
        "refused": refused,
        "caveats": list(claim.caveats),
        "folder": str(folder) if folder else None,
        "new": new,
    }
    return {**row, "fields": [asdict(line) for line in explain(claim)]} if explained else row


def _print_fields(rows: Iterable[Row]) -> None:
    for path, claim, _, _ in rows:
        part = f", {claim.source.part}" if claim.source.part else ""
        click.echo(f"\n{path}{part}")
        shown = listing("field", "fate", "as, or why", "value")
        for line in explain(claim):
            shown.add_row(*_cells(line))
        print_table(shown)
        for caveat in claim.caveats:
            click.echo(f"  note: {caveat}")


def _print_claims(rows: Iterable[Row]) -> None:
    shown = listing("source", "device", "task", "figures", "mapped", "notes", "refused", "claim")
    for path, claim, folder, new in rows:
        name = "/".join(path.parts[-2:]) + (f", {claim.source.part}" if claim.source.part else "")
        counts = map(str, _fates(claim))
        stored = f"{folder.name}{'' if new else ' (was there)'}" if folder else ABSENT
        shown.add_row(name, _named(claim, "device"), _named(claim, "task"), str(len(claim.figures)), *counts, stored)
    print_table(shown)


def _named(claim: Claim, what: str) -> str:
    named = getattr(claim, what)
    return ABSENT if named is None else named.id or named.text


def _cells(line: Explained) -> tuple[str, str, str, str]:
    value = " ".join(line.value.split())
    return line.field, line.fate, line.told, value if len(value) <= WIDTH else value[: WIDTH - 1] + "…"
