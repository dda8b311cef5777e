"""``accelbench store``: reports kept together, with an index over them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from accelbench.cli.output import json_option, listing, print_json, print_table
from accelbench.errors import AccelbenchError
from accelbench.library import index
from accelbench.library.index import Refreshed
from accelbench.library.query import ask
from accelbench.library.store import Store
from accelbench.library.verify import verify as verify_store

path_argument = click.argument("path", metavar="STORE", type=click.Path(path_type=Path))

LISTED = (
    "SELECT task, backend, device, precision, effort, status, verdict, trust, created, substr(id, 1, 12) AS id, folder "
    "FROM reports ORDER BY task, backend, precision, created"
)


@click.group()
def store() -> None:
    """Stores: reports, claims and reproductions in folders that never change, with an index that can be made again at
    any time. A run's folder is a store."""


@store.command("index")
@path_argument
@click.option("--rebuild", is_flag=True, help="Make it anew, from every folder.")
@json_option
def index_(path: Path, rebuild: bool, json_: bool) -> None:
    """Bring the index up to date."""
    _tell(index.refresh(path, rebuild=rebuild), json_)


@store.command()
@path_argument
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@json_option
def add(path: Path, sources: tuple[Path, ...], json_: bool) -> None:
    """Copy reports into the store, which is made where there is none: bundles, folders of reports, whole runs or other
    stores. Each is verified first, and told when it is on the disk; what is there already is left."""
    lines, refused = [], []
    for source in sources:
        try:
            for added in Store(path).add(source):
                lines.append({"folder": str(added.folder), "new": added.new})
                if not json_:
                    click.echo(f"{'added' if added.new else 'there already'}: {added.folder}")
        except AccelbenchError as error:
            refused.append(str(error))
            click.echo(f"refused: {error}", err=True)
    if json_:
        print_json({"added": lines, "refused": refused})
    if lines:
        index.refresh(path)
    if refused:
        raise AccelbenchError(f"{len(refused)} of {len(sources)} sources were refused in whole or in part")


@store.command("list")
@path_argument
@json_option
def list_(path: Path, json_: bool) -> None:
    """List the store's reports."""
    index.current(path)
    with ask(path, LISTED) as answer:
        rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
    if json_:
        print_json(rows)
        return
    table = listing(*("task", "backend", "device", "precision", "effort", "outcome", "trust", "created", "id"))
    for row in rows:
        outcome = row["verdict"] if row["status"] == "ok" else row["status"]
        words = (row["task"], row["backend"], row["device"], row["precision"], row["effort"], outcome)
        table.add_row(*words, row["trust"], row["created"][:10], row["id"])
    print_table(table)


@store.command()
@path_argument
@json_option
def verify(path: Path, json_: bool) -> None:
    """Check every file against its report, every id against its content, and every figure of the index against the raw
    facts. Exits with 1 where something differs."""
    count, findings = verify_store(path)
    if json_:
        print_json({"folders": count, "findings": [asdict(each) for each in findings]})
    else:
        for each in findings:
            click.echo(f"{each.folder}: {each.problem}")
        click.echo(f"{count} folders, {len(findings)} findings")
    if findings:
        raise SystemExit(1)


def _tell(found: Refreshed, json_: bool) -> None:
    if json_:
        print_json(
            {**asdict(found), "problems": [dict(zip(("folder", "problem"), p, strict=True)) for p in found.problems]}
        )
    else:
        for folder, problem in found.problems:
            click.echo(f"{folder}: {problem}", err=True)
        click.echo(
            f"{found.reports} reports, {found.claims} claims, {found.reproductions} reproductions; "
            f"{found.read} folders read, {found.gone} gone, {len(found.problems)} with problems"
        )
    if found.problems:
        raise SystemExit(1)
