"""``accelbench submit`` and ``accelbench repository``: results for others to check."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import click

from accelbench.bundle import keys
from accelbench.bundle.sign import sign
from accelbench.cli.check import accepted, as_json, lang_option, tell
from accelbench.cli.output import json_option, print_json, progress
from accelbench.errors import UsageError
from accelbench.gate import repository as repositories
from accelbench.gate.assemble import ALL, Sign, Wishes, assemble
from accelbench.gate.check import check as checked
from accelbench.gate.manifest import Division, Submitter
from accelbench.gate.rule import Language
from accelbench.zoo import roster as rosters


@click.command()
@click.argument("runs", metavar="RUN...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="A repository of results.")
@click.option("--vendor", required=True, help="Who submits.")
@click.option("--contact", required=True, help="Where questions are answered: a mail address or a page.")
@click.option("--device", required=True, help="The device's id, as `hardware list` shows it.")
@click.option("--count", type=click.IntRange(min=1), default=1, show_default=True, help="Devices in the machine.")
@click.option("--roster", help="The roster whose tasks they are. Default: the newest.")
@click.option("--division", type=click.Choice(get_args(Division)), default="closed", show_default=True)
@click.option(
    "--sparsity",
    "claims",
    multiple=True,
    metavar="[TASK=]SHARE",
    help="The share of zeros among weights that nobody can count, of a task or of all.",
)
@click.option("--embargo", type=click.DateTime(["%Y-%m-%d"]), help="Not for the public before this day is over.")
@click.option("--key", help="Sign with this key of yours.")
@lang_option
@json_option
def submit(
    runs: tuple[Path, ...],
    output: Path,
    vendor: str,
    contact: str,
    device: str,
    count: int,
    roster: str | None,
    division: Division,
    claims: tuple[str, ...],
    embargo: datetime.datetime | None,
    key: str | None,
    lang: Language,
    json_: bool,
) -> int:
    """Make a submission of the reports of runs: -o/results/VENDOR/DEVICE (-o/private/… under an embargo), and check it.

    Exit code 1: the check found an error; the folder is there for you to look at.
    """
    wishes = Wishes(
        vendor=Submitter(vendor, contact),
        device=device,
        count=count,
        roster=roster or rosters.newest().name,
        division=division,
        claims=_shares(claims),
        embargo=embargo.date() if embargo else None,
        sign=_signing(key) if key else None,
    )
    folder = assemble(runs, output, wishes)
    with progress() as say:
        found = checked(folder, say=say)
    if json_:
        print_json(as_json(str(folder), found, lang))
    else:
        tell({str(folder): found}, lang)
    return int(not accepted(found))


@click.group()
def repository() -> None:
    """Repositories of results, to which vendors and users submit."""


@repository.command()
@click.argument("folder", type=click.Path(path_type=Path))
def new(folder: Path) -> None:
    """Make the new folder FOLDER with a guide, forms, and the workflow that checks each pull request."""
    for path in repositories.new(folder):
        click.echo(folder / path)


def _shares(words: Sequence[str]) -> dict[str, float]:
    found = {}
    for word in words:
        task, _, share = word.rpartition("=")
        try:
            found[task or ALL] = float(share)
        except ValueError:
            raise UsageError(f"--sparsity {word!r}: say a share like 0.5, or TASK=0.5") from None
        if not 0 <= found[task or ALL] <= 1:
            raise UsageError(f"--sparsity {word!r}: a share of zeros lies between 0 and 1")
    return found


def _signing(name: str) -> Sign:
    ring = keys.keyring()
    phrase = click.prompt(f"Passphrase of {name}", hide_input=True, err=True) if keys.locked(name, ring) else None
    private = keys.private(name, ring, phrase)

    def signed(bundle: Path) -> None:
        sign(bundle, private)

    return signed
