"""``accelbench board``: the results of stores as pages for people who decide, and as an interface for programs."""

from __future__ import annotations

import os
import secrets
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import click

from accelbench.board import build as building
from accelbench.board.data import Wish
from accelbench.board.gather import gathered
from accelbench.board.live import Live
from accelbench.board.serve import Server
from accelbench.board.upload import MOST_BYTES, Quarantine
from accelbench.cli.output import json_option, print_json
from accelbench.errors import UsageError
from accelbench.gate.rules import RULES
from accelbench.hardware.prices import NONE, read

TOKEN = "ACCELBENCH_TOKEN"

stores_argument = click.argument("stores", metavar="STORE...", nargs=-1, required=True, type=click.Path(path_type=Path))
prices_option = click.option(
    "--prices",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Prices of your own (TOML, docs/boards.md). They are in the board's files, and in no link.",
)
title_option = click.option("--title", metavar="TEXT", help="The board's name, as its page shows it.")


@click.group()
def board() -> None:
    """Boards: hardware, comparison, performance and every report, judged by what was measured."""


@board.command()
@stores_argument
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The folder to make.")
@title_option
@prices_option
@click.option("--raw", is_flag=True, help="Carry every stored report whole in its page, too.")
@click.option("--parquet", is_flag=True, help="Downloads as Parquet, too: needs the extra `parquet`.")
@json_option
def build(
    stores: tuple[Path, ...],
    output: Path,
    title: str | None,
    prices: Path | None,
    raw: bool,
    parquet: bool,
    json_: bool,
) -> None:
    """Build the board of the stores as static files, whole or not at all: it works from a web server and from a local
    disk. A board that is there already is replaced. A folder of runs stands for all of them, a folder of bundles (a
    repository of results) for these."""
    own = read(prices) if prices else NONE
    with gathered(stores) as all_:
        wish = Wish(title, raw, parquet=parquet, rules=rules(), own=own, problems=all_.problems)
        found = building.build(all_.stores, output, wish)
    if own.prices:
        click.echo(f"the board has private prices ({prices}): it is for those who may know them", err=True)
    if json_:
        print_json({**asdict(found), "folder": str(found.folder)})
        return
    for folder, problem in found.problems:
        click.echo(f"{folder}: {problem}", err=True)
    counts = f"{found.reports} reports, {found.passes} timed passes, {found.claims} claims"
    click.echo(f"{counts}; {found.size_bytes / 1e6:.1f} MB: {found.folder / 'index.html'}")


@board.command()
@stores_argument
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on: this machine only.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0: any that is free.")
@title_option
@prices_option
@click.option("--uploads", is_flag=True, help=f"Take bundles into the first STORE, from those who have ${TOKEN}.")
@click.option("--most-mb", type=click.IntRange(1), default=MOST_BYTES // 10**6, show_default=True, help="Of a bundle.")
def serve(
    stores: tuple[Path, ...],
    host: str,
    port: int,
    title: str | None,
    prices: Path | None,
    uploads: bool,
    most_mb: int,
) -> None:
    """Serve the board of the stores with an interface for programs (/api/openapi.json) until Ctrl-C. It follows the
    stores: pages that are open load again when one of them changes.

    Uploads are verified as bundles before they come into the store. Their token is $ACCELBENCH_TOKEN, else one is made
    and told here.
    """
    token = os.environ.get(TOKEN) or secrets.token_urlsafe(24) if uploads else None
    own = read(prices) if prices else NONE
    with ExitStack() as stack:
        found = stack.enter_context(gathered(stores))
        if uploads and found.unpacked:
            raise UsageError("--uploads needs stores: bundles are unpacked for as long as they are served")
        quarantine = Quarantine(found.stores[0], most_mb * 10**6) if uploads else None
        wish = Wish(title, served=True, rules=rules(), own=own, problems=found.problems)
        live = stack.enter_context(Live(found.stores, wish))
        server = stack.enter_context(Server(live, host, port, quarantine, token))
        click.echo(f"serving {len(found.stores)} stores at {server.url} (Ctrl-C ends it)")
        if token and TOKEN not in os.environ:
            click.echo(f"uploads: {server.url}api/v1/bundles, token {token}")
        server.serve_forever()


def rules() -> list[dict[str, str]]:
    """The rules of submission as the page shows them."""
    return [{"id": each.id, "level": each.severity, "text": each.demand.en, "zh": each.demand.zh} for each in RULES]
